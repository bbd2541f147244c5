"""Git over HTTP: clone and fetch through `git upload-pack`, push judged by the rulesets.

A push is taken apart here instead of by `git receive-pack`, because GitHub answers refused
references in the protocol's own report, which no hook can do.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from playground.github import rules
from playground.github.auth import Actor, Tokens, check, may_see
from playground.github.calls import Refusal
from playground.github.objects import NO_OBJECT, SHA, GitStore, valid_reference
from playground.github.rules import RefChange
from playground.github.world import Repository, World

CAPABILITIES = "report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1"
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
LARGEST_PUSH = 100 * 1024 * 1024
DECLINED = "push declined due to repository rule violations"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}
_FLUSH = b"0000"


class GitError(Exception):
    """A git process failed; the text is its own."""


def packet(line: bytes) -> bytes:
    """Frame one line of git's protocol."""
    return b"%04x" % (len(line) + 4) + line


def packets(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the lines up to the first flush, and what follows it."""
    lines: list[bytes] = []
    while data:
        length = _length(data[:4])
        if length == 0:
            return lines, data[4:]
        lines.append(data[4:length])
        data = data[length:]
    return lines, b""


def _length(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9a-f]{4}", digits):
        raise Refusal(400, "malformed packet line")
    length = int(digits, 16)
    if 0 < length < 4:
        raise Refusal(400, "malformed packet line")
    return length


async def run_git(path: Path, arguments: list[str], given: bytes, protocol: str = "") -> bytes:
    """Run git on a repository and return its output; raise GitError with its complaint."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=path,
        env=ENVIRONMENT | {"GIT_PROTOCOL": protocol, "GIT_DIR": str(path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaint = await process.communicate(given)
    if process.returncode:
        raise GitError(complaint.decode(errors="replace"))
    return output


@dataclass
class GitHttp:
    """The three addresses that a git client uses below `/owner/name.git`."""

    world: World
    tokens: Tokens
    pushed: Callable[[Repository, Actor, list[RefChange]], None]

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        base = "/{owner}/{name}"
        return [
            web.get(f"{base}/info/refs", self._answering(self.advertise)),
            web.post(f"{base}/git-upload-pack", self._answering(self.upload)),
            web.post(f"{base}/git-receive-pack", self._answering(self.receive)),
        ]

    def _answering(
        self, endpoint: Callable[[web.Request, Repository, Actor], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                actor = self._actor(request)
                return await endpoint(request, self._repository(request, actor), actor)
            except Refusal as refusal:
                text = str(refusal) + "\n"
                return web.Response(text=text, status=refusal.status, headers=refusal.headers)

        return answer

    def _actor(self, request: web.Request) -> Actor:
        """Return who calls: the token is the password, or else the user name."""
        header = request.headers.get("Authorization", "")
        if not header:
            return Actor("anonymous")
        try:
            pair = base64.b64decode(header.partition(" ")[2]).decode()  # "basic", too
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal(401, "Invalid username or token.", headers=_CHALLENGE) from None
        name, _, password = pair.partition(":")
        try:
            return self.tokens.actor(password or name)
        except Refusal:
            text = "Invalid username or token. Password authentication is not supported."
            raise Refusal(401, text, headers=_CHALLENGE) from None

    def _repository(self, request: web.Request, actor: Actor) -> Repository:
        owner = request.match_info["owner"].lower()
        repo = self.world.find_repo(request.match_info["name"].removesuffix(".git"))
        known = repo is not None and owner == self.world.organisation.login.lower()
        if repo is None or not known or not may_see(self.world, actor, repo):
            if actor.kind == "anonymous":
                raise Refusal(401, "Repository not found.", headers=_CHALLENGE)
            raise Refusal(404, "Repository not found.")
        return repo

    def _refuse_writing(self, actor: Actor, repo: Repository) -> None:
        if actor.kind == "anonymous":
            raise Refusal(401, "No anonymous write access.", headers=_CHALLENGE)
        if repo.archived:
            raise Refusal(403, "This repository was archived so it is read-only.")
        self._allow(actor, repo, "contents:write")

    def _allow(self, actor: Actor, repo: Repository, needs: str) -> None:
        try:
            check(self.world, actor, needs, repo)
        except Refusal:
            who = actor.login or f"the {actor.kind}"
            full_name = f"{self.world.organisation.login}/{repo.name}"
            raise Refusal(403, f"Permission to {full_name}.git denied to {who}.") from None

    async def advertise(self, request: web.Request, repo: Repository, actor: Actor) -> web.Response:
        """Tell the references, to fetch or to push."""
        service = request.query.get("service", "")
        if service == "git-receive-pack":
            self._refuse_writing(actor, repo)
            body = _advertisement(GitStore(repo.path))
        elif service == "git-upload-pack":
            self._allow(actor, repo, "contents:read")
            arguments = ["upload-pack", "--stateless-rpc", "--http-backend-info-refs", "."]
            protocol = request.headers.get("Git-Protocol", "")
            body = await run_git(repo.path, arguments, b"", protocol)
        else:
            raise Refusal(403, "Please upgrade your git client.")
        body = packet(f"# service={service}\n".encode()) + _FLUSH + body
        return _answer(f"x-{service}-advertisement", body)

    async def upload(self, request: web.Request, repo: Repository, actor: Actor) -> web.Response:
        """Send objects to a client that clones or fetches."""
        self._allow(actor, repo, "contents:read")
        protocol = request.headers.get("Git-Protocol", "")
        arguments = ["upload-pack", "--stateless-rpc", "."]
        body = await run_git(repo.path, arguments, await request.read(), protocol)
        return _answer("x-git-upload-pack-result", body)

    async def receive(self, request: web.Request, repo: Repository, actor: Actor) -> web.Response:
        """Take a push: store its objects, judge every reference, move all or none."""
        self._refuse_writing(actor, repo)
        lines, pack = packets(await request.read())
        lines = [line for line in lines if not line.startswith(b"shallow ")]  # of a shallow clone
        if not lines:
            return _answer("x-git-receive-pack-result", b"")
        capabilities = lines[0].partition(b"\0")[2].decode().split()
        changes = [_change(line.partition(b"\0")[0].decode().strip()) for line in lines]
        report = Report(banded="side-band-64k" in capabilities)
        try:
            await _store(repo, pack, changes)
        except GitError as problem:
            report.unpacked = str(problem).splitlines()[0] if str(problem) else "unpacker error"
            report.refused = dict.fromkeys((c.name for c in changes), "unpacker error")
        else:
            self._judge(repo, actor, changes, report)
        if not report.refused:
            self._move(repo, actor, changes)
        return _answer("x-git-receive-pack-result", report.encode([c.name for c in changes]))

    def _judge(
        self, repo: Repository, actor: Actor, changes: list[RefChange], report: "Report"
    ) -> None:
        for change in changes:
            problem = _mechanical_problem(repo, change)
            broken = rules.violations(self.world, repo, actor, change)
            workflow = self._forbidden_workflow(repo, actor, change)
            if problem:
                report.refused[change.name] = problem
            elif broken:
                report.violated(change.name, self._rules_page(repo, change), broken)
            elif workflow:
                report.refused[change.name] = (
                    "refusing to allow a GitHub App to create or update workflow "
                    f"`{workflow}` without `workflows` permission"
                )
        if report.refused:
            others = [c.name for c in changes if c.name not in report.refused]
            report.refused |= dict.fromkeys(others, DECLINED)

    def _forbidden_workflow(self, repo: Repository, actor: Actor, change: RefChange) -> str | None:
        try:
            check(self.world, actor, "workflows:write", repo)
        except Refusal:
            return rules.touched_workflow(repo, change)
        return None

    def _rules_page(self, repo: Repository, change: RefChange) -> str:
        name = change.name.replace("/", "%2F")
        return f"https://github.com/{self.world.organisation.login}/{repo.name}/rules?ref={name}"

    def _move(self, repo: Repository, actor: Actor, changes: list[RefChange]) -> None:
        git = GitStore(repo.path)
        for change in changes:
            if change.new is None:
                git.delete_ref(change.name)
            else:
                git.set_ref(change.name, change.new)
        self.pushed(repo, actor, changes)


class Report:
    """The answer to a push: what was stored, and which references were refused and why."""

    def __init__(self, *, banded: bool) -> None:
        self.unpacked = "ok"
        self.refused: dict[str, str] = {}
        self._said: list[str] = []
        self._banded = banded

    def violated(self, name: str, page: str, broken: list[str]) -> None:
        """Refuse a reference for broken rules, with GitHub's words on the client's screen."""
        self.refused[name] = DECLINED
        self._said += [
            f"error: GH013: Repository rule violations found for {name}.",
            f"Review all repository rules at {page}",
            "",
            *(line for message in broken for line in (f"- {message}", "")),
        ]

    def encode(self, names: list[str]) -> bytes:
        """Return the bytes to answer with."""
        lines = [f"unpack {self.unpacked}\n"]
        for name in names:
            reason = self.refused.get(name)
            lines.append(f"ng {name} {reason}\n" if reason else f"ok {name}\n")
        status = b"".join(packet(line.encode()) for line in lines) + _FLUSH
        if not self._banded:
            return status
        said = "".join(f"{line}\n" for line in self._said).encode()
        return (packet(b"\2" + said) if said else b"") + packet(b"\1" + status) + _FLUSH


def _answer(kind: str, body: bytes) -> web.Response:
    headers = {"Cache-Control": "no-cache"}
    return web.Response(body=body, content_type=f"application/{kind}", headers=headers)


def _advertisement(git: GitStore) -> bytes:
    shown = {name: sha for name, sha in git.refs().items() if not name.startswith(rules.HIDDEN)}
    refs = shown or {"capabilities^{}": NO_OBJECT}
    lines = [f"{sha} {name}" for name, sha in refs.items()]
    lines[0] += f"\0{CAPABILITIES}"
    return b"".join(packet(f"{line}\n".encode()) for line in lines) + _FLUSH


def _change(line: str) -> RefChange:
    """Read a push's command; what isn't SHA-1s and a name must not reach a command line."""
    old, _, rest = line.partition(" ")
    new, _, name = rest.partition(" ")
    if not (SHA.fullmatch(old) and SHA.fullmatch(new) and name):
        raise Refusal(400, "malformed push command")
    return RefChange(name, None if old == NO_OBJECT else old, None if new == NO_OBJECT else new)


async def _store(repo: Repository, pack: bytes, changes: list[RefChange]) -> None:
    """Unpack a push into loose objects and prove that nothing its references need is missing."""
    if pack:
        await run_git(repo.path, ["unpack-objects", "-q"], pack)
    wanted = [change.new for change in changes if change.new]
    if wanted:
        arguments = ["rev-list", "--objects", "--quiet", *wanted, "--not", "--all"]
        await run_git(repo.path, arguments, b"")


def _mechanical_problem(repo: Repository, change: RefChange) -> str | None:
    """Return why no repository, whatever its rules, takes this change."""
    git = GitStore(repo.path)
    if not valid_reference(change.name):
        return "funny refname"
    if change.name.startswith(rules.HIDDEN):
        return "deny updating a hidden ref"
    if git.ref(change.name) != change.old:
        return "failed to update ref"
    if change.new is None and change.name == f"refs/heads/{repo.default_branch}":
        return "refusing to delete the current branch: " + change.name
    if change.old is None and git.conflicts(change.name):
        return "failed to update ref"
    if change.new and change.name.startswith("refs/heads/") and not git.holds(change.new, "commit"):
        return "not a commit"
    return None
