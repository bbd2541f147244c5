"""`sciclops.yml` in a project's repository: its specification, for people to read and to change.

Pure: text goes in, a specification or what is wrong with it comes out, line by line.
"""

from collections.abc import Iterator, Mapping

import yaml

from provisioning.project import DataAccess, ProjectSpec, Reviewer
from provisioning.spec_change import CHANGEABLE, with_changes
from provisioning.text import Frozen

FILE = "sciclops.yml"
LARGEST = 64 * 1024
"""So many bytes are read of it."""
DEEPEST = 5
"""Lists in lists in …: three are needed."""
FIXED = ("name", "template")
"""What the file says and nobody changes."""
ELSEWHERE = {
    "sandbox_until": "An end date is no matter of this file: type /sciclops extend in Slack.",
    "authentication": "How deployments log in is settled for all projects of the installation.",
    "secrets": "Secrets are no matter of this file: type /sciclops secret in Slack.",
    "answers": "What the template was asked is settled: the files are yours to change.",
}
"""What a project has besides, and where people say so."""
LISTS = ("owners", "workspace_groups")
HEADER = """\
# The specification of this project. Merge a change of it into main, and SciCLOps plans the same as
# /sciclops change {name} would, and asks in Slack before it does anything.
#
# May be changed, by a merge of an owner's: everything but name and template.
#   owners: member ids of Slack (profile > Copy member ID); managed_group: a group at Databricks
#   github_team, reviewers: slugs of teams and logins; workspace_groups: none can be removed
#   data_access: - read: catalog.schema, or - write: catalog.schema; its owner in Slack is asked
# Refused on the pull request: to make yourself an owner, to remove all other owners, to leave
# nobody who reviews, another name or template, an end date, people and teams that there are not.
"""


class Problem(Frozen):
    """What is wrong with the file, and in which line, counted from 1."""

    line: int
    what: str


class UnreadableError(Exception):
    """The file says no specification."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(one.what for one in problems))
        self.problems = problems


class SpecFile(Frozen):
    """What a file says, and where it says so."""

    spec: ProjectSpec
    lines: dict[str, int]

    def line(self, part: str) -> int:
        """Return in which line a part begins; the first one for what is not there."""
        return self.lines.get(part, 1)


def written(spec: ProjectSpec) -> bytes:
    """Return the file that says a specification; the same one for the same specification."""
    said: dict[str, object] = {
        "name": spec.name,
        "template": spec.template,
        "owners": list(spec.owners),
        "managed_group": spec.managed_group,
        "github_team": spec.github_team,
        "reviewers": [{one.kind: one.name} for one in spec.reviewers],
        "workspace_groups": list(spec.workspace_groups),
        "data_access": [{one.level: one.securable} for one in spec.data_access],
    }
    body = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1000)
    return (HEADER.format(name=spec.name) + body).encode()


def read(content: bytes, present: ProjectSpec) -> SpecFile:
    """Return what a file makes of a project; raises `UnreadableError` with all that is wrong."""
    parts = _parts(content)
    problems = [*_unknown(parts), *_missing(parts), *_fixed(parts, present)]
    if problems:
        raise UnreadableError(*problems)
    said = {name: _read_part(name, node) for name, (_, node) in parts.items()}
    wrong = [one for _, found in said.values() for one in found]
    if wrong:
        raise UnreadableError(*wrong)
    values = {name: value for name, (value, _) in said.items() if name in CHANGEABLE}
    lines = {name: line for name, (line, _) in parts.items()}
    return SpecFile(spec=with_changes(present, present.model_copy(update=values)), lines=lines)


def _parts(content: bytes) -> dict[str, tuple[int, yaml.Node]]:
    """Return each part's line and what it says."""
    root = _composed(content)
    if not isinstance(root, yaml.MappingNode):
        raise UnreadableError(Problem(line=1, what="The file must say “part: value”, as it did."))
    parts: dict[str, tuple[int, yaml.Node]] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise UnreadableError(Problem(line=line, what="A part has a name."))
        if key.value in parts:
            raise UnreadableError(Problem(line=line, what=f"{key.value} is said twice."))
        parts[key.value] = (line, value)
    return parts


def _composed(content: bytes) -> yaml.Node | None:
    if len(content) > LARGEST:
        raise UnreadableError(Problem(line=1, what=f"The file has more than {LARGEST} bytes."))
    try:
        text = content.decode()
        _require_plain(text)
        return yaml.compose(text, yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise UnreadableError(Problem(line=1, what="The file is not UTF-8.")) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "it cannot be read"
        line = mark.line + 1 if mark else 1
        raise UnreadableError(Problem(line=line, what=f"This is not YAML: {why}.")) from error


def _require_plain(text: str) -> None:
    """Refuse what could make reading costly, as soon as it comes."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableError(Problem(line=line, what="Aliases are not understood."))
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise UnreadableError(Problem(line=line, what="The file is nested too deeply."))


def _unknown(parts: Mapping[str, tuple[int, yaml.Node]]) -> Iterator[Problem]:
    for name, (line, _) in parts.items():
        if name not in (*FIXED, *CHANGEABLE):
            known = ", ".join((*FIXED, *CHANGEABLE))
            unknown = f"There is no part {name!r}; there are {known}."
            yield Problem(line=line, what=ELSEWHERE.get(name, unknown))


def _missing(parts: Mapping[str, tuple[int, yaml.Node]]) -> Iterator[Problem]:
    for name in (*FIXED, *CHANGEABLE):
        if name not in parts:
            yield Problem(line=1, what=f"The part {name} is missing.")


def _fixed(parts: Mapping[str, tuple[int, yaml.Node]], present: ProjectSpec) -> Iterator[Problem]:
    for name, is_so in (("name", present.name), ("template", present.template)):
        line, node = parts.get(name, (1, None))
        if node is not None and getattr(node, "value", None) != is_so:
            yield Problem(line=line, what=f"The {name} of a project stays: it is {is_so}.")


def _read_part(name: str, node: yaml.Node) -> tuple[object, tuple[Problem, ...]]:
    """Return what a part says, or what is wrong with it."""
    try:
        if name in LISTS:
            return tuple(_word(name, one) for one in _entries(name, node)), ()
        if name == "reviewers":
            pairs = [_pair(name, one, ("team", "user")) for one in _entries(name, node)]
            return tuple(Reviewer.read(f"{kind}:{word}") for kind, word in pairs), ()
        if name == "data_access":
            pairs = [_pair(name, one, ("read", "write")) for one in _entries(name, node)]
            return tuple(
                DataAccess.model_validate({"securable": word, "level": level})
                for level, word in pairs
            ), ()
        return _word(name, node), ()
    except UnreadableError as wrong:
        return None, wrong.problems


def _entries(name: str, node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        line = node.start_mark.line + 1
        raise UnreadableError(Problem(line=line, what=f"{name} is a list: “- …” line by line."))
    return list(node.value)


def _word(name: str, node: yaml.Node) -> str:
    """Return one word as it is written: `1e3` and `yes` are words here."""
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        line = node.start_mark.line + 1
        raise UnreadableError(Problem(line=line, what=f"{name} takes one word here."))
    return str(node.value).strip()


def _pair(name: str, node: yaml.Node, kinds: tuple[str, ...]) -> tuple[str, str]:
    is_pair = isinstance(node, yaml.MappingNode) and len(node.value) == 1
    key, value = node.value[0] if is_pair else (None, None)
    if not isinstance(key, yaml.ScalarNode) or key.value not in kinds or value is None:
        ways = " or ".join(f"“- {kind}: …”" for kind in kinds)
        raise UnreadableError(
            Problem(line=node.start_mark.line + 1, what=f"{name} is a list of {ways}.")
        )
    return str(key.value), _word(name, value)


def proposed(present: ProjectSpec, before: ProjectSpec | None, said: ProjectSpec) -> ProjectSpec:
    """Return the project with what a change of its file changed, and nothing else.

    `before` is what the file said until then: it may be older than what holds by now.
    """
    if before is None:
        return said
    changed = {
        part: getattr(said, part)
        for part in CHANGEABLE
        if set(_as_tuple(getattr(before, part))) != set(_as_tuple(getattr(said, part)))
    }
    return with_changes(present, present.model_copy(update=changed))


def _as_tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def refusals(before: ProjectSpec, wanted: ProjectSpec, author: str) -> dict[str, str]:
    """Return what a file may not say of owners, part to sentence; `author` is who proposes it."""
    if author in wanted.owners and author not in before.owners:
        return {"owners": "Nobody makes themselves an owner: let an owner propose it."}
    if not set(before.owners) & set(wanted.owners):
        return {"owners": "Not all owners at once can be replaced: keep one of them."}
    if author in before.owners and set(wanted.owners) == {author} != set(before.owners):
        return {"owners": "Nobody removes all other owners: let another owner propose it."}
    return {}
