"""Deployments and reruns that people ask for: begun at GitHub as themselves, so it knows whom to
refuse as their reviewer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from provisioning.clock import Clock
from provisioning.deployment_ports import Dispatches, TokenRefusedError
from provisioning.engine import Engine, Steps, Workflow
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.linking import Linking
from provisioning.living import ready, require_living
from provisioning.operation import operation_id
from provisioning.project import STAGES
from provisioning.store import Message, Store
from provisioning.text import Notice, bold, code, say
from provisioning.workflow_run import WorkflowRun

MAIN = "main"
"""The only branch that stages are deployed from: workflow and environments refuse others."""
LINK_FIRST = say(
    "GitHub has to know that it is you: type ",
    code("/sciclops link"),
    " once, then ask again. Nothing was started.",
)


@dataclass(frozen=True)
class Dispatching:
    """What was asked for is stored first; a workflow then tells GitHub, once."""

    store: Store
    engine: Engine
    dispatches: Dispatches
    linking: Linking
    clock: Clock

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable parts by the names they are registered under."""
        return {"dispatch.begin": self._begin, "dispatch.rerun": self._rerun}

    def deploy(self, project: str, stage: str, *, by: str, key: str) -> None:
        """Begin a deployment of main up to a stage."""
        ready(self.store, project)
        self.store.locks.require_open(project, by, "deploy")
        if stage not in STAGES:
            raise UserError(f"There is no stage {stage}; there are: {', '.join(STAGES)}.")
        self._require_link(by)
        asked = {"project": project, "stage": stage, "by": by}
        self._start("dispatch.begin", key, project, asked)

    def rerun(self, run: str, attempt: str, *, by: str, key: str) -> str:
        """Run again what failed of a run's attempt, or all where a new plan is needed first.

        However many people ask for it, and however late, GitHub repeats that attempt once. Return
        the project.
        """
        followed = self.store.workflow_runs.get(run) if run.isdecimal() else None
        if followed is None:
            listing = code("/sciclops runs <project>")
            raise UserError(say("There is no such workflow run. ", listing, " lists them."))
        self.store.locks.require_open(followed.project, by, "rerun")
        if attempt and attempt != str(followed.run.attempt):
            raise UserError("This run was begun again since. Look at its message.")
        if not followed.run.is_over or not followed.run.failures():
            raise UserError("Nothing of this run has failed, so there is nothing to rerun.")
        require_living(self.store, followed.project)
        self._require_link(by)
        project, present = followed.project, followed.run
        asked = {"project": project, "run": present.id, "attempt": present.attempt, "by": by}
        asked |= {"whole": present.needs_new_plan()}
        self._start("dispatch.rerun", key, project, asked)
        return project

    def _require_link(self, by: str) -> None:
        if not self.linking.login_of(by):
            raise UserError(LINK_FIRST)

    def _start(self, name: str, key: str, project: str, asked: dict[str, Any]) -> None:
        dispatch = operation_id(key)
        self.store.memos.set(f"dispatch:{dispatch}", asked)
        self.engine.start(name, dispatch, project=f"dispatch:{project}", part="dispatch")

    # ------------------------------------------------------------------ parts

    def _begin(self, steps: Steps, dispatch: str) -> None:
        try:
            run = steps.do("dispatch", self._dispatch, dispatch)
            steps.do("follow", self._follow, dispatch, run)
        except (UserError, PermanentError, TemporaryError) as error:
            steps.do("tell", self._tell, dispatch, str(error))

    def _rerun(self, steps: Steps, dispatch: str) -> None:
        try:
            steps.do("rerun", self._run_again, dispatch)
        except (UserError, PermanentError, TemporaryError) as error:
            steps.do("tell", self._tell, dispatch, str(error))

    def _dispatch(self, dispatch: str) -> int:
        asked = self._asked(dispatch)
        inputs = {"stage": asked["stage"], "action": "deploy", "correlation": dispatch}
        with self._as_person(asked["by"]) as token:
            return self.dispatches.dispatch(asked["project"], MAIN, inputs, token)

    def _follow(self, dispatch: str, run: int) -> None:
        """Follow the run at once, and remember who asked: they never release it.

        Without its event, since GitHub knows everything better, if earlier by its clock.
        """
        asked = self._asked(dispatch)
        now = self.clock.now()
        seen = WorkflowRun(
            id=run,
            repository=asked["project"],
            branch=MAIN,
            created_at=now,
            updated_at=now,
        )
        known = self.store.workflow_runs.get(run)
        if known is None:
            self.store.workflow_runs.see(asked["project"], seen)
        self.store.workflow_runs.note(run, requested_by=asked["by"])
        self.store.workflow_runs.wake(run)

    def _run_again(self, dispatch: str) -> None:
        asked = self._asked(dispatch)
        with self._as_person(asked["by"]) as token:
            run, whole = int(asked["run"]), bool(asked.get("whole"))
            self.dispatches.rerun(asked["project"], run, token, asked.get("attempt"), whole=whole)
        self.store.workflow_runs.wake(asked["run"])

    @contextmanager
    def _as_person(self, person: str) -> Iterator[SecretStr]:
        """Give a person's token for one call; one that GitHub refuses is noted as broken."""
        token = self.linking.token_of(person)
        try:
            yield token
        except TokenRefusedError:
            self.linking.refused(person, token)
            raise

    def _tell(self, dispatch: str, why: str) -> None:
        """Tell somebody directly that GitHub did not begin what they asked for."""
        asked = self._asked(dispatch)
        words = say("GitHub did not start the workflow of ", bold(asked["project"]), f": {why}")
        self.store.messages.show(
            Message(
                key=f"dispatch:{dispatch}:refused",
                recipient=asked["by"],
                content=Notice(summary="GitHub did not start the workflow", body=(words,)),
            )
        )

    def _asked(self, dispatch: str) -> dict[str, Any]:
        asked = self.store.memos.get(f"dispatch:{dispatch}")
        if asked is None:
            raise PermanentError(f"There is no dispatch {dispatch}; nothing was started.")
        return dict(asked)
