"""Several approvals of one artefact: what counts, what voids, what GitHub's run then shows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from rows import a_project, an_operation
from test_release import NOW, a_release, login, words
from test_workflow_run import START, a_job, a_run

from bot.installation import policy_of
from bot.settings import Settings, load
from provisioning import audit
from provisioning.adapters.github.sightings import LONG_AGO
from provisioning.adapters.github.webhooks import RULE_EVENT
from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.deployment_board import DeploymentBoard
from provisioning.deployment_ports import Sighting
from provisioning.errors import UserError
from provisioning.following import Following
from provisioning.release import (
    Approval,
    Release,
    ReleaseState,
    may_release,
    outcome_of_rule,
)
from provisioning.release_message import Asked, release_notice
from provisioning.store import Store
from provisioning.verdicts import Allowed, Refused
from provisioning.workflow_run import Status, WorkflowRun

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"


def ruled(needed: int = 2, **more: object) -> Release:
    """Return a release that our App's rule holds."""
    card = a_release().card.model_copy(
        update={"gate": "app_rule", "needed": needed, "group": "S0RELEASE"}
    )
    return a_release(card=card, **more)


def yes(who: str, release: Release | None = None, comment: str = "") -> Approval:
    """Return somebody's approval of a release as it is."""
    artefact = (release or ruled()).bound_to
    return Approval(person=f"U{who.upper()}", login=who, artefact=artefact, comment=comment, at=NOW)


def asked(store: Store, needed: int = 2) -> Release:
    """Return a stored release that waits."""
    store.workflow_runs.see("ada-7", a_run())
    return store.releases.ask(ruled(needed, asked_at=START, deadline=START + timedelta(days=3)))


# Who may -----------------------------------------------------------------------------------------


def test_members_of_the_group_and_reviewers_may_and_others_may_not() -> None:
    def verdict(who: str, *, in_group: bool) -> Allowed | Refused:
        return may_release(who, reviewers={"rosa-p"}, initiators={"ada-l"}, in_group=in_group)

    assert verdict("pat", in_group=True) == Allowed()
    assert verdict("Rosa-P", in_group=False) == Allowed()
    assert isinstance(verdict("sam", in_group=False), Refused)
    own = verdict("ada-l", in_group=True)
    assert own == Refused(why="nobody releases their own deployment")


# What counts -------------------------------------------------------------------------------------


def test_the_nth_approval_settles_and_not_an_earlier_one(each_store: Store) -> None:
    release = asked(each_store)
    first = each_store.releases.approve(release.id, yes("rosa"))
    assert first is not None
    assert (first.state, len(first.given)) == ("open", 1)
    second = each_store.releases.approve(release.id, yes("pat"))
    assert second is not None
    assert (second.state, second.verdict, second.decided_by) == ("deciding", "approved", "UPAT")
    assert each_store.releases.approve(release.id, yes("grace")) is None


@pytest.mark.parametrize("again", [("UROSA", "other"), ("UOTHER", "Rosa")])
def test_a_person_and_a_github_account_count_once(
    each_store: Store, again: tuple[str, str]
) -> None:
    release = asked(each_store)
    each_store.releases.approve(release.id, yes("rosa"))
    person, login = again
    same = yes("rosa").model_copy(update={"person": person, "login": login})
    kept = each_store.releases.approve(release.id, same)
    assert kept is not None
    assert (kept.state, len(kept.given)) == ("open", 1)


def test_twenty_approvals_at_once_of_three_people_settle_once(each_store: Store) -> None:
    release, times = asked(each_store, needed=3), 20
    people = ("rosa", "pat", "grace")
    with ThreadPoolExecutor(times) as pool:
        approvals = [yes(people[number % 3]) for number in range(times)]
        results = list(
            pool.map(lambda one: each_store.releases.approve(release.id, one), approvals)
        )
    assert [one.state for one in results if one].count("deciding") == 1
    settled = each_store.releases.get(release.id)
    assert settled is not None
    assert sorted(each.login for each in settled.given) == sorted(people)
    assert settled.tries == 1


def test_a_changed_plan_voids_what_was_approved(each_store: Store) -> None:
    release = asked(each_store)
    each_store.releases.approve(release.id, yes("rosa"))
    assert release.card.plan is not None
    plan = release.card.plan.model_copy(update={"digest": f"{'d' * 63}e"})
    card = release.card.model_copy(update={"plan": plan})
    assert each_store.releases.renew(release.id, "another artefact", card) is None
    renewed = each_store.releases.renew(release.id, release.bound_to, card)
    assert renewed is not None
    assert (len(renewed.approvals), renewed.given) == (1, ())
    assert each_store.releases.approve(release.id, yes("pat", release)) is None
    fresh = each_store.releases.approve(release.id, yes("pat", renewed))
    assert fresh is not None
    assert [each.login for each in fresh.given] == ["pat"]


def test_reviewers_that_come_later_are_not_asked_about_a_plan_that_has_changed(
    each_store: Store,
) -> None:
    release = asked(each_store)
    assert release.card.plan is not None
    plan = release.card.plan.model_copy(update={"digest": f"{'d' * 63}e"})
    newer = release.card.model_copy(update={"plan": plan})
    each_store.releases.renew(release.id, release.bound_to, newer)
    others = release.card.model_copy(update={"logins": ("grace",)})
    assert each_store.releases.address(release, others) is None
    kept = each_store.releases.get(release.id)
    assert kept is not None
    assert kept.card == newer


def test_each_approval_is_in_the_audit_trail_with_person_login_and_artefact(
    each_store: Store, each_database: Database
) -> None:
    release = asked(each_store)
    each_store.releases.approve(release.id, yes("rosa", comment="fine"))
    each_store.releases.approve(release.id, yes("rosa"))
    each_store.releases.approve(release.id, yes("pat"))
    trail = audit.history(each_database, "ada-7")
    said = [(entry.who, entry.what, entry.detail["login"]) for entry in trail[1:]]
    assert said == [
        ("UROSA", "release approved, 1 of 2", "rosa"),
        ("UPAT", "release approved, 2 of 2", "pat"),
    ]
    assert (trail[1].detail["comment"], trail[1].detail["gate"]) == ("fine", "app_rule")
    assert (trail[1].detail["plan"], trail[1].detail["attempt"]) == ("d" * 64, 1)


def test_after_a_refusal_of_github_s_an_approver_may_try_again(each_store: Store) -> None:
    release = asked(each_store, needed=1)
    each_store.releases.approve(release.id, yes("rosa"))
    each_store.releases.move(release.id, ["deciding"], "open")
    again = each_store.releases.approve(release.id, yes("rosa"))
    assert again is not None
    assert (again.state, again.tries, len(again.given)) == ("deciding", 2, 1)


# What GitHub shows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "status", "conclusion", "outcome"),
    [
        ("approved", "waiting", "", None),
        ("approved", "queued", "", "approved"),
        ("approved", "in_progress", "", "approved"),
        ("approved", "completed", "success", "approved"),
        ("approved", "completed", "failure", "approved"),
        ("approved", "completed", "cancelled", None),
        ("override", "in_progress", "", "approved"),
        ("rejected", "completed", "failure", "rejected"),
        ("rejected", "in_progress", "", None),
        ("rejected", "completed", "cancelled", None),
    ],
)
def test_a_run_shows_what_became_of_an_answer_that_github_does_not_list(
    verdict: str, status: Status, conclusion: str, outcome: ReleaseState | None
) -> None:
    run = a_run(jobs=(a_job("Deploy Production", status, conclusion),))
    assert outcome_of_rule(ruled(state="deciding", verdict=verdict), run) == outcome
    assert outcome_of_rule(ruled(state="open"), run) is None


def test_jobs_of_another_environment_or_attempt_show_nothing() -> None:
    other = a_run(jobs=(a_job("Deploy Staging", "completed", "success"),))
    earlier = a_run(jobs=(a_job("Deploy Production", "completed", "success", attempt=2),))
    waits = ruled(state="deciding", verdict="approved")
    assert outcome_of_rule(waits, other) is None
    assert outcome_of_rule(waits, earlier) is None


# The rule's webhook ------------------------------------------------------------------------------


def hears(store: Store, sighting: Sighting) -> WorkflowRun:
    """Return what is known of a run after a sighting that came by webhook."""
    store.projects.reserve_and_begin(a_project(), an_operation())
    unused = cast("Any", None)
    board = DeploymentBoard(store, unused, unused)
    following = Following(store, unused, unused, board, unused, SystemClock(), unused, unused)
    assert following.hear(sighting)
    known = store.workflow_runs.get(sighting.run.id)
    assert known is not None
    assert store.workflow_runs.claim(1)
    return known.run


def of_rule() -> Sighting:
    """Return what the rule's webhook tells: hardly anything."""
    run = a_run(seconds=-1).model_copy(update={"actor": "", "updated_at": LONG_AGO})
    return Sighting(guid="guid-9", event=RULE_EVENT, project="ada-7", run=run, sparse=True)


def test_a_webhook_of_the_rule_wakes_a_run_and_takes_nothing_from_what_is_known(
    each_store: Store,
) -> None:
    each_store.workflow_runs.see("ada-7", a_run())
    assert hears(each_store, of_rule()).actor == "ada-l"


def test_a_run_that_only_the_rule_told_of_is_known_in_full_after_a_look(each_store: Store) -> None:
    assert hears(each_store, of_rule()).actor == ""
    assert each_store.workflow_runs.see("ada-7", a_run(), complete=True).run.actor == "ada-l"


# The card ----------------------------------------------------------------------------------------


def test_a_card_counts_its_approvals_and_keeps_its_buttons() -> None:
    one = ruled(approvals=(yes("rosa", comment="fine"),))
    said = words(one, Asked(people=("S0RELEASE",)))
    assert "Waiting for approval · 1 of 2" in said
    assert "Approved by UROSA · 1 of 2" in said
    assert "fine" in said
    assert "May decide: S0RELEASE" in said
    assert release_notice(one, Asked(), login, "").buttons


def test_an_approved_card_names_everybody_and_a_rejected_one_who_rejected() -> None:
    both = (yes("rosa"), yes("pat"))
    done = ruled(state="approved", verdict="approved", decided_by="UPAT", approvals=both)
    assert "Approved by UROSA · 1 of 2" in words(done)
    assert "Approved by UPAT · 2 of 2" in words(done)
    no = ruled(state="rejected", verdict="rejected", decided_by="UPAT", approvals=both[:1])
    assert "Rejected by UPAT" in words(no)
    assert "Approved by UROSA" in words(no)


def test_broken_glass_is_never_called_an_approval() -> None:
    said = words(
        ruled(state="approved", verdict="override", decided_by="UADA", comment="shop is down")
    )
    assert "Let in by break-glass" in said
    assert "without the approvals needed, by UADA: shop is down" in said
    assert "Approved" not in said


# The settings ------------------------------------------------------------------------------------


def settings_with(tmp_path: Path, *lines: str, **environment: str) -> Settings:
    """Return the example with more lines, each `section key = value`."""
    text = EXAMPLE.read_text("utf-8")
    for line in lines:
        section, _, setting = line.partition(" ")
        text = text.replace(f"[{section}]\n", f"[{section}]\n{setting}\n", 1)
    file = tmp_path / "sciclops.toml"
    file.write_text(text, "utf-8")
    return load(file, environment)


RULE = 'deployment gate = "app_rule"'
VOUCHED = 'github logins = { U1 = "ada-l" }'


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["deployment approvals_needed = 2"], "first approval lets a deployment in"),
        (["deployment approvals_needed = 0", RULE, VOUCHED], "greater than or equal to 1"),
        (['roles release = "S1"'], "roles.release cannot be heeded"),
        (['roles break_glass = "S1"'], "roles.break_glass cannot be heeded"),
        ([RULE], "needs to know whose GitHub account is whose"),
        ([RULE, 'github logins = { U1 = "ada", U2 = "Ada" }'], "a GitHub login of their own"),
    ],
)
def test_what_the_gate_cannot_enforce_is_refused_with_the_reason(
    tmp_path: Path, lines: list[str], why: str
) -> None:
    with pytest.raises(UserError, match=why):
        settings_with(tmp_path, *lines)


def test_the_rule_s_settings_reach_the_policy(tmp_path: Path) -> None:
    lines = (RULE, VOUCHED, "deployment approvals_needed = 2", 'roles release = "S1"')
    policy = policy_of(settings_with(tmp_path, *lines, 'roles break_glass = "S2"'))
    assert (policy.gate, policy.approvals_needed) == ("app_rule", 2)
    assert (policy.release_group, policy.break_glass_group) == ("S1", "S2")
    assert policy.logins == {"U1": "ada-l"}
