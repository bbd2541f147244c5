"""Reading the App's list of deliveries: only what failed, each once, over several pages."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from scripted_runner import Receiver, Script, Works, receiving, working
from waiting import wait_until

from playground.faults import Fault
from provisioning.adapters.github import App, Connection
from provisioning.adapters.github.actions import GitHubActions
from provisioning.adapters.github.webhooks import GitHubWebhooks
from provisioning.deployment_ports import Sighting, Unheard
from provisioning.errors import TemporaryError

SECRET = "It's a Secret to Everybody"
SCRIPTS = [Script(f"bundle / Job {number}") for number in range(12)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as held:
        yield held


@pytest.fixture
def works(tmp_path: Path, receiver: Receiver) -> Iterator[Works]:
    with working(tmp_path, list(SCRIPTS)) as held:
        held.github.webhook_url, held.github.webhook_secret = receiver.url, SECRET
        yield held


@pytest.fixture
def app(works: Works) -> App:
    return works.our_app()


@pytest.fixture
def webhooks(works: Works, app: App) -> GitHubWebhooks:
    return GitHubWebhooks(app, works.standin.clock)


def played(works: Works, times: int = 1) -> int:
    """Play runs to their end; return how many deliveries of ours there are now."""
    for _ in range(times):
        works.wait(works.dispatch("pat"), "completed")
    hooks = works.github.hub.webhooks
    wait_until(lambda: not hooks._sending)
    ours = ("workflow_run", "workflow_job", "deployment_review")
    return len([one for one in hooks.deliveries if one.event in ours])


def read(webhooks: GitHubWebhooks, known: frozenset[str] = frozenset()) -> list[str]:
    """Return the GUIDs of what was missed."""
    return [one.guid for one in webhooks.missed(lambda guids: known & set(guids))]


def test_what_arrived_is_not_read_again(works: Works, webhooks: GitHubWebhooks) -> None:
    assert played(works) > 0
    assert read(webhooks) == []


def test_what_failed_is_read_from_every_page_of_the_list(
    works: Works, webhooks: GitHubWebhooks, receiver: Receiver
) -> None:
    receiver.status = 503
    lost = played(works, 4)
    assert lost > 100
    found = list(webhooks.missed(lambda _: ()))
    assert len({one.guid for one in found}) == len(found) == lost
    assert all(isinstance(one, Sighting) for one in found)


def test_what_is_known_is_not_read_again(
    works: Works, webhooks: GitHubWebhooks, receiver: Receiver
) -> None:
    receiver.status = 503
    played(works)
    first = read(webhooks)
    assert read(webhooks, frozenset(first[1:])) == first[:1]
    assert read(webhooks, frozenset(first)) == []


def test_what_is_not_ours_is_named_so_that_it_is_read_once(
    works: Works, webhooks: GitHubWebhooks, receiver: Receiver
) -> None:
    receiver.status = 503
    played(works)
    for one in works.github.hub.webhooks.deliveries:
        one.content = one.content.replace(b"deploy.yml", b"other.yml")
    found = list(webhooks.missed(lambda _: ()))
    runs = [one for one in found if one.event == "workflow_run"]
    assert runs
    assert all(isinstance(one, Unheard) for one in runs)


def test_a_delivery_that_cannot_be_read_holds_up_no_other(
    works: Works, webhooks: GitHubWebhooks, receiver: Receiver
) -> None:
    receiver.status = 503
    lost = played(works)
    broken = next(
        one for one in works.github.hub.webhooks.deliveries if one.event == "workflow_run"
    )
    broken.content = b'{"workflow_run": {}, "repository": {"owner": {"login": "acme"}}}'
    found = list(webhooks.missed(lambda _: ()))
    assert len(found) == lost
    assert [one.guid for one in found if isinstance(one, Unheard)] == [broken.guid]


def test_what_was_read_before_github_failed_is_not_lost(
    works: Works, webhooks: GitHubWebhooks, receiver: Receiver
) -> None:
    receiver.status = 503
    lost = played(works)
    reading = iter(webhooks.missed(lambda _: ()))
    first = next(reading)
    works.standin.faults.add(Fault("github", "status", "hook/deliveries", times=9, status=502))
    with pytest.raises(TemporaryError):
        next(reading)
    works.standin.faults.clear()
    assert len(read(webhooks, frozenset([first.guid]))) == lost - 1


def test_a_list_that_does_not_answer_is_a_passing_trouble(
    works: Works, webhooks: GitHubWebhooks
) -> None:
    works.standin.faults.add(Fault("github", "drop", "hook/deliveries", times=9))
    with pytest.raises(TemporaryError):
        read(webhooks)


def test_what_is_older_than_three_days_is_not_looked_for(
    works: Works, webhooks: GitHubWebhooks, receiver: Receiver
) -> None:
    receiver.status = 503
    played(works)
    works.standin.clock.advance(timedelta(days=3, minutes=1))
    assert read(webhooks) == []


def test_looking_again_at_what_has_not_changed_costs_nothing_of_the_hour(
    works: Works, app: App
) -> None:
    run = works.wait(works.dispatch("pat"), "completed")
    actions = GitHubActions(Connection(app, works.standin.clock))
    first = actions.look("ada-7", run.id)
    used = spent(works)
    assert actions.look("ada-7", run.id) == first
    assert spent(works) == used


def spent(works: Works) -> int:
    """Return how much of the hour's limit is used."""
    found = works.standin.call("GET", "/rate_limit").json()
    return int(found["resources"]["core"]["used"])


def test_of_another_workflow_only_that_is_learnt(works: Works, app: App) -> None:
    run = works.wait(works.dispatch("pat"), "completed")
    run.workflow = ".github/workflows/other.yml"
    look = GitHubActions(Connection(app, works.standin.clock)).look("ada-7", run.id)
    assert look is not None
    assert (look.run.path, look.run.jobs) == (".github/workflows/other.yml", ())
