"""Sightings of a workflow run give the same run in any order, however often they come."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from provisioning.workflow_run import Status, WorkflowJob, WorkflowRun, merged, with_job

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def a_run(attempt: int = 1, seconds: int = 0, **more: object) -> WorkflowRun:
    """Return a sighting of the run itself."""
    return WorkflowRun.model_validate(
        {
            "id": 7,
            "repository": "ada-7",
            "attempt": attempt,
            "created_at": START,
            "updated_at": START + timedelta(seconds=seconds),
            "actor": "ada-l",
            **more,
        }
    )


def a_job(
    name: str, status: Status, conclusion: str = "", *, attempt: int = 1, number: int = 1
) -> WorkflowJob:
    """Return a sighting of a job."""
    done = START if status == "completed" else None
    return WorkflowJob(
        id=attempt * 100 + number,
        attempt=attempt,
        name=f"bundle / {name}",
        status=status,
        conclusion=conclusion,
        completed_at=done,
    )


def a_story() -> list[WorkflowRun | WorkflowJob]:
    """Return what GitHub tells of a run that failed, was rerun, waited and succeeded."""
    story: list[WorkflowRun | WorkflowJob] = [
        a_run(status="queued"),
        a_run(seconds=1, status="in_progress"),
    ]
    steps: tuple[Status, ...] = ("queued", "in_progress")
    for number, name in enumerate(("Validate, Test and Build", "Deploy Development"), start=1):
        story += [a_job(name, status, number=number) for status in steps]
        story.append(a_job(name, "completed", "success", number=number))
    story += [a_job("Deploy Testing", status, number=3) for status in steps]
    story.append(a_job("Deploy Testing", "completed", "failure", number=3))
    story.append(a_run(seconds=9, status="completed", conclusion="failure"))
    story.append(a_run(2, 10, status="in_progress", triggering_actor="grace-h"))
    story += [a_job("Deploy Testing", status, attempt=2, number=3) for status in steps]
    story.append(a_job("Deploy Testing", "completed", "success", attempt=2, number=3))
    story.append(a_job("Deploy Production", "waiting", attempt=2, number=4))
    story.append(a_job("Deploy Production", "in_progress", attempt=2, number=4))
    story.append(a_job("Deploy Production", "completed", "success", attempt=2, number=4))
    story.append(a_run(2, 20, status="completed", conclusion="success"))
    return story


def told(story: list[WorkflowRun | WorkflowJob]) -> WorkflowRun:
    """Return what is known after hearing a story."""
    known = a_run(0, -1)
    for heard in story:
        known = merged(known, heard) if isinstance(heard, WorkflowRun) else with_job(known, heard)
    return known


@given(st.data())
def test_any_order_with_any_repetition_gives_the_same_run(data: st.DataObject) -> None:
    story = a_story()
    again = data.draw(st.lists(st.sampled_from(range(len(story))), max_size=12))
    shuffled = data.draw(st.permutations([*range(len(story)), *again]))
    assert told([story[number] for number in shuffled]) == told(story)


def test_the_end_of_the_story_is_the_truth() -> None:
    known = told(a_story())
    assert (known.attempt, known.status, known.conclusion) == (2, "completed", "success")
    assert [job.title for job in known.jobs if job.succeeded] == [
        "Validate, Test and Build",
        "Deploy Development",
        "Deploy Testing",
        "Deploy Production",
    ]
    assert not known.failures()


def test_a_new_attempt_forgets_what_failed_and_keeps_what_had_succeeded() -> None:
    story = a_story()[:12]
    known = merged(told(story), a_run(2, 10, status="in_progress"))
    assert [job.title for job in known.jobs] == ["Validate, Test and Build", "Deploy Development"]


def test_that_a_run_is_over_is_not_taken_back_by_a_late_sighting() -> None:
    over = a_run(seconds=5, status="completed", conclusion="success")
    late = a_run(seconds=6, status="in_progress")
    assert merged(merged(None, over), late).is_over


def test_a_look_wins_over_what_was_told_in_the_same_second() -> None:
    waits = a_run(seconds=5, status="waiting", event="push")
    goes_on = a_run(seconds=5, status="in_progress", event="push")
    assert merged(waits, goes_on, complete=True).status == "in_progress"
    assert merged(waits, goes_on).status == "waiting"
    assert merged(goes_on, waits).status == "waiting"


def test_a_full_listing_drops_jobs_that_are_no_more() -> None:
    known = with_job(a_run(), a_job("Deploy Development", "queued"))
    listing = a_run(seconds=1).model_copy(update={"jobs": (a_job("Version", "queued", number=2),)})
    assert [job.title for job in merged(known, listing, complete=True).jobs] == ["Version"]


def test_names_tell_what_a_job_does_and_where() -> None:
    assert a_job("Deploy gbx2-Production", "waiting").deed == ("deploy", "gbx2-Production")
    assert a_job("Plan Production", "queued").deed == ("plan", "Production")
    assert a_job("Run train_model in Development", "queued").deed == ("run", "Development")
    assert a_job("Validate, Test and Build", "queued").deed is None


def test_who_began_a_run_or_its_attempt_never_releases_it() -> None:
    run = a_run(actor="Ada-L", triggering_actor="grace-h")
    assert run.initiators == {"ada-l", "grace-h"}
