"""Performs runs of jobs and updates of pipelines: each task's entry point on its fixture."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

from playground.databricks.access_tokens import issue_access
from playground.databricks.deployed import Pipeline, Run, TaskRun, Update
from playground.databricks.state import Workspace, World
from playground.databricks.task_files import CannotRunError
from playground.databricks.tasks import Order, Outcome, job_task, perform, pipeline_task
from provisioning.clock import Clock

REFERENCE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")

UNABLE = (CannotRunError, KeyError, TypeError, AttributeError, ValueError, OSError)
"""Settings are stored as they were sent, so a task may lack what it needs to run."""


class Performances:
    """What runs now, in the server's loop; `changed` is called whenever something got further."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        hosts: dict[tuple[str, str], str],
        changed: Callable[[], None],
    ) -> None:
        self._world, self._clock, self._hosts, self._changed = world, clock, hosts, changed
        self._going: dict[int | str, asyncio.Task[None]] = {}
        world.begin_run, world.cancel_run = self.begin_run, self.cancel_run
        world.begin_update = self.begin_update

    def begin_run(self, workspace: Workspace, run: Run) -> None:
        """Start performing a run."""
        self._keep(run.run_id, self._run(workspace, run))

    def begin_update(self, workspace: Workspace, pipeline: Pipeline, update: Update) -> None:
        """Start performing an update of a pipeline."""
        self._keep(update.update_id, self._update(workspace, pipeline, update))

    def cancel_run(self, workspace: Workspace, run: Run) -> None:
        """End a run as cancelled, whether it has begun or not."""
        going = self._going.pop(run.run_id, None)
        if going:
            going.cancel()
        parts: list[Run | TaskRun] = [run, *run.tasks]
        for part in parts:
            if part.life_cycle != "TERMINATED":
                part.life_cycle, part.result = "TERMINATED", "CANCELED"
                part.message, part.ended = "Run cancelled.", self._clock.now()
        self._next(workspace, run.job_id)

    async def stop(self) -> None:
        """End everything that runs."""
        going = list(self._going.values())
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    def _keep(self, key: int | str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._going[key] = task
        task.add_done_callback(lambda _: self._going.pop(key, None))

    async def _run(self, workspace: Workspace, run: Run) -> None:
        run.life_cycle = "RUNNING"
        for task in run.tasks:
            await self._task(workspace, run, task)
            self._changed()
        failed = [each for each in run.tasks if each.result == "FAILED"]
        run.life_cycle, run.ended = "TERMINATED", self._clock.now()
        run.result = "FAILED" if failed else "SUCCESS"
        if failed:
            run.message = f"Task {failed[0].key} failed with message: {failed[0].message}."
        self._next(workspace, run.job_id)
        self._changed()

    def _next(self, workspace: Workspace, job_id: int) -> None:
        """Begin the oldest run that waits for another one's end."""
        for run in workspace.runs.values():
            if run.job_id == job_id and run.life_cycle == "QUEUED":
                self.begin_run(workspace, run)
                return

    async def _task(self, workspace: Workspace, run: Run, task: TaskRun) -> None:
        before = [each.result for each in run.tasks if each.key in task.upstream]
        if any(each != "SUCCESS" for each in before) and task.settings.get("run_if") != "ALL_DONE":
            task.life_cycle, task.result = "TERMINATED", "UPSTREAM_FAILED"
            task.message = "An upstream task failed."
            return
        task.life_cycle, task.started = "RUNNING", self._clock.now()
        self._changed()
        outcome = await self._outcome(workspace, run, task)
        task.output, task.message = outcome.output, outcome.message
        task.result = "SUCCESS" if outcome.succeeded else "FAILED"
        task.life_cycle, task.ended = "TERMINATED", self._clock.now()

    async def _outcome(self, workspace: Workspace, run: Run, task: TaskRun) -> Outcome:
        if "pipeline_task" in task.settings:
            return await self._of_pipeline(workspace, run, task)
        try:
            order = job_task(workspace, run.settings, resolved(task.settings, values(run, task)))
            return await perform(order, self._login(workspace, run.runs_as))
        except UNABLE as error:
            return _unable(error)

    async def _of_pipeline(self, workspace: Workspace, run: Run, task: TaskRun) -> Outcome:
        wanted = str(task.settings["pipeline_task"].get("pipeline_id"))
        pipeline = workspace.pipelines.get(wanted)
        if pipeline is None:
            message = f"The pipeline {wanted} does not exist"
            return Outcome(message, message, succeeded=False)
        update = Update(f"{task.run_id}", self._clock.now(), "JOB_TASK", run.runs_as)
        pipeline.updates[update.update_id] = update
        await self._update(workspace, pipeline, update)
        return Outcome(update.output, update.message, succeeded=update.state == "COMPLETED")

    async def _update(self, workspace: Workspace, pipeline: Pipeline, update: Update) -> None:
        update.state = "RUNNING"
        self._changed()
        try:
            order: Order = pipeline_task(workspace, pipeline.spec)
            outcome = await perform(order, self._login(workspace, update.runs_as))
        except UNABLE as error:
            outcome = _unable(error)
        except asyncio.CancelledError:
            update.state, update.message = "CANCELED", "Update cancelled."
            raise
        update.output, update.message = outcome.output, outcome.message
        update.state = "COMPLETED" if outcome.succeeded else "FAILED"
        self._changed()

    def _login(self, workspace: Workspace, runs_as: str) -> dict[str, str]:
        """Return the environment in which a task logs in as whom it runs as."""
        principal = self._world.named(runs_as)
        if principal is None:
            raise CannotRunError(f"{runs_as}, as whom this runs, does not exist any more")
        token = issue_access(self._world, principal, workspace, self._clock.now())
        return {
            "DATABRICKS_HOST": self._hosts[(workspace.group, workspace.stage)],
            "DATABRICKS_AUTH_TYPE": "pat",
            "DATABRICKS_TOKEN": token.value,
        }


def _unable(error: Exception) -> Outcome:
    message = str(error) if isinstance(error, CannotRunError) else f"bad settings: {error!r}"
    return Outcome(message, message, succeeded=False)


def values(run: Run, task: TaskRun) -> dict[str, str]:
    """Return what the references in a task's parameters stand for."""
    parameters = {f"job.parameters.{name}": value for name, value in run.parameters.items()}
    return parameters | {
        "job.id": str(run.job_id),
        "job.name": str(run.settings["name"]),
        "job.run_id": str(run.run_id),
        "job.start_time.iso_date": run.created.date().isoformat(),
        "job.start_time.iso_datetime": run.created.isoformat(),
        "job.trigger.type": "one_time",
        "task.name": task.key,
        "task.run_id": str(task.run_id),
        "workspace.id": "",
    }


def resolved(value: Any, known: dict[str, str]) -> Any:
    """Return a value with the references in its texts replaced; unknown ones stay."""
    if isinstance(value, dict):
        return {key: resolved(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, known) for each in value]
    if isinstance(value, str):
        return REFERENCE.sub(lambda found: known.get(found[1], found[0]), value)
    return value
