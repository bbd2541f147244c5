"""A look for drift: it changes nothing, tells every ending, and gives way to runs."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from rows import a_message, a_project, an_operation

from bot.installation import policy_of
from bot.settings import load
from provisioning.clock import MovableClock
from provisioning.drift import Drift
from provisioning.engine import Steps
from provisioning.errors import UserError
from provisioning.runs import Counts, Diagnostic, Outcome, Plan
from provisioning.store import Message, Store
from provisioning.text import Notice, plain

POLICY = policy_of(load(Path(__file__).parents[2] / "sciclops.example.toml", {}))
SUCCEEDED = Outcome(ending="succeeded")
FAILED = Outcome(
    ending="failed",
    diagnostics=(Diagnostic(severity="error", summary="No answer", address="t.a", detail="503"),),
)


class AtOnce:
    """Does the steps of a workflow one after the other."""

    def do(self, name: str, step: Callable[..., Any], *arguments: Any) -> Any:
        """Do a step."""
        del name
        return step(*arguments)


class Planner:
    """A Terraform that plans what the test wants."""

    def __init__(self) -> None:
        self.ends: Outcome | Exception = SUCCEEDED
        self.drifted: tuple[str, ...] = ()
        self.kills = 0
        """How often it is killed before it plans."""
        self.roots: list[Mapping[str, str]] = []
        self.kept: set[str] = set()

    def prepare(self, project: str, files: Mapping[str, str]) -> None:
        """Take a root."""
        del project
        self.roots.append(files)

    def plan(self, project: str, run: str, watch: object) -> tuple[Outcome, Plan | None]:
        """Return the plan that is wanted."""
        del project, watch
        if run in self.kept or self.kills:
            self.kills = max(self.kills - 1, 0)
            self.kept.add(run)
            return Outcome(ending="killed"), None
        self.kept.add(run)
        if isinstance(self.ends, Exception):
            raise self.ends
        if self.ends.ending != "succeeded":
            return self.ends, None
        plan = Plan(
            digest="d",
            inputs="i",
            counts=Counts(),
            changes=(),
            seconds=1,
            terraform="1",
            drifted=self.drifted,
        )
        return self.ends, plan

    def forget_run(self, project: str, run: str) -> None:
        """Forget a plan."""
        del project
        self.kept.discard(run)


class Queue:
    """Keeps what was started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, name: str, operation: str, *, project: str, part: str) -> bool:
        """Take a look in."""
        assert (name, project, part) == ("drift.look", "ada-7", "look")
        self.started.append(operation)
        return True

    def state(self, operation: str, part: str) -> str:
        """Tell that a look waits which was begun: those that are done are not asked about."""
        assert part == "look"
        return "queued" if operation in self.started else "unknown"


class Office:
    """A ready project, and who looks at it."""

    def __init__(self, store: Store, clock: MovableClock) -> None:
        self.store, self.clock = store, clock
        self.terraform, self.queue = Planner(), Queue()
        nobody = cast("Any", None)
        self.drift = Drift(
            store=store,
            engine=cast("Any", self.queue),
            terraform=cast("Any", self.terraform),
            root_files=lambda spec, marker, imports, *_: {
                "root": f"{spec.name} {marker} {imports}"
            },
            people=nobody,
            policy=POLICY,
            clock=clock,
            redact=lambda text: text,
        )
        store.projects.reserve_and_begin(a_project(), an_operation(), [a_message()])
        store.projects.become("ada-7", "ready")
        store.operations.end("op-1", "ready")

    def ask(self, who: str = "U-ada") -> None:
        """Let somebody ask."""
        self.drift.ask("ada-7", by=who, key=f"key-{len(self.queue.started)}")

    def look(self) -> None:
        """Do the look that was begun last."""
        steps = cast("Steps", AtOnce())
        self.drift.workflows()["drift.look"](steps, self.queue.started[-1])

    def said(self) -> list[str]:
        """Return what is shown, without what was there before."""
        rows = [Message.of(row) for row in self.store.messages.owed()]
        notices = [one.content for one in rows if one.key.startswith("drift:")]
        return [
            " ".join([one.summary, *(plain(line) for line in one.body)])
            for one in notices
            if isinstance(one, Notice)
        ]


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    """Return an office with one project."""
    return Office(store, clock)


def test_a_look_whose_terraform_is_killed_looks_again(office: Office) -> None:
    office.terraform.drifted, office.terraform.kills = ("t.a",), 2
    office.ask()
    office.look()
    assert any("1 resource has drifted" in said for said in office.said())
    assert not any("Could not look" in said for said in office.said())


def test_a_look_whose_terraform_is_killed_each_time_says_so(office: Office) -> None:
    office.terraform.kills = 100
    office.ask()
    office.look()
    assert any("Terraform ended as killed while planning" in said for said in office.said())
    assert office.terraform.kept == set()


def test_a_look_plans_what_was_asked_for_and_keeps_nothing_of_it(office: Office) -> None:
    office.terraform.drifted = ("t.a",)
    office.ask()
    office.look()
    assert office.terraform.roots == [{"root": "ada-7 sciclops:op-1 {}"}]
    assert office.terraform.kept == set()
    assert office.store.memos.keys("drift:") == []
    assert len(office.said()) == 2, "one in the channel, one for who asked"
    office.look()
    assert len(office.terraform.roots) == 1, "what was done is not done again"


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (FAILED, "No answer (t.a). 503"),
        (Outcome(ending="killed"), "Terraform ended as killed while planning."),
        (RuntimeError("password is hunter2"), "Something unexpected happened, reference "),
    ],
)
def test_every_failure_is_told(office: Office, ends: Outcome | Exception, said: str) -> None:
    office.terraform.ends = ends
    office.ask()
    office.look()
    assert len(office.said()) == 2
    assert all(said in each for each in office.said())
    assert "hunter2" not in str(office.said())
    assert office.terraform.kept == set()


def test_a_project_with_a_run_under_way_is_left_alone(office: Office) -> None:
    office.ask()
    row = an_operation("op-2", minute=5)
    office.store.operations.begin(row)
    office.look()
    assert office.terraform.roots == []
    (told,) = office.said()
    assert "has a run under way" in told


def test_a_project_that_only_keeps_its_old_keys_is_looked_at(office: Office) -> None:
    row = an_operation("op-2", minute=5)
    row.kind, row.phase = "rotate_keys", "overlapping"
    office.store.operations.begin(row)
    office.clock.advance(POLICY.drift_every + timedelta(minutes=1))
    office.drift.sweep()
    office.look()
    assert len(office.terraform.roots) == 1


def test_nobody_queues_a_second_look_before_the_first_has_its_answer(office: Office) -> None:
    office.ask()
    with pytest.raises(UserError, match="Terraform looks at ada-7 for you already"):
        office.ask()
    office.drift.ask("ada-7", by="U-ada", key="key-0")  # the same click again
    office.ask("U-eve")
    assert len(set(office.queue.started)) == 2
    office.look()
    office.ask("U-eve")
    assert len(set(office.queue.started)) == 3


def test_a_round_leaves_out_what_somebody_has_looked_at_since(office: Office) -> None:
    office.clock.advance(POLICY.drift_every + timedelta(minutes=1))
    office.drift.sweep()
    in_turn = office.queue.started[-1]
    office.ask()
    office.look()
    office.queue.started.append(in_turn)
    office.look()
    assert len(office.terraform.roots) == 1
    office.drift.sweep()
    assert office.queue.started[-1] == in_turn, "nothing more is due"


def test_the_messages_of_a_project_that_is_gone_ask_for_nothing_more(office: Office) -> None:
    office.terraform.drifted = ("t.a",)
    office.ask()
    office.look()
    office.terraform.ends = FAILED
    office.ask()
    office.look()
    assert any("please reconcile" in said for said in office.said())

    office.drift.close("ada-7")
    shown = [Message.of(row) for row in office.store.messages.owed()]
    channel = [
        one.content for one in shown if one.channel == POLICY.channel and "drift:" in one.key
    ]
    notices = [one for one in channel if isinstance(one, Notice)]
    assert [one.title for one in notices] == ["ada-7 · Drift · Over"] * 2
    assert not any(one.buttons for one in notices)
    known = office.store.drifts.get("ada-7")
    assert known is not None
    assert (known.resources, known.trouble) == ([], "")


def test_a_project_that_has_not_drifted_is_closed_without_a_word(office: Office) -> None:
    office.ask()
    office.look()
    before = office.said()
    office.drift.close("ada-7")
    assert office.said() == before
