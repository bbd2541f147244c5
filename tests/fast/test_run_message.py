"""What a run's message says, phase by phase: true, in order, and nothing that is not known."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from rows import NOON, a_spec

from bot.render import blocks
from playground.slack.blocks import message_problems, too_long
from provisioning.operation import AT_GITHUB, Facts, Operation, Phase
from provisioning.project import DataAccess, Reviewer
from provisioning.run_message import Question, plan_notice, run_notice, unlisted
from provisioning.run_steps import going_on
from provisioning.runs import Change, Counts, Plan, Progress
from provisioning.text import Notice, Task, plain

NOW = {"to_clean": NOON}
CONFIRMED = {"planning": NOON, "waiting": NOON}

APPLIED = CONFIRMED | {"applying": NOON}


def a_run(phase: str, **facts: Any) -> Operation:
    """Return a run that stands in a phase."""
    return Operation.model_validate(
        {
            "id": "run-1",
            "kind": "create_project",
            "project": "ada-7",
            "phase": phase,
            "version": 1,
            "attempt": 1,
            "spec": a_spec(),
            "facts": Facts.model_validate(facts),
            "requested_by": "U-ada",
            "channel": "C-runs",
            "created_at": NOON,
        }
    )


def a_plan(*addresses: str) -> Plan:
    """Return a plan that makes these."""
    made = addresses or ("t.a",)
    return Plan(
        digest=f"{len(made)}" * 64,
        inputs="i",
        counts=Counts(add=len(made)),
        changes=tuple(Change(address=one, resource_type="t", action="create") for one in made),
        seconds=2,
        terraform="1.9.0",
    )


def words(notice: Notice) -> str:
    """Return the body of a message."""
    return "\n".join(plain(line) for line in notice.body)


def task(notice: Notice, step: str) -> Task:
    """Return how a message shows a step."""
    return next(one for one in notice.tasks if one.id == step)


def test_a_total_is_shown_once_it_is_known_and_not_before() -> None:
    unknown, known = Progress(done=0, total=0, seconds=1), Progress(done=3, total=88, seconds=4)
    for phase, step, clean_up in (("applying", "applying", {}), ("cleaning", "cleaning", NOW)):
        early = run_notice(a_run(phase, progress=unknown, started=clean_up))
        assert " of " not in early.title
        assert task(early, step).output == ()
        later = run_notice(a_run(phase, progress=known, started=clean_up))
        assert later.title.endswith(" · 3 of 88 · 4 s")
        assert plain(task(later, step).output) == "3 of 88 resources"
    failed = run_notice(a_run("failed", progress=unknown, started=NOW))
    assert task(failed, "cleaning").title == "Couldn't clean up"
    assert task(failed, "cleaning").output == ()


def test_the_template_is_called_what_people_call_it() -> None:
    (fact,) = [fact for fact in run_notice(a_run("planning")).facts if fact.label == "Template"]
    assert plain(fact.value) == "Job"


def test_what_a_step_waits_for_is_said_while_it_waits_and_no_longer() -> None:
    trying = {"reason": "GitHub answered 503", "phase": "starter", "since": NOON}
    trying |= {"at": NOON + timedelta(seconds=60), "again": NOON + timedelta(seconds=70)}
    said = words(run_notice(a_run("starter", trying=trying)))
    assert said == "GitHub answered 503; trying again, for 1 min 0 s"
    trying["again"] = NOON + timedelta(minutes=6)
    said = words(run_notice(a_run("starter", trying=trying)))
    assert said.endswith("for 1 min 0 s, next at 2026-11-23 12:06 UTC")
    for later in ("verifying", "ready", "failed"):
        assert "trying again" not in words(run_notice(a_run(later, trying=trying)))


@pytest.mark.parametrize("phase", AT_GITHUB)
def test_what_keeps_a_workflow_run_from_being_begun_is_said_too(phase: Phase) -> None:
    trying = {"reason": "GitHub answered 503", "phase": phase, "since": NOON}
    trying |= {"at": NOON + timedelta(seconds=60), "again": NOON + timedelta(seconds=70)}
    said = words(run_notice(a_run(phase, trying=trying)))
    assert "GitHub answered 503; trying again, for 1 min 0 s" in said


def test_who_is_not_asked_is_not_called_and_reads_which_confirmation_covers_the_plan() -> None:
    asked = plan_notice(a_run("planning", plan=a_plan()), ("S-platform",))
    assert "S-platform: please confirm or discard it." in words(asked)
    covered = a_run("confirmed", plan=a_plan(), covered_by="4d3b" * 16, finished=CONFIRMED)
    assert "It is covered by the confirmation of plan 4d3b4d3b4d3b." in words(plan_notice(covered))
    said = plain(task(run_notice(covered), "waiting").output)
    assert said == "This plan is covered by the confirmation of plan 4d3b4d3b4d3b"
    facts = {"plan": a_plan(), "covered_by": a_plan().digest, "finished": CONFIRMED}
    same = a_run("applying", **facts)
    assert "covered" not in plain(task(run_notice(same), "waiting").output)


def test_the_plan_that_was_confirmed_is_not_said_to_be_covered_by_itself() -> None:
    decisions = [decided("Confirmed", "waiting")]
    facts = {"plan": a_plan(), "covered_by": a_plan().digest, "decisions": decisions}
    shown = task(run_notice(a_run("confirmed", **facts, finished=CONFIRMED)), "waiting")
    assert shown.title == "Confirmed"
    assert plain(shown.output).startswith("Confirmed by U-ada")
    assert "covered" not in plain(shown.output)


def test_the_cost_of_nothing_is_not_counted() -> None:
    changed = Change(address="t.a", resource_type="t", action="update")
    plan = a_plan().model_copy(update={"changes": (changed,)})
    runs = [a_run("waiting", plan=one, finished={"planning": NOON}) for one in (plan, a_plan())]
    told = [task(run_notice(run), "cost") for run in runs]
    said = ["nothing is added", "not estimated (1 of 1 resource has no price)"]
    assert [plain(one.output) for one in told] == said


def test_where_nobody_was_asked_nobody_is_said_to_have_confirmed() -> None:
    facts = {"plan": a_plan(), "finished": CONFIRMED}
    asked = {**facts, "decisions": [decided("Confirmed", "waiting")]}
    later = a_run("applying", **asked).model_copy(update={"attempt": 2})
    runs = (a_run("applying", **facts), a_run("applying", **asked), later)
    titles = [task(run_notice(run), "waiting").title for run in runs]
    assert titles == ["No confirmation needed", "Confirmed", "Confirmed"]


def test_no_plan_but_one_that_finishes_what_was_confirmed_is_covered() -> None:
    assert a_run("planning", plan=a_plan(), confirmed=a_plan()).is_covered
    assert not a_run("planning", plan=a_plan("t.a", "t.b"), confirmed=a_plan("t.a")).is_covered
    assert not a_run("planning", plan=a_plan()).is_covered


def test_the_step_waits_for_what_the_title_says() -> None:
    consent = (Question(about="read sales", approvers=("U-dora",)),)
    run = a_run("waiting", plan=a_plan(), finished={"planning": NOON})
    notice = run_notice(run, questions=consent)
    assert notice.title.endswith("Waiting for consent")
    assert task(notice, "waiting").title == "Waiting for consent"
    both = run_notice(run, questions=(Question(about="", approvers=()), *consent))
    assert both.title.endswith("Waiting for confirmation")
    assert task(both, "waiting").title == "Waiting for confirmation"


def decided(what: str, phase: str, attempt: int = 1) -> dict[str, Any]:
    """Return that Ada decided something in a phase."""
    return {"by": "U-ada", "at": NOON, "what": what, "phase": phase, "attempt": attempt}


def test_who_cancelled_stands_at_the_step_that_was_cancelled_and_nothing_failed() -> None:
    for done, begun, step, title in (
        ((), (), "planning", "Cancelled before planning"),
        ((), ("planning",), "planning", "Cancelled while planning"),
        (("planning",), ("planning",), "waiting", "Cancelled before confirmation"),
        (CONFIRMED, ("planning", "waiting"), "applying", "Cancelled before applying"),
        (CONFIRMED, ("planning", "waiting", "applying"), "applying", "Cancelled while applying"),
    ):
        run = a_run(
            "cancelled",
            plan=a_plan(),
            finished=dict.fromkeys(done, NOON),
            started=dict.fromkeys(begun, NOON),
            decisions=[decided("Cancelled", "planning" if "waiting" not in done else "applying")],
        )
        notice = run_notice(run)
        assert task(notice, step).title == title
        assert "error" not in [one.status for one in notice.tasks]
        told = [one.id for one in notice.tasks if "Cancelled by" in plain(one.details + one.output)]
        assert told == [step]


def test_decisions_stand_at_their_step_and_those_of_earlier_attempts_are_history() -> None:
    decisions = [
        decided("Confirmed", "waiting"),
        decided("Cancelled", "applying"),
        decided("Retried", "queued", 2),
    ]
    run = a_run("planning", decisions=decisions).model_copy(update={"attempt": 2})
    said = {one.id: plain(one.details + one.output) for one in run_notice(run).tasks}
    assert said.pop("planning").startswith("Retried by U-ada")
    assert set(said.values()) == {""}
    again = a_run("applying", decisions=decisions, finished=CONFIRMED, covered_by="4d" * 32)
    again = again.model_copy(update={"attempt": 2})
    confirmed = plain(task(run_notice(again), "waiting").output)
    assert confirmed.startswith("Confirmed by U-ada")
    assert "Cancelled" not in confirmed


def test_the_cancel_dialog_speaks_of_what_stays_only_where_something_may_have_been_made() -> None:
    def asks(phase: str, **facts: Any) -> str:
        return next(one.confirm for one in run_notice(a_run(phase, **facts)).buttons)

    for phase in ("queued", "planning", "confirmed"):
        assert asks(phase).startswith("Nothing has been made yet: ")
        assert asks(phase, made=True).startswith("What was made so far stays")
    assert asks("applying").startswith("What was made so far stays")


def test_a_run_that_broke_off_before_a_step_had_begun_failed_in_that_step() -> None:
    for finished, step in (((), "planning"), (CONFIRMED, "applying"), (APPLIED, "starter")):
        begun = dict.fromkeys(finished, NOON)
        notice = run_notice(a_run("failed", started=begun, finished=begun, plan=a_plan()))
        assert [one.id for one in notice.tasks if one.status == "error"] == [step]
        assert task(notice, step).title.startswith("Couldn't ")


def test_one_is_one_and_two_are_several() -> None:
    for plan, said in ((a_plan("t.a"), "1 of 1 resource has"), (a_plan("t.a", "t.b"), "2 of 2 ")):
        run = a_run("applying", plan=plan, finished=CONFIRMED, progress=Progress(done=0, total=1))
        assert said in plain(task(run_notice(run), "cost").output)
        assert plain(task(run_notice(run), "applying").output) == "0 of 1 resource"
    assert going_on(unmade=False, number=0) == "Retry goes on, Clean Up frees the name"
    assert going_on(unmade=False, number=1).endswith("Clean Up removes it")
    assert going_on(unmade=False, number=2).endswith("Clean Up removes them")


def test_the_time_people_took_is_not_counted_as_ours() -> None:
    def ready(started: dict[str, datetime], **finished: datetime) -> str:
        finished["deploying"] = after(20)
        run = a_run("ready", started=started, finished=finished)
        return run_notice(run).title.partition(" · ")[2]

    def after(minutes: float) -> datetime:
        return NOON + timedelta(minutes=minutes)

    asked = {"waiting": after(1)}
    assert ready(asked, waiting=after(1)) == "Ready in 20 min 0 s"
    late = ready(asked, waiting=after(19.5))
    assert late == "Ready in 1 min 30 s (and 18 min 30 s waiting for confirmation)"
    assert ready({"queued": after(19), "waiting": after(19.5)}) == "Ready in 1 min 0 s"


def test_who_confirms_reads_who_gets_which_rights() -> None:
    asked = (
        DataAccess(securable="prod.sales", level="read"),
        DataAccess(securable="*x*", level="write"),
    )
    reviewers = (Reviewer(kind="team", name="ml"), Reviewer(kind="user", name="<!channel>"))
    spec = a_spec("ada-7", "U-ada", "U-grace")
    spec = spec.model_copy(update={"data_access": asked, "reviewers": reviewers})
    notice = run_notice(a_run("waiting").model_copy(update={"spec": spec}))
    facts = {fact.label: plain(fact.value) for fact in notice.facts}
    assert facts["Owners"] == "U-ada, U-grace"
    assert facts["Managed group"] == "data-science"
    assert facts["GitHub team"] == "data-science"
    assert facts["Reviewers of production"] == "team ml, user <!channel>"
    assert facts["Data access asked for"] == "read prod.sales, write *x*"


def test_a_very_long_request_is_listed_in_part_and_says_how_much_is_missing() -> None:
    owners = tuple(f"U0OWNER{number:04}" for number in range(40))
    asked = tuple(DataAccess(securable=f"gbx1_prod.{'s' * 60}{n}", level="read") for n in range(60))
    spec = a_spec("ada-7", *owners).model_copy(update={"data_access": asked})
    notice = run_notice(a_run("waiting", plan=a_plan()).model_copy(update={"spec": spec}))
    facts = {fact.label: plain(fact.value) for fact in notice.facts}
    assert facts["Owners"].endswith("U0OWNER0011 and 28 more")
    assert facts["Data access asked for"].endswith(" and 48 more")
    in_full = unlisted(spec)
    assert all(one in in_full for one in (*owners, *(access.securable for access in asked)))
    assert "more" not in in_full
    assert unlisted(a_spec()) == ""
    made = blocks(notice)
    assert message_problems(made) == []
    assert not too_long(made)


def test_no_step_is_under_way_while_a_run_waits_for_its_turn() -> None:
    for phase, finished in (("queued", {}), ("confirmed", CONFIRMED)):
        notice = run_notice(a_run(phase, plan=a_plan(), finished=finished))
        assert {one.status for one in notice.tasks} <= {"pending", "complete"}


def test_another_attempt_shows_nothing_of_the_plan_before() -> None:
    for phase in ("queued", "planning", "failed"):
        notice = run_notice(
            a_run(phase, plan=a_plan(), confirmed=a_plan(), started={"queued": NOON})
        )
        assert task(notice, "cost").status == "pending"
        assert task(notice, "cost").output == ()
        assert "plan" not in plain(notice.footer)
        assert "Resources to be changed" not in [fact.label for fact in notice.facts]
    made = run_notice(a_run("waiting", plan=a_plan(), finished={"planning": NOON}))
    assert task(made, "cost").status == "complete"
    assert f"plan {a_plan().digest[:12]}" in plain(made.footer)
    assert "Resources to be changed" in [fact.label for fact in made.facts]
