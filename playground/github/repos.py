"""Repositories: create, read, change, archive, delete, and the switches around them."""

import asyncio
import re
import shutil
from typing import cast

from playground.github import payloads, payloads_repo
from playground.github.calls import Answer, Call, Operation, Refusal, invalid, not_found
from playground.github.objects import GitStore, TreeEntry
from playground.github.orgs import known_user
from playground.github.world import Json, Repository, Role, World

LONGEST_NAME = 100
_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


def clean_name(name: str) -> str:
    """Return the name GitHub really uses: what it doesn't take becomes a dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name.strip())


def _refuse_name(world: World, name: str, current: Repository | None = None) -> None:
    problem = None
    if len(name) > LONGEST_NAME:
        problem = "name is too long (maximum is 100 characters)"
    elif name in ("", ".", "..") or name.lower().endswith((".git", ".wiki")):
        problem = "name is a reserved name"
    else:
        holder = next((r for r in world.repos.values() if r.name.lower() == name.lower()), None)
        if holder is not None and holder is not current:
            problem = "name already exists on this account"
    if problem:
        error = {"resource": "Repository", "code": "custom", "field": "name", "message": problem}
        raise Refusal(422, "Repository creation failed.", [error])


def make_repo(world: World, name: str, visibility: str, *, number: int | None = None) -> Repository:
    """Create an empty repository, on disk too."""
    now = world.now()
    identity = number or world.next_id()
    path = world.directory / f"{identity}.git"
    settings = dict(payloads_repo.SETTINGS)
    repo = Repository(identity, name, path, now, now, now, settings, visibility=visibility)
    GitStore(path).create(repo.default_branch)
    world.repos[name] = repo
    world.renamed.pop(name.lower(), None)
    return repo


def commit_files(world: World, repo: Repository, files: dict[str, bytes], message: str) -> str:
    """Put a first commit of files in one folder level or more on the default branch."""
    git = GitStore(repo.path)
    seconds = int(world.now().timestamp())
    who = f"GitHub <noreply@github.com> {seconds} +0000"
    commit = git.write_commit(write_files(git, files), [], who, who, message)
    git.set_ref(f"refs/heads/{repo.default_branch}", commit)
    return commit


def write_files(git: GitStore, files: dict[str, bytes]) -> str:
    """Store files as a tree and return its SHA-1."""
    folders: dict[str, dict[str, bytes]] = {}
    entries = []
    for path, content in files.items():
        folder, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(folder, {})[rest] = content
        else:
            entries.append(TreeEntry("100644", path, git.write("blob", content)))
    entries += [
        TreeEntry("40000", name, write_files(git, inner)) for name, inner in folders.items()
    ]
    return git.write_tree(entries)


async def create(call: Call) -> Answer:
    """Create a repository of the organisation."""
    name = clean_name(call.text("name"))
    _refuse_name(call.world, name)
    private = call.flag("private")
    visibility = call.text("visibility", "private" if private else "public")
    repo = make_repo(call.world, name, visibility)
    _set_texts(call, repo)
    repo.properties |= cast("dict[str, str | list[str]]", call.body.get("custom_properties", {}))
    team = call.world.team_by_id(cast("int", call.body.get("team_id", 0)))
    if team is not None:
        team.repositories[repo.id] = "admin"
    if call.flag("auto_init"):
        readme = f"# {name}\n" + (f"{repo.description}\n" if repo.description else "")
        commit_files(call.world, repo, {"README.md": readme.encode()}, "Initial commit")
    return Answer(201, payloads_repo.full_repository(call.root, call.world, repo, "admin"))


def _set_texts(call: Call, repo: Repository) -> None:
    for key in repo.settings.keys() & call.body.keys():
        repo.settings[key] = call.body[key]
    repo.description = cast("str | None", call.body.get("description", repo.description))
    repo.homepage = cast("str | None", call.body.get("homepage", repo.homepage)) or None


async def read(call: Call) -> Answer:
    """Return a repository."""
    body = payloads_repo.full_repository(call.root, call.world, call.repo, call.role())
    return Answer(200, body)


async def every(call: Call) -> Answer:
    """List the organisation's repositories that the token may see."""
    kind = call.query.get("type", "all")
    seen = [r for r in call.world.repos.values() if kind in ("all", r.visibility)]
    if call.actor.login:
        seen = [repo for repo in seen if call.world.role_of(call.actor.login, repo)]
    elif call.actor.repository_ids is not None:
        seen = [repo for repo in seen if repo.id in call.actor.repository_ids]
    return call.page([_listed(call, repo) for repo in seen])


def _listed(call: Call, repo: Repository) -> Json:
    role = call.world.role_of(call.actor.login, repo) if call.actor.login else "admin"
    return payloads_repo.repository(call.root, call.world, repo, role)


async def change(call: Call) -> Answer:
    """Change settings, the name, the default branch; archive and unarchive."""
    repo = call.repo
    if repo.archived and call.body.get("archived") is not False:
        raise Refusal(403, "Repository was archived so is read-only.")
    if "default_branch" in call.body:
        _set_default_branch(call, call.text("default_branch"))
    if clean_name(call.text("name", repo.name)) != repo.name:
        _rename(call, clean_name(call.text("name")))
    _set_texts(call, repo)
    if "private" in call.body:
        repo.visibility = "private" if call.flag("private") else "public"
    repo.visibility = call.text("visibility", repo.visibility)
    repo.archived = call.flag("archived", repo.archived)
    repo.updated_at = call.world.now()
    return await read(call)


def _set_default_branch(call: Call, branch: str) -> None:
    heads = call.git.refs("refs/heads/")
    if not heads:
        raise invalid(
            "Repository",
            "default_branch",
            "invalid",
            "Cannot update default branch for an empty repository. Please init the repository "
            "and push first",
        )
    if f"refs/heads/{branch}" not in heads:
        raise invalid(
            "Repository",
            "default_branch",
            "invalid",
            f"The branch {branch} was not found. Please push that ref first or create it via the "
            "Git Data API.",
        )
    call.repo.default_branch = branch
    call.git.set_head(branch)


def _rename(call: Call, name: str) -> None:
    world, repo = call.world, call.repo
    _refuse_name(world, name, repo)
    del world.repos[repo.name]
    world.renamed[repo.name.lower()] = repo.id
    repo.name = name
    world.repos[name] = repo


async def delete(call: Call) -> Answer:
    """Delete a repository for good."""
    repo = call.repo
    call.hub.book.forget(repo)
    del call.world.repos[repo.name]
    for team in call.world.teams.values():
        team.repositories.pop(repo.id, None)
    await asyncio.to_thread(shutil.rmtree, repo.path)
    return Answer(204)


async def topics(call: Call) -> Answer:
    """Return the topics."""
    return Answer(200, {"names": call.repo.topics})


async def set_topics(call: Call) -> Answer:
    """Replace the topics."""
    names = [name.lower() for name in cast("list[str]", call.body["names"])]
    if len(names) > 20 or not all(_TOPIC.fullmatch(name) for name in names):
        raise Refusal(
            422,
            "Validation Failed",
            [
                "Topics must start with a lowercase letter or number, consist of 50 characters or "
                "less, and can include hyphens."
            ],
        )
    call.repo.topics = names
    return Answer(200, {"names": names})


async def alerts(call: Call) -> Answer:
    """Say by 204 or 404 whether vulnerability alerts are on."""
    if not call.repo.vulnerability_alerts:
        raise Refusal(404, "Vulnerability alerts are disabled.")
    return Answer(204)


async def alerts_on(call: Call) -> Answer:
    """Switch vulnerability alerts on."""
    call.repo.vulnerability_alerts = True
    return Answer(204)


async def alerts_off(call: Call) -> Answer:
    """Switch vulnerability alerts, and with them the automated fixes, off."""
    call.repo.vulnerability_alerts = call.repo.automated_fixes = False
    return Answer(204)


async def fixes(call: Call) -> Answer:
    """Say whether automated security fixes are on."""
    return Answer(200, {"enabled": call.repo.automated_fixes, "paused": False})


async def fixes_on(call: Call) -> Answer:
    """Switch automated security fixes on; they need vulnerability alerts."""
    if not call.repo.vulnerability_alerts:
        raise Refusal(
            422, "Vulnerability alerts must be enabled to configure automated security fixes."
        )
    call.repo.automated_fixes = True
    return Answer(204)


async def fixes_off(call: Call) -> Answer:
    """Switch automated security fixes off."""
    call.repo.automated_fixes = False
    return Answer(204)


async def collaborator_permission(call: Call) -> Answer:
    """Return what a person may do in the repository, from whatever source."""
    user = known_user(call)
    role = call.world.role_of(user.login, call.repo)
    return Answer(
        200,
        {
            "permission": _coarse(role),
            "role_name": {"pull": "read", "push": "write"}.get(role or "none", role or "none"),
            "user": payloads.simple_user(call.root, user)
            | {"permissions": payloads.permissions(role)}
            | {"role_name": _coarse(role)},
        },
    )


def _coarse(role: Role | None) -> str:
    """GitHub's older scale, where triage reads and maintain writes."""
    coarse = {"pull": "read", "triage": "read", "push": "write", "maintain": "write"}
    return coarse.get(role, role) if role else "none"


async def collaborators(call: Call) -> Answer:
    """List everybody who has any role, members of the organisation included.

    With `affiliation=direct`, only who has one of their own in the repository.
    """
    shown, direct = [], call.query.get("affiliation") == "direct"
    for user in call.world.users.values():
        role = call.world.role_of(user.login, call.repo)
        if role and (not direct or user.login in call.repo.collaborators):
            access = {"permissions": payloads.permissions(role), "role_name": _coarse(role)}
            shown.append(payloads.simple_user(call.root, user) | access)
    return call.page(shown)


async def add_collaborator(call: Call) -> Answer:
    """Give a member of the organisation a role of their own in the repository."""
    user = known_user(call)
    if user.login not in call.org.members:
        raise not_found()
    call.repo.collaborators[user.login] = cast("Role", call.text("permission", "push"))
    return Answer(204)


async def remove_collaborator(call: Call) -> Answer:
    """Take a person's own role away; what their teams give them stays."""
    call.repo.collaborators.pop(known_user(call).login, None)
    return Answer(204)


_REPO = "/repos/{owner}/{repo}"
_COLLABORATOR = f"{_REPO}/collaborators/{{username}}"
OPERATIONS = (
    Operation("POST", "/orgs/{org}/repos", create, "administration:write"),
    Operation("GET", "/orgs/{org}/repos", every, "metadata:read"),
    Operation("GET", _REPO, read, "metadata:read"),
    Operation("PATCH", _REPO, change, "administration:write", when_archived=True),
    Operation("DELETE", _REPO, delete, "administration:write", when_archived=True),
    Operation("GET", f"{_REPO}/topics", topics, "metadata:read"),
    Operation("PUT", f"{_REPO}/topics", set_topics, "administration:write"),
    Operation("GET", f"{_REPO}/vulnerability-alerts", alerts, "administration:read"),
    Operation("PUT", f"{_REPO}/vulnerability-alerts", alerts_on, "administration:write"),
    Operation("DELETE", f"{_REPO}/vulnerability-alerts", alerts_off, "administration:write"),
    Operation("GET", f"{_REPO}/automated-security-fixes", fixes, "administration:read"),
    Operation("PUT", f"{_REPO}/automated-security-fixes", fixes_on, "administration:write"),
    Operation("DELETE", f"{_REPO}/automated-security-fixes", fixes_off, "administration:write"),
    Operation("GET", f"{_REPO}/collaborators", collaborators, "metadata:read"),
    Operation("GET", f"{_COLLABORATOR}/permission", collaborator_permission, "metadata:read"),
    Operation("PUT", _COLLABORATOR, add_collaborator, "administration:write"),
    Operation("DELETE", _COLLABORATOR, remove_collaborator, "administration:write"),
)
