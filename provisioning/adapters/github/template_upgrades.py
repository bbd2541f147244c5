"""New versions of a template, offered by pull request so that git merges them three ways.

`sciclops/template` holds template output alone. `main` gets it through the branch of the upgrade:
that begins with a commit which has the files of `main` and, as its parents, `main` and the version
that `main` holds. So whatever people do with pull requests, squashing them too, git merges the next
version from the right base. Sources: docs.github.com/rest/branches/branches (`merges`),
docs.github.com/rest/pulls.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from github.GithubException import GithubException

from provisioning.adapters.github.connection import Connection
from provisioning.adapters.github.protection_rule import repository_path
from provisioning.adapters.github.starter import TEMPLATE_BRANCH, StarterCode
from provisioning.adapters.github.verification import blob_sha
from provisioning.errors import PermanentError
from provisioning.upgrade_ports import Merging, Proposal, PullFacts

UPGRADE_BRANCH = "sciclops/upgrade"
MAIN = "main"
KNOWN_VERSIONS = 100
"""So many commits of the template's branch are looked through for the one that `main` holds."""
BRIDGE = "Note what main holds of the template\n\nThis changes no file."
REPLACED = "SciCLOps opens another pull request for the same branch, whose state had to change."

Json = Any


class GitHubTemplateUpgrades:
    """Implements the port `TemplateUpgrades`; safe for several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ------------------------------------------------------------------ the template's branch

    def write(self, project: str, files: Mapping[str, bytes], message: str) -> str:
        """Make `sciclops/template` hold exactly `files`; return the commit that does."""
        with self._connection.doing(f"push the template to {TEMPLATE_BRANCH} of {project}"):
            head = self._head(project, TEMPLATE_BRANCH)
            if self._files(project, head) == _shas(files):
                return head
            code = StarterCode(self._connection, self._path(project))
            commit = code.commit(files, message, parent=head)
            code.move(f"heads/{TEMPLATE_BRANCH}", commit)
            return commit

    def merged(self, project: str, recorded: str) -> str:
        """Return the newest commit of the template that `main` holds, squashed or merged."""
        with self._connection.doing(f"find what main of {project} holds of the template"):
            versions = [one["sha"] for one in self._versions(project)]
            known = {recorded, self._common(project, MAIN), *self._by_pull_request(project)}
            found = next((sha for sha in versions if sha in known), "")
        if found:
            return found
        raise PermanentError(
            f"main of {project} has nothing of {TEMPLATE_BRANCH}, so git cannot tell what people "
            f"have changed. Merge {TEMPLATE_BRANCH} into main once by hand, then upgrade again. "
            "Nothing was changed on main."
        )

    def _versions(self, project: str) -> Json:
        path = f"{self._path(project)}/commits?sha={quote(TEMPLATE_BRANCH)}"
        return self._connection.get(f"{path}&per_page={KNOWN_VERSIONS}") or []

    def _common(self, project: str, commit: str) -> str:
        """Return the newest version that is among the ancestors of a commit."""
        compared = self._compare(project, TEMPLATE_BRANCH, commit)
        return str(compared["merge_base_commit"]["sha"]) if compared else ""

    def _by_pull_request(self, project: str) -> Iterator[str]:
        """Return what the last merged pull requests brought of the template, squashed or not."""
        for branch in (UPGRADE_BRANCH, TEMPLATE_BRANCH):
            closed = self._pulls(project, branch, "closed")
            merged = next((one["head"]["sha"] for one in closed if one["merged_at"]), "")
            if merged:
                yield self._common(project, merged)

    # ------------------------------------------------------------------ the upgrade's branch

    def prepare(self, project: str, base: str) -> None:
        """Make the branch of an upgrade ready, or bring it up to date where one is open."""
        with self._connection.doing(f"prepare {UPGRADE_BRANCH} of {project}"):
            if self._open(project):
                self._merge(project, MAIN, f"Merge {MAIN} into {UPGRADE_BRANCH}")
            else:
                self._point(project, self._bridge(project, base))

    def _bridge(self, project: str, base: str) -> str:
        """Write a commit that has the files of `main`, and the version it holds as an ancestor."""
        main = self._head(project, MAIN)
        tree = self._connection.get(f"{self._path(project)}/git/commits/{main}")["tree"]["sha"]
        wanted = {"message": BRIDGE, "tree": tree, "parents": [main, base]}
        return str(self._write("POST", project, "git/commits", wanted)["sha"])

    def _point(self, project: str, commit: str) -> None:
        """Let the branch begin anew: nobody proposes what it may hold from before."""
        ref = f"heads/{UPGRADE_BRANCH}"
        if self._connection.get(f"{self._path(project)}/git/ref/{ref}"):
            self._write("PATCH", project, f"git/refs/{ref}", {"sha": commit, "force": True})
        else:
            self._write("POST", project, "git/refs", {"ref": f"refs/{ref}", "sha": commit})

    def bring_in(self, project: str, commit: str, message: str) -> Merging:
        """Merge a version into the branch of an upgrade, as git does."""
        with self._connection.doing(f"merge the template into {UPGRADE_BRANCH} of {project}"):
            return self._merge(project, commit, message)

    def _merge(self, project: str, head: str, message: str) -> Merging:
        wanted = {"base": UPGRADE_BRANCH, "head": head, "commit_message": message}
        try:
            made = self._write("POST", project, "merges", wanted)
        except GithubException as error:
            if error.status != 409:
                raise
            return "conflict"
        return "merged" if made else "there already"

    def contested(self, project: str, base: str, commit: str) -> tuple[str, ...]:
        """Return the files that both `main` and the template have changed since `base`."""
        with self._connection.doing(f"compare main and {TEMPLATE_BRANCH} of {project}"):
            main = self._head(project, MAIN)
            before, ours, theirs = (self._files(project, one) for one in (base, main, commit))
        paths = before.keys() | ours.keys() | theirs.keys()
        return tuple(
            path
            for path in sorted(paths)
            if len({before.get(path), ours.get(path), theirs.get(path)}) > 1
            and before.get(path) not in (ours.get(path), theirs.get(path))
            and ours.get(path) != theirs.get(path)
        )

    # ------------------------------------------------------------------ the pull request

    def propose(self, project: str, title: str, body: str, *, is_draft: bool | None) -> Proposal:
        """Have one open pull request say this, as a draft or not; None leaves that as it is."""
        with self._connection.doing(f"open a pull request in {project}"):
            pull = self._open(project)
            if pull and is_draft not in (None, pull["draft"]):
                self._close(project, pull)
                pull = None
            if pull is None:
                pull = self._create(project, title, body, is_draft=bool(is_draft))
            elif (pull["title"], pull["body"]) != (title, body):
                changed = {"title": title, "body": body}
                pull = self._write("PATCH", project, f"pulls/{pull['number']}", changed)
            return Proposal(number=pull["number"], url=pull["html_url"], is_draft=pull["draft"])

    def _close(self, project: str, pull: Json) -> None:
        """Close what the API cannot turn into a draft, or into none; its branch stays."""
        closed = {"state": "closed", "body": f"{pull['body'] or ''}\n\n{REPLACED}"}
        self._write("PATCH", project, f"pulls/{pull['number']}", closed)

    def _create(self, project: str, title: str, body: str, *, is_draft: bool) -> Json:
        """Open a pull request; where a plan has no drafts, one that is none."""
        wanted = {"title": title, "body": body, "head": UPGRADE_BRANCH, "base": MAIN}
        try:
            return self._write("POST", project, "pulls", {**wanted, "draft": is_draft})
        except GithubException as error:
            if not is_draft or error.status != 422 or "raft" not in str(error.data):
                raise
        return self._write("POST", project, "pulls", wanted)

    def look(self, project: str, number: int) -> PullFacts | None:
        """Return how a pull request stands; asked again, an unchanged one costs nothing."""
        with self._connection.doing(f"look at pull request {number} of {project}"):
            pull = self._connection.get_again(f"{self._path(project)}/pulls/{number}")
        if pull is None:
            return None
        state = "merged" if pull["merged_at"] else pull["state"]
        return PullFacts(state=state, head=pull["head"]["sha"])

    def holds(self, project: str, head: str, commit: str) -> bool:
        """Tell whether a commit has another one among its ancestors, or is it."""
        with self._connection.doing(f"compare commits of {project}"):
            compared = self._compare(project, commit, head)
        return bool(compared) and compared["status"] in ("ahead", "identical")

    # ------------------------------------------------------------------ asking

    def _open(self, project: str) -> Json:
        return next(iter(self._pulls(project, UPGRADE_BRANCH, "open")), None)

    def _pulls(self, project: str, branch: str, state: str) -> Json:
        head = quote(f"{self._connection.app.organisation}:{branch}")
        asked = f"head={head}&base={MAIN}&state={state}&sort=created&direction=desc&per_page=30"
        return self._connection.get(f"{self._path(project)}/pulls?{asked}") or []

    def _compare(self, project: str, base: str, head: str) -> Json:
        return self._connection.get(f"{self._path(project)}/compare/{base}...{head}?per_page=1")

    def _head(self, project: str, branch: str) -> str:
        found = self._connection.get(f"{self._path(project)}/git/ref/heads/{branch}")
        if found is None:
            raise PermanentError(
                f"{project} has no branch {branch}. Restore it at GitHub (Branches > All), then "
                "upgrade again. Nothing was changed."
            )
        return str(found["object"]["sha"])

    def _files(self, project: str, commit: str) -> dict[str, str]:
        tree = self._connection.get(f"{self._path(project)}/git/trees/{commit}?recursive=1")
        if tree is None or tree["truncated"]:
            raise PermanentError(
                f"GitHub does not list all files of {project}: it has too many. Merge "
                f"{TEMPLATE_BRANCH} by hand. Nothing was changed on main."
            )
        return {entry["path"]: entry["sha"] for entry in tree["tree"] if entry["type"] != "tree"}

    def _write(self, method: str, project: str, path: str, body: Json) -> Json:
        return self._connection.write(method, f"{self._path(project)}/{path}", body)

    def _path(self, project: str) -> str:
        return repository_path(self._connection, project)


def _shas(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: blob_sha(content) for path, content in files.items()}
