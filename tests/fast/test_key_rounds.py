"""Old keys are looked for in rounds, some projects at a time: other sweeps get their turn, too."""

from collections import Counter
from datetime import timedelta
from typing import cast

from rows import a_project, an_operation

from provisioning.clock import MovableClock
from provisioning.key_ages import LOOK_EVERY, PAGE, KeyAges
from provisioning.policy import Naming, Policy
from provisioning.ports import Principal, SecretFacts, Workspaces
from provisioning.requesting import Requesting
from provisioning.store import Store

PROJECTS = 2 * PAGE + 3
RULES = Policy(
    naming=Naming(pattern=".*", explanation=""),
    workspace_groups={},
    catalogs={},
    data=(),
    confirm_create="nobody",
    confirmation_expires=timedelta(hours=1),
    platform_group="",
    users_group="",
    channel="",
    announcements="",
    sandbox_default=timedelta(days=1),
    sandbox_maximum=timedelta(days=1),
    authentication="secret",
)


class Asked:
    """Databricks, as far as keys go: counts who was asked about."""

    def __init__(self) -> None:
        self.about: Counter[str] = Counter()

    def secrets(self, principal: Principal) -> tuple[SecretFacts, ...]:
        """Return no secret."""
        self.about[principal.client_id] += 1
        return ()

    def own_secrets(self) -> tuple[SecretFacts, ...]:
        """Return no secret of the bot's own."""
        self.about["ourselves"] += 1
        return ()


def test_each_sweep_looks_at_some_projects_and_a_round_at_all_of_them_once(store: Store) -> None:
    for number in range(PROJECTS):
        name = f"ada-{number}x"
        store.projects.reserve_and_begin(a_project(name), an_operation(f"op-{number}", name))
        facts = {"service_principal_id": number, "client_id": name}
        outputs = {"environments": {"Testing": facts}}
        store.projects.become(name, "ready", {"outputs": outputs})
    asked, clock = Asked(), MovableClock()
    ages = KeyAges(store, cast("Workspaces", asked), cast("Requesting", None), RULES, clock)
    seen = []
    for _ in range(5):
        ages.sweep()
        seen.append(asked.about.total() - 1)
    assert seen == [PAGE, 2 * PAGE, PROJECTS, PROJECTS, PROJECTS]
    assert set(asked.about.values()) == {1}
    clock.advance(LOOK_EVERY)
    for _ in range(3):
        ages.sweep()
    assert set(asked.about.values()) == {2}
    assert len(asked.about) == PROJECTS + 1
