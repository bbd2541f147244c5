"""Workflows as they lie in repositories, and the chain of calls down to one job."""

import re
from dataclasses import dataclass
from io import StringIO
from typing import cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from playground.github.objects import GitStore, MissingObjectError
from playground.github.world import Json, Repository, World

CALL = re.compile(
    r"(?P<owner>[^/@]+)/(?P<repo>[^/@]+)/(?P<path>\.github/workflows/[^@]+)@(?P<ref>.+)"
)
LOCAL_CALL = re.compile(r"\./(?P<path>\.github/workflows/[^@]+)")
DEEPEST_CALL = 10


class WorkflowError(ValueError):
    """A workflow that GitHub would refuse to run; the text says why."""


def yaml() -> YAML:
    """Return a reader and writer that keeps a workflow as its author wrote it."""
    kept = YAML()
    kept.preserve_quotes = True
    kept.width = 100_000
    return kept


def read(content: bytes | str, where: str) -> Json:
    """Return a workflow; refuse what is none."""
    try:
        parsed = yaml().load(content)
    except YAMLError as problem:
        raise WorkflowError(f"Invalid workflow file: {where}\n{problem}") from problem
    if not isinstance(parsed, dict) or not isinstance(parsed.get("jobs"), dict):
        raise WorkflowError(f"Invalid workflow file: {where}\nRequired property is missing: jobs")
    return cast("Json", parsed)


def write(workflow: Json) -> str:
    """Return a workflow as text."""
    out = StringIO()
    yaml().dump(workflow, out)
    return out.getvalue()


def plain(value: object) -> object:
    """Return YAML values without what the reader remembers of their spelling."""
    if isinstance(value, dict):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(held) for held in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def words(value: object) -> list[str]:
    """Return `needs` and its like, which may be one word or a list."""
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value)] if value else []


@dataclass(frozen=True)
class Source:
    """A workflow file at a commit of a repository; `ref` is how it was asked for."""

    repo: Repository
    path: str
    ref: str
    sha: str
    content: Json

    @property
    def name(self) -> str:
        """What `github.workflow` says."""
        return str(self.content.get("name") or self.path)

    @property
    def jobs(self) -> dict[str, Json]:
        """Every job by its id."""
        return cast("dict[str, Json]", self.content["jobs"])

    def job(self, name: str) -> Json:
        """Return a job as plain values."""
        return cast("Json", plain(self.jobs[name]))


def load(repo: Repository, path: str, sha: str, ref: str) -> Source:
    """Return the workflow file of a commit."""
    git = GitStore(repo.path)
    try:
        files = git.files(git.commit(sha).tree)
    except MissingObjectError as problem:
        raise WorkflowError(f"There is no commit {sha} in {repo.name}") from problem
    if path not in files:
        raise WorkflowError(f"error parsing called workflow: workflow was not found: {path}")
    return Source(repo, path, ref, sha, read(git.read(files[path][1])[1], path))


def called(world: World, caller: Source, uses: str) -> Source:
    """Return the reusable workflow that a job calls; refuse one out of its reach."""
    local = LOCAL_CALL.fullmatch(uses)
    if local:
        return load(caller.repo, local["path"], caller.sha, caller.ref)
    found = CALL.fullmatch(uses)
    if found is None:
        raise WorkflowError(f'invalid value workflow reference: "{uses}"')
    repo = world.find_repo(found["repo"])
    ours = found["owner"].lower() == world.organisation.login.lower()
    sha = GitStore(repo.path).resolve(found["ref"]) if repo and ours else None
    if repo is None or sha is None or not _shared(caller.repo, repo):
        raise WorkflowError(
            f'error parsing called workflow "{uses}": workflow was not found. See '
            "https://docs.github.com/actions/learn-github-actions/reusing-workflows"
            "#access-to-reusable-workflows for more information."
        )
    return _callable(load(repo, found["path"], sha, _full_ref(repo, found["ref"])), uses)


def _shared(caller: Repository, repo: Repository) -> bool:
    return repo is caller or repo.visibility == "public" or repo.actions_access != "none"


def _callable(source: Source, uses: str) -> Source:
    on = source.content.get("on")
    if on == "workflow_call" or (isinstance(on, (dict, list)) and "workflow_call" in on):
        return source
    raise WorkflowError(
        f'error parsing called workflow "{uses}": workflow is not reusable as it is missing a '
        "`on.workflow_call` trigger"
    )


def _full_ref(repo: Repository, name: str) -> str:
    held = GitStore(repo.path).refs()
    candidates = (name, f"refs/heads/{name}", f"refs/tags/{name}")
    return next((full for full in candidates if full in held), name)


def call_spec(source: Source) -> Json:
    """Return what a reusable workflow declares: its inputs, outputs and secrets."""
    on = plain(source.content.get("on"))
    spec = on.get("workflow_call") if isinstance(on, dict) else None
    return cast("Json", spec or {})


def given_inputs(source: Source, given: Json) -> Json:
    """Return the inputs of a called workflow, with defaults, as its types say."""
    declared = cast("dict[str, Json]", call_spec(source).get("inputs") or {})
    for name in given:
        if name not in declared:
            raise WorkflowError(f"Invalid input, {name} is not defined in the referenced workflow.")
    values: Json = {}
    for name, spec in declared.items():
        if name not in given and spec.get("required") and "default" not in spec:
            raise WorkflowError(f"Input {name} is required, but not provided while calling.")
        kind = str(spec.get("type", "string"))
        values[name] = given.get(name, spec.get("default", _EMPTY.get(kind)))
        if not isinstance(values[name], _TYPES[kind]):
            raise WorkflowError(f"Invalid type for input {name}: {kind} is expected.")
    return values


_EMPTY: Json = {"boolean": False, "number": 0, "string": ""}
_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "number": (int, float),
    "string": (str, int, float),
}
