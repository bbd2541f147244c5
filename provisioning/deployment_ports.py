"""What following and releasing deployments needs from GitHub, in our own words."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from provisioning.errors import UserError
from provisioning.release import Comparison, ReleasePlan
from provisioning.text import Frozen
from provisioning.workflow_run import WorkflowJob, WorkflowRun


class PendingEnvironment(Frozen):
    """An environment whose deployment waits for reviewers: `team:<slug>` or `user:<login>`."""

    name: str
    reviewers: tuple[str, ...]


class Review(Frozen):
    """A decision that GitHub knows of, whoever took it and wherever."""

    environments: tuple[str, ...]
    approved: bool
    login: str
    comment: str = ""


class Look(Frozen):
    """A workflow run as GitHub shows it now, with all jobs of its present attempt."""

    run: WorkflowRun
    pending: tuple[PendingEnvironment, ...] = ()
    reviews: tuple[Review, ...] = ()


class Sighting(Frozen):
    """What a webhook tells of a run: the run, or one of its jobs; `guid` names the delivery.

    A `sparse` one tells little more than which run it is: whoever knows the run learns nothing.
    """

    guid: str
    event: str
    project: str
    run: WorkflowRun
    job: WorkflowJob | None = None
    sparse: bool = False


class Unheard(Frozen):
    """A delivery that tells nothing of our projects' deployments."""

    guid: str
    event: str


class Webhooks(Protocol):
    """What GitHub tells our App by itself."""

    def read(self, guid: str, event: str, body: bytes) -> Sighting | None:
        """Return what a delivery tells, or None if it is about nothing we follow.

        Raises `UserError` for what is no delivery at all.
        """

    def missed(
        self, known: Callable[[Sequence[str]], Collection[str]]
    ) -> Iterable[Sighting | Unheard]:
        """Return what deliveries tell that failed and whose GUIDs are not `known`, in any order.

        Whoever takes them notes each: else it is read again the next time.
        """


class Deployments(Protocol):
    """GitHub Actions of the projects' repositories, as our App sees it; it only looks."""

    def look(self, project: str, run: int) -> Look | None:
        """Return a run as it is now, or None if it is gone."""

    def recent(self, project: str) -> tuple[WorkflowRun, ...]:
        """Return the latest runs of the project's deploy workflow, newest first, without jobs."""

    def under_way(self, project: str) -> tuple[WorkflowRun, ...]:
        """Return the runs of any workflow of the project that are not over, without jobs."""

    def plan(self, project: str, run: WorkflowRun, environment: str) -> ReleasePlan | None:
        """Return the plan that this attempt has made for a gated environment, if it has."""

    def released(self, project: str, environment: str) -> str:
        """Return the commit that was deployed to an environment last, or an empty string."""

    def commits(self, project: str, base: str, head: str) -> Comparison | None:
        """Return the commits that `head` has and `base` lacks; without a base the head alone."""

    def log_end(self, project: str, job: WorkflowJob) -> str:
        """Return the last lines of a job's log, or an empty string; not redacted."""

    def reviewer_logins(self, reviewers: tuple[str, ...]) -> frozenset[str]:
        """Return the logins behind `team:<slug>` and `user:<login>`, always asked live."""


class Verdict(Frozen):
    """Yes or No, and why."""

    approved: bool
    comment: str


class Gate(Protocol):
    """GitHub's required reviewers: they hold deployments until one of them decides."""

    def decide(
        self, project: str, run: int, environment: str, verdict: Verdict, token: SecretStr
    ) -> None:
        """Tell GitHub; `token` is the deciding person's own.

        Raises `UserError` where GitHub does not take the decision from this person, and
        `TooLateError` where nothing waits any more.
        """


class RuleGate(Protocol):
    """Our App's own deployment protection rule: it holds deployments until we answer."""

    def enable(self, project: str, environment: str) -> None:
        """Let the rule hold an environment; one that it holds already stays as it is."""

    def answer(self, project: str, run: int, environment: str, verdict: Verdict) -> None:
        """Tell GitHub, as our App.

        Raises `TooLateError` where nothing waits for the rule any more.
        """


class TokenRefusedError(UserError):
    """GitHub no longer takes the person's token."""


class TooLateError(UserError):
    """Nothing waits for the decision any more: it was taken elsewhere, or the run has ended."""


class Dispatches(Protocol):
    """What begins, repeats and ends workflow runs."""

    def dispatch(
        self, project: str, ref: str, inputs: Mapping[str, str], token: SecretStr | None
    ) -> int:
        """Begin the deploy workflow, as the person whose token it is or as our App without one.

        Return the run's id. `inputs["correlation"]` is unique to the request: a run that has it
        already is returned.
        """

    def rerun(
        self,
        project: str,
        run: int,
        token: SecretStr | None,
        attempt: int | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """Run again what failed, as the person whose token it is, or as our App without one.

        `whole` runs all jobs again, so that they plan again too. A run that is under way stays as
        it is, and so does one whose present attempt is another one than `attempt`: it was begun
        again already.
        """

    def cancel(self, project: str, run: int) -> None:
        """Cancel a run, as our App; one that is over is fine."""
