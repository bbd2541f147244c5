"""What the work needs from the world outside, in our own words.

Each port has one adapter in `provisioning.adapters`. Adapters raise only the errors of
`provisioning.errors` and are safe to call from several threads.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from provisioning.identity import Account, DeviceCode, LinkAnswer, Tokens
from provisioning.project import Environment, ProjectSpec
from provisioning.questions import Answer, Choice, Question
from provisioning.runs import Change, Outcome, Plan, Progress
from provisioning.text import Frozen
from provisioning.versions import TemplateVersion


class RepositoryFacts(Frozen):
    """A GitHub repository that exists."""

    name: str
    id: int
    url: str
    description: str
    archived: bool
    default_branch: str


class Finding(Frozen):
    """The result of one verification check; `remedy` says what to do when it failed.

    One that could not be `asked` has not passed: nothing is known.
    """

    check: str
    passed: bool
    asked: bool = True
    detail: str = ""
    remedy: str = ""


ROUNDING = timedelta(hours=1)
"""How much longer than asked for a secret may live: Databricks takes both times by itself."""


class Principal(Frozen):
    """The service principal of an environment; `number` is its id, `client_id` what it logs in as.

    It lives in the account of the environment's workspace group.
    """

    environment: Environment
    number: str
    client_id: str


class SecretFacts(Frozen):
    """What may be known of a principal's OAuth secret; without `expires_at` it lives for ever."""

    id: str
    made_at: datetime
    expires_at: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Tell whether somebody who has the value can log in."""
        return self.expires_at is None or self.expires_at > now

    def is_stale(self, now: datetime, longest: timedelta) -> bool:
        """Tell whether it is older than agreed, or was made to live longer."""
        lives = self.expires_at - self.made_at if self.expires_at else None
        return self.made_at <= now - longest or lives is None or lives > longest + ROUNDING


class MintedSecret(Frozen):
    """A new OAuth secret. The value stays within the step that minted it; only the id is kept."""

    id: str
    value: SecretStr


class Repositories(Protocol):
    """The GitHub organisation, as the bot's App sees it."""

    def find(self, name: str) -> RepositoryFacts | None:
        """Return the repository, archived or not, or None."""

    def search_teams(self, query: str) -> tuple[Choice, ...]:
        """Return at most 100 teams whose name or slug contains the query."""

    def search_reviewers(self, query: str) -> tuple[Choice, ...]:
        """Return at most 100 teams and members: values `team:<slug>` and `user:<login>`."""

    def team_exists(self, slug: str) -> bool:
        """Tell whether the organisation has the team."""

    def member_exists(self, login: str) -> bool:
        """Tell whether the login is a member of the organisation."""

    def team_members(self, slug: str) -> frozenset[str]:
        """Return the logins of a team."""

    def leftovers(self, name: str, marker: str) -> Mapping[str, str]:
        """Return what exists of a project's repository, if it carries our marker.

        Keys are resource addresses within the root, values are Terraform import ids.
        """

    def push_starter(self, name: str, files: Mapping[str, bytes], marker: str) -> str:
        """Make `main` and `sciclops/template` hold exactly `files`, in one commit; return its SHA.

        The commit message ends with `marker`, by which a repeated call finds that it is done.
        """

    def follow(
        self, name: str, before: Mapping[str, bytes], after: Mapping[str, bytes], message: str
    ) -> str:
        """Make `sciclops/template` hold what comes after, in one commit; return where it is then.

        Only a branch that holds what came before is moved, of another nothing is returned; `main`
        is left to people.
        """

    def secrets(self, name: str, environment: str) -> Mapping[str, datetime]:
        """Return when each secret of an environment was last written, by its name."""

    def put_secrets(self, name: str, environment: str, values: Mapping[str, SecretStr]) -> None:
        """Write secrets of an environment, in place of what they were."""

    def unarchive(self, name: str) -> None:
        """Let an archived repository be changed again."""

    def delete(self, name: str, marker: str) -> bool:
        """Delete the repository if its description ends with our marker; tell if it is gone."""

    def verify(
        self,
        spec: ProjectSpec,
        files: Mapping[str, bytes],
        outputs: Mapping[str, object],
        pushed: str = "",
    ) -> tuple[Finding, ...]:
        """Ask GitHub whether the project is as it was asked for, check by check.

        A new one holds exactly `files`. With `pushed`, our last commit on `sciclops/template`,
        people have worked in it since: then `main` has to descend from that, and what it deploys
        with is compared with that in `files`, if there is any.
        """


class Identities(Protocol):
    """People's own GitHub accounts: they let our App act as them, through the device flow."""

    def begin(self) -> DeviceCode:
        """Ask GitHub for a code that one person may enter."""

    def poll(self, secret: SecretStr) -> LinkAnswer:
        """Fetch the answer to a code; a granted one is given out once."""

    def whoami(self, access: SecretStr) -> Account | None:
        """Return whose token it is; None if GitHub refuses it."""

    def refresh(self, refresh: SecretStr) -> Tokens | None:
        """Exchange a refresh token, which works once; None if GitHub refuses it for good."""

    def revoke(self, tokens: Sequence[SecretStr]) -> None:
        """Make tokens worthless, at most 1,000 at once; those that are so already don't matter."""

    def settings_page(self) -> str:
        """Return the address where people withdraw what they have let our App do."""


class Workspaces(Protocol):
    """The Databricks accounts and their workspaces, as the bot's service principal sees them."""

    def search_groups(self, query: str, workspace_group: str = "") -> tuple[Choice, ...]:
        """Return at most 100 account groups whose name contains the query."""

    def group_exists(self, display_name: str, workspace_group: str) -> bool:
        """Tell whether the account of a workspace group has the account group."""

    def leftovers(self, spec: ProjectSpec, marker: str) -> Mapping[str, str]:
        """Return what exists under the project's names and markers; twins are removed.

        Keys are resource addresses within the root, values are Terraform import ids.
        """

    def taken(self, spec: ProjectSpec) -> tuple[str, ...]:
        """Return what already exists under names that the project would use, for people to read."""

    def secrets(self, principal: Principal) -> tuple[SecretFacts, ...]:
        """Return the OAuth secrets of a service principal, oldest first; Databricks allows five."""

    def mint_secret(self, principal: Principal, lifetime: timedelta) -> MintedSecret:
        """Mint an OAuth secret that logs in to the environment's workspace: that was tried.

        One that does not log in is retired again, and a `TemporaryError` is raised.
        """

    def retire_secret(self, principal: Principal, secret: str) -> None:
        """Delete an OAuth secret by its id: it logs in no more. One that is gone is fine."""

    def own_secrets(self) -> tuple[SecretFacts, ...]:
        """Return the OAuth secrets of the bot's own service principal, oldest first."""

    def federation(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Ask Databricks whether exactly GitHub's tokens of each environment log in there."""

    def verify(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Ask Databricks whether the project is as it was asked for, check by check."""


class Watch(Protocol):
    """What a Terraform command reports to, while it runs."""

    def progress(self, progress: Progress) -> None:
        """Hear where the command stands; called at most about once a second, and at the end."""

    def cancelled(self) -> bool:
        """Tell whether somebody wants it to stop; asked about once a second."""


class Terraform(Protocol):
    """Terraform, always plan → confirm → apply that saved plan.

    `run` names one plan and its apply for good: a call that finds its command already running
    adopts it, and one that finds it finished returns what happened. Commands survive the caller.
    """

    def prepare(self, project: str, files: Mapping[str, str]) -> None:
        """Make these the root's generated files: `main.tf.json`, `terraform.tfvars.json`."""

    def plan(
        self,
        project: str,
        run: str,
        watch: Watch,
        *,
        destroy: bool = False,
        only: Sequence[str] = (),
    ) -> tuple[Outcome, Plan | None]:
        """Plan the project's root; the plan is None unless the outcome is "succeeded".

        With `only` it is about these addresses and what they depend on.
        """

    def adopt(self, project: str, run: str, watch: Watch) -> Outcome:
        """Bring what the root's `import` blocks name into the state, and change nothing else."""

    def adopted(self, project: str) -> frozenset[str]:
        """Return the addresses that any run of the project has begun to adopt."""

    def apply(self, project: str, run: str, watch: Watch) -> Outcome:
        """Apply the saved plan of this run; afterwards the plan file is gone."""

    def discard(self, project: str, run: str) -> None:
        """Delete the saved plan of this run: it holds values, and must never be applied."""

    def forget_run(self, project: str, run: str) -> None:
        """Delete everything of a run that only looked, its plan above all."""

    def describe(self, project: str, run: str) -> str:
        """Return the whole plan for people to read, secrets redacted."""

    def log(self, project: str, run: str) -> str:
        """Return the run's log for people to read, secrets redacted."""

    def outputs(self, project: str) -> dict[str, object]:
        """Return the root's outputs that are not sensitive."""

    def addresses(self, project: str) -> frozenset[str]:
        """Return the addresses of the resources in the state."""

    def started(self, project: str) -> frozenset[str]:
        """Return the addresses whose creation any run of the project has begun, finished or not."""

    def forget(self, project: str) -> None:
        """Delete the project's root, state and runs; nothing may be left in the state."""


class Templates(Protocol):
    """The bundle templates."""

    def names(self) -> tuple[str, ...]:
        """Return the templates on offer."""

    def questions(
        self, template: str, answers: Mapping[str, Answer] | None = None
    ) -> tuple[Question, ...]:
        """Return what the form asks, given the answers so far; what we answer is left out."""

    def check(self, template: str, answers: Mapping[str, Answer]) -> None:
        """Raise `UserError`, whose `field` is the question, unless the answers will do."""

    def render(self, template: str, answers: Mapping[str, object]) -> dict[str, bytes]:
        """Return the repository's files: relative path to content; the same for the same input."""

    def version(self, template: str) -> TemplateVersion:
        """Return which version of a template is on offer."""


class People(Protocol):
    """The people of the chat workspace, always asked live where a right depends on it."""

    def active(self, people: tuple[str, ...], at_most: int) -> tuple[str, ...]:
        """Return so many of the active people behind ids of users and user groups, always the same.

        Who is named comes before the members of groups.
        """

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        """Tell whether an active person is one of these users or in one of these user groups."""

    def is_active(self, user: str) -> bool:
        """Tell whether this is a full, active human member."""

    def name(self, user: str) -> str:
        """Return what somebody is called, member or not; their id where nobody knows."""


class Redactor(Protocol):
    """Takes secrets out of free text before anybody sees it."""

    def __call__(self, text: str) -> str:
        """Return the text with every known or likely secret replaced by `[redacted]`."""


__all__ = [
    "Change",
    "Choice",
    "Finding",
    "Identities",
    "MintedSecret",
    "People",
    "Principal",
    "Question",
    "Redactor",
    "Repositories",
    "RepositoryFacts",
    "SecretFacts",
    "Templates",
    "Terraform",
    "Watch",
    "Workspaces",
]
