"""The organisation's repositories, teams and members, as our App sees them."""

import base64
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice

from github import Github, InputGitTreeElement
from github.GithubException import GithubException, UnknownObjectException
from github.Repository import Repository

from provisioning.adapters.github.connection import Connection, translated
from provisioning.adapters.github.verification import TEMPLATE_BRANCH, Verification
from provisioning.clock import Clock
from provisioning.errors import TemporaryError
from provisioning.ports import Choice, Finding, RepositoryFacts
from provisioning.project import ProjectSpec

MOST_CHOICES = 100
DIRECTORY_LIFETIME = timedelta(minutes=1)


class GitHubRepositories:
    """Implements the `Repositories` port; safe to use from several threads."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._organisation = connection.app.organisation
        self._teams = Directory(clock, self._list_teams)
        self._members = Directory(clock, self._list_members)
        self._verification = Verification(connection)

    # ------------------------------------------------------------------ looking

    def find(self, name: str) -> RepositoryFacts | None:
        """Return the repository, archived or not, or None."""
        with translated(f"look for the repository {name}"):
            found = self._connection.get(f"/repos/{self._organisation}/{name}")
        if found is None:
            return None
        return RepositoryFacts(
            name=found["name"],
            id=found["id"],
            url=found["html_url"],
            description=found["description"] or "",
            archived=found["archived"],
            default_branch=found["default_branch"],
        )

    def search_teams(self, query: str) -> tuple[Choice, ...]:
        """Return at most 100 teams whose name or slug contains the query."""
        return _matching(self._teams.choices(), query)

    def search_reviewers(self, query: str) -> tuple[Choice, ...]:
        """Return at most 100 teams and members: values `team:<slug>` and `user:<login>`."""
        teams = tuple(
            Choice(value=f"team:{team.value}", label=f"Team {team.label}")
            for team in self._teams.choices()
        )
        return _matching((*teams, *self._members.choices()), query)

    def team_exists(self, slug: str) -> bool:
        """Tell whether the organisation has the team."""
        with translated(f"find the team {slug}"):
            return self._connection.get(f"/orgs/{self._organisation}/teams/{slug}") is not None

    def member_exists(self, login: str) -> bool:
        """Tell whether the login is a member of the organisation."""
        path = f"/orgs/{self._organisation}/members/{login}"
        with translated(f"find the member {login}"):
            status, *_ = self._connection.reader().requester.requestJson("GET", path)
            if status >= 500:
                raise TemporaryError(f"GitHub answered {status} (could not find {login})")
            return status == 204

    def team_members(self, slug: str) -> frozenset[str]:
        """Return the logins of a team."""
        with translated(f"list the team {slug}"):
            organisation = self._connection.reader().get_organization(self._organisation)
            team = organisation.get_team_by_slug(slug)
            return frozenset(member.login for member in team.get_members())

    def _list_teams(self) -> tuple[Choice, ...]:
        with translated("list the teams"):
            organisation = self._connection.reader().get_organization(self._organisation)
            return tuple(
                Choice(value=team.slug, label=team.name) for team in organisation.get_teams()
            )

    def _list_members(self) -> tuple[Choice, ...]:
        with translated("list the members"):
            organisation = self._connection.reader().get_organization(self._organisation)
            return tuple(
                Choice(value=f"user:{member.login}", label=member.login)
                for member in organisation.get_members()
            )

    # ------------------------------------------------------------------ starter code

    def push_starter(self, name: str, files: Mapping[str, bytes], marker: str) -> str:
        """Make `main` and `sciclops/template` hold exactly `files`, in one commit; return its SHA.

        The commit's message ends with `marker`: a repeated call finds that commit and only makes
        up for what is missing, so nobody's later work is overwritten.
        """
        with translated(f"push the starter code to {name}"), self._connection.writer() as client:
            repository = client.get_repo(f"{self._organisation}/{name}")
            commit: str = self._starter_commit(repository, marker)
            if not commit:
                main = repository.get_git_ref("heads/main")
                commit = self._commit_files(repository, files, marker, parent=main.object.sha)
                main.edit(commit)
            self._point_template_branch(repository, commit)
            return commit

    def _starter_commit(self, repository: Repository, marker: str) -> str:
        for commit in islice(repository.get_commits(sha="main"), 100):
            if commit.commit.message.rstrip().endswith(marker):
                return str(commit.sha)
        return ""

    def _commit_files(
        self, repository: Repository, files: Mapping[str, bytes], marker: str, *, parent: str
    ) -> str:
        tree = repository.create_git_tree(
            [_element(repository, path, content) for path, content in sorted(files.items())]
        )
        message = f"Start from the template\n\n{marker}"
        commit = repository.create_git_commit(message, tree, [repository.get_git_commit(parent)])
        return str(commit.sha)

    def _point_template_branch(self, repository: Repository, commit: str) -> None:
        try:
            repository.create_git_ref(f"refs/heads/{TEMPLATE_BRANCH}", commit)
        except GithubException as error:
            if error.status != 422:  # 422: "Reference already exists"
                raise

    # ------------------------------------------------------------------ recovery and removal

    def leftovers(self, name: str, marker: str) -> dict[str, str]:
        """Return what exists of a project's repository, if it carries our marker."""
        found = self.find(name)
        if found is None or not found.description.endswith(marker):
            return {}
        with translated(f"look into the repository {name}"):
            return self._verification.import_ids(name)

    def delete(self, name: str, marker: str) -> bool:
        """Delete the repository if it carries our marker; tell whether none of ours is left."""
        found = self.find(name)
        if found is None or not found.description.endswith(marker):
            return True
        with translated(f"delete the repository {name}"), self._connection.writer() as client:
            _delete(client, f"{self._organisation}/{name}")
        return self.find(name) is None

    def verify(
        self, spec: ProjectSpec, files: Mapping[str, bytes], outputs: Mapping[str, object]
    ) -> tuple[Finding, ...]:
        """Ask GitHub whether the project is as it was asked for, check by check."""
        with translated(f"verify the repository {spec.name}"):
            return self._verification.findings(spec, files, outputs)


class Directory:
    """A list that people search while they type: fetched at most once a minute.

    While GitHub is silent, yesterday's list is better than none: it only fills a form, and what
    is picked is checked again at submit.
    """

    def __init__(self, clock: Clock, fetch: Callable[[], tuple[Choice, ...]]) -> None:
        self._clock = clock
        self._fetch = fetch
        self._lock = threading.Lock()
        self._fetched: datetime | None = None
        self._choices: tuple[Choice, ...] = ()

    def choices(self) -> tuple[Choice, ...]:
        """Return the list."""
        fresh = self._fetched and self._clock.now() - self._fetched < DIRECTORY_LIFETIME
        if fresh:
            return self._choices
        if not self._lock.acquire(blocking=self._fetched is None):
            return self._choices  # somebody is fetching it; the old list will do
        try:
            self._choices = self._fetch()
            self._fetched = self._clock.now()
        except TemporaryError:
            if self._fetched is None:
                raise
        finally:
            self._lock.release()
        return self._choices


def _matching(choices: tuple[Choice, ...], query: str) -> tuple[Choice, ...]:
    words = query.lower()
    found = [c for c in choices if words in c.label.lower() or words in c.value.lower()]
    return tuple(found[:MOST_CHOICES])


def _element(repository: Repository, path: str, content: bytes) -> InputGitTreeElement:
    try:
        return InputGitTreeElement(path, "100644", "blob", content=content.decode())
    except UnicodeDecodeError:
        encoded = base64.b64encode(content).decode()
        blob = repository.create_git_blob(encoded, "base64")
        return InputGitTreeElement(path, "100644", "blob", sha=blob.sha)


def _delete(client: Github, full_name: str) -> None:
    try:
        client.get_repo(full_name).delete()
    except UnknownObjectException:
        return  # somebody was faster
