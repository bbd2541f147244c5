"""Workflow files of a commit: what starts them, and what a dispatch may say to them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import yaml

from playground.github.calls import Refusal
from playground.github.objects import GitStore
from playground.github.world import Json, Repository, WorkflowEntry, World

FOLDER = ".github/workflows/"
MOST_INPUTS = 25
SKIPPING = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
PULL_REQUEST_TYPES = ("opened", "synchronize", "reopened")
"""What starts a workflow on pull requests that names no types."""
_CALL = re.compile(r"(?P<owner>[^/]+)/(?P<repo>[^/]+)/(?P<path>[^@]+)@(?P<ref>.+)")


@dataclass(frozen=True)
class WorkflowFile:
    """A workflow: `on` maps each event to its filters."""

    path: str
    name: str
    on: dict[str, Json] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    """What its jobs use of other repositories: `owner/repo/path@ref`."""
    broken: bool = False

    def inputs(self) -> dict[str, Json]:
        """Return the inputs that a dispatch may give."""
        return cast("dict[str, Json]", self.on.get("workflow_dispatch", {}).get("inputs") or {})


@lru_cache(maxsize=500)
def workflow_files(git: GitStore, commit: str) -> tuple[WorkflowFile, ...]:
    """Return the workflows at a commit; one that can't be read is marked as broken."""
    found: list[WorkflowFile] = []
    for path, (_, sha) in sorted(git.files(git.commit(commit).tree).items()):
        inner = path.removeprefix(FOLDER)
        if path.startswith(FOLDER) and "/" not in inner and path.endswith((".yml", ".yaml")):
            found += _read(path, git.read(sha)[1])
    return tuple(found)


def _read(path: str, content: bytes) -> Iterator[WorkflowFile]:
    try:
        parsed = yaml.load(content, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        parsed = None
    if isinstance(parsed, dict) and "jobs" in parsed:
        name = parsed.get("name") or path
        yield WorkflowFile(path, str(name), _events(parsed.get("on")), tuple(_calls(parsed)))
    else:
        yield WorkflowFile(path, path, broken=True)


def _events(on: object) -> dict[str, Json]:
    """Bring the three spellings of `on` (a word, a list, a mapping) into one."""
    if isinstance(on, dict):
        return {name: dict(f) if isinstance(f, dict) else {} for name, f in on.items()}
    return {str(name): {} for name in (on if isinstance(on, list) else [on])}


def _calls(parsed: Json) -> Iterator[str]:
    jobs = parsed["jobs"]
    for job in jobs.values() if isinstance(jobs, dict) else ():
        used = job.get("uses") if isinstance(job, dict) else None
        if isinstance(used, str) and _CALL.fullmatch(used):
            yield used


def called(world: World, file: WorkflowFile) -> list[Json]:
    """Return `referenced_workflows`: which commit of which reusable workflow is meant now."""
    shown: list[Json] = []
    for used in file.calls:
        parts = cast("re.Match[str]", _CALL.fullmatch(used))
        repo = world.find_repo(parts["repo"])
        sha = GitStore(repo.path).resolve(parts["ref"]) if repo else None
        if repo and sha:
            ref = next(_full_refs(repo, parts["ref"]), None)
            found: Json = {"path": used, "sha": sha}
            shown.append(found | ({"ref": ref} if ref else {}))
    return shown


def _full_refs(repo: Repository, name: str) -> Iterator[str]:
    held = GitStore(repo.path).refs()
    return (full for full in (f"refs/heads/{name}", f"refs/tags/{name}", name) if full in held)


def entry(world: World, repo: Repository, path: str) -> WorkflowEntry:
    """Return what GitHub remembers of a workflow file, from the first time it meets it."""
    if path not in repo.workflows:
        repo.workflows[path] = WorkflowEntry(world.next_id(), world.now())
    return repo.workflows[path]


# What starts a workflow


def skips(message: str) -> bool:
    """Say whether a commit's message asks for no runs."""
    last = message.rstrip().rpartition("\n\n")[2].lower()
    trailer = re.search(r"^skip-checks:\s*true$", last, re.MULTILINE)
    return trailer is not None or any(words in message.lower() for words in SKIPPING)


def wants_push(file: WorkflowFile, ref: str, changed: Sequence[str]) -> bool:
    """Say whether a push to a branch or tag starts the workflow."""
    if "push" not in file.on:
        return False
    filters = file.on["push"]
    kind, other = ("tags", "branches") if ref.startswith("refs/tags/") else ("branches", "tags")
    name = ref.split("/", 2)[2]
    named = _patterns(filters, kind) or _patterns(filters, f"{kind}-ignore")
    if not named and (_patterns(filters, other) or _patterns(filters, f"{other}-ignore")):
        return False
    passes = _passes(filters, kind, [name])
    return passes and (kind == "tags" or _passes(filters, "paths", changed))


def wants_pull_request(file: WorkflowFile, action: str, base: str, changed: Sequence[str]) -> bool:
    """Say whether something that happens to a pull request starts the workflow."""
    if "pull_request" not in file.on:
        return False
    filters = file.on["pull_request"]
    types = _patterns(filters, "types") or list(PULL_REQUEST_TYPES)
    return (
        action in types
        and _passes(filters, "branches", [base])
        and _passes(filters, "paths", changed)
    )


def _patterns(filters: Json, name: str) -> list[str]:
    value = filters.get(name) or []
    return [value] if isinstance(value, str) else [str(one) for one in cast("list[str]", value)]


def _passes(filters: Json, name: str, values: Sequence[str]) -> bool:
    """Apply one filter and its `-ignore` twin: one value that passes is enough."""
    wanted, ignored = _patterns(filters, name), _patterns(filters, f"{name}-ignore")
    if wanted:
        return any(matches(wanted, value) for value in values)
    return not ignored or not all(matches(ignored, value) for value in values)


def matches(patterns: Iterable[str], value: str) -> bool:
    """Say whether the last pattern that fits lets the value through; `!` in front excludes."""
    found = False
    for pattern in patterns:
        if re.fullmatch(_regex(pattern.removeprefix("!")), value):
            found = not pattern.startswith("!")
    return found


def _regex(pattern: str) -> str:
    """Translate: `**` crosses slashes, `*` doesn't, `?` and `+` count the character before."""
    pieces = re.split(r"(\*\*/|\*+|[?+]|\[[^\]]+\]|\\.)", pattern)
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "?", "+": "+"}
    spelled = []
    for piece in pieces:
        if piece.startswith("**") and piece != "**/":
            spelled.append(".*")
        elif piece[:1] in ("[", "\\"):
            spelled.append(piece)
        else:
            spelled.append(known.get(piece, re.escape(piece)))
    return "".join(spelled)


# Dispatching


def dispatched_inputs(file: WorkflowFile, given: dict[str, object]) -> dict[str, str]:
    """Return every input with its default put in; refuse what the workflow doesn't declare."""
    if "workflow_dispatch" not in file.on:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    declared = file.inputs()
    unknown = [name for name in given if name not in declared]
    if unknown or len(given) > MOST_INPUTS:
        names = ", ".join(f'"{name}"' for name in unknown or given)
        raise Refusal(422, f"Unexpected inputs provided: [{names}]")
    return {name: _input(name, spec or {}, given.get(name)) for name, spec in declared.items()}


def _input(name: str, spec: Json, given: object) -> str:
    value = _text(given) if given is not None else str(spec.get("default") or "")
    kind, required = spec.get("type", "string"), spec.get("required") == "true"
    if not value and required:
        raise Refusal(422, f"Required input '{name}' not provided")
    options = cast("list[str]", spec.get("options") or [])
    if kind == "choice" and value and value not in options:
        raise Refusal(
            422, f"Provided value '{value}' for input '{name}' not in the list of allowed values"
        )
    if kind == "boolean" and value not in ("", "true", "false"):
        raise Refusal(422, f"Provided value '{value}' for input '{name}' is not a boolean")
    return value or {"boolean": "false", "choice": (options or [""])[0]}.get(str(kind), "")


def _text(given: object) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)
