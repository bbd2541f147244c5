"""What a run's message says, phase by phase: true, in order, and nothing that is not known."""

from datetime import timedelta
from typing import Any

from rows import NOON, a_spec

from provisioning.operation import Facts, Operation
from provisioning.run_message import run_notice
from provisioning.runs import Progress
from provisioning.text import Notice, Task, plain


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
            "ended_at": NOON + timedelta(minutes=20) if phase == "ready" else None,
        }
    )


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


NOW = {"to_clean": NOON}
