"""The documents tell the truth: what they show can be typed, said and set, and is said by us."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import pytest
from documents import DOCUMENTS, ROOT, TRIED, Block, blocks, read, words_in_line
from house import files, text
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from typer.testing import CliRunner

from bot.cli import cli
from bot.dispatch import COMMANDS
from bot.settings import Settings
from commands.command import Role
from playground.databricks.privileges import APPLICABLE
from provisioning.adapters.databricks.diagnosis import CATALOG_RIGHTS

SHELL = ("", "sh", "bash", "shell")
FREE = ("reason", "name")
"""Words of a usage that stand for several words."""


def every(language: Sequence[str]) -> Iterator[Block]:
    """Return the documents' blocks of some languages."""
    for document in DOCUMENTS:
        yield from (block for block in blocks(document) if block.language in language)


def every_line() -> Iterator[str]:
    """Return every line of code: those of blocks that nothing else tries, and within sentences."""
    for block in every(SHELL):
        if block.place not in TRIED.values():
            yield from block.lines
    for document in DOCUMENTS:
        yield from words_in_line(document)


# ------------------------------------------------------------------ said in Slack


def objection(line: str) -> str:
    """Return why something cannot be said in Slack, or nothing."""
    words = re.sub(r"<[^>]+>", "<>", line.removeprefix("/sciclops")).split()
    if not words or words == ["…"]:
        return ""
    command = COMMANDS.get(words[0])
    if command is None:
        return f"there is no command {words[0]}"
    usage = re.sub(r"[\[\]]", "", re.sub(r"<(?!reason)[^>]+>", "<>", command.usage)).split()
    if len(words) > len(usage) and not any(free in usage[-1] or free in usage for free in FREE):
        return f"{command.usage} takes fewer words"
    placeholders = set(re.findall(r"<[^>]+>", command.usage)) | {"<project>", "<NAME>"}
    unknown = [word for word in re.findall(r"<[^>]+>", line) if word not in placeholders]
    return f"{command.usage} knows no {unknown[0]}" if unknown else ""


def test_what_is_said_in_slack_can_be_said() -> None:
    said = [line for line in every_line() if line.startswith("/sciclops")]
    assert len(said) > 40
    assert {line: why for line in said if (why := objection(line))} == {}


@pytest.mark.parametrize(
    "line", ["/sciclops destory ada-7", "/sciclops status ada-7 now", "/sciclops cancel <release>"]
)
def test_what_cannot_be_said_would_be_found(line: str) -> None:
    assert objection(line)


# ------------------------------------------------------------------ typed in a shell


def parse(*words: str) -> str:
    """Parse a command line as `sciclops` would, and do nothing; return what is wrong with it."""
    done = CliRunner().invoke(cli, [*words, "--help"])
    return "" if done.exit_code == 0 else done.output


def of_ours(line: str) -> list[str] | None:
    """Return the words after `sciclops` if a line calls it."""
    found = re.match(r"(?:\S*bin/)?sciclops (?!play)([a-z].*)$", line)
    return shlex.split(found[1].split(" | ")[0]) if found else None


def test_our_own_command_line_is_parsed_as_it_is_shown() -> None:
    tried = [line for block in every(SHELL) for line in block.lines]
    shown = [words for line in [*every_line(), *tried] if (words := of_ours(line))]
    assert len(shown) > 15
    assert [said for words in shown if (said := parse(*words))] == []


@pytest.mark.parametrize("words", [["dokter"], ["db", "downgrade"], ["doctor", "--yaml"]])
def test_a_wrong_command_line_would_be_found(words: list[str]) -> None:
    assert "No such" in parse(*words)


def target_of_make(line: str) -> bool:
    found = re.fullmatch(r"make (\w+)", line)
    return bool(found and re.search(rf"^{found[1]}:", text(ROOT / "Makefile"), re.MULTILINE))


def module_or_test(line: str) -> bool:
    """Tell whether a line calls Python modules and files that exist."""
    words = line.split()
    if words[:2] != [".venv/bin/python", "-m"]:
        return False
    module = ROOT / words[2].replace(".", "/")
    known = words[2] == "pytest" or module.with_suffix(".py").exists() or module.is_dir()
    named = [word for word in words[3:] if word.startswith("tests/")]
    return known and all((ROOT / word).exists() for word in named)


def installs(line: str) -> bool:
    """Tell whether a line installs as `make` does."""
    words = re.fullmatch(r"bash \.ci/install \.venv (\S+)", line)
    made = text(ROOT / "Makefile")
    return bool(words and f"bash .ci/install $(VENV) {words[1]}" in made)


def test_every_block_of_a_shell_is_tried() -> None:
    """Either a test runs it whole (`TRIED`), or each line is known to be right."""
    left = [
        (block.place, line)
        for block in every(SHELL)
        if block.place not in TRIED.values() and block.document != "bundle_templates/README.md"
        for line in block.lines
        if not (of_ours(line) or target_of_make(line) or installs(line) or is_sql(line))
    ]
    assert left == []


def test_every_line_of_python_in_the_templates_readme_exists() -> None:
    lines = [
        line
        for block in blocks("bundle_templates/README.md")
        for line in block.lines
        if line.startswith(".venv/bin/python")
    ]
    assert len(lines) > 3
    assert [line for line in lines if not module_or_test(line)] == []


def test_every_block_that_is_run_exists_and_is_run() -> None:
    places = {block.place for block in every(SHELL)}
    tests = "".join(text(path) for path in files(".py") if path.name.startswith("test_"))
    for name, place in TRIED.items():
        assert place in places, name
        assert f'tried("{name}")' in tests, name


def is_sql(line: str) -> bool:
    return line.startswith("GRANT ")


def test_the_shown_grant_is_what_the_doctor_asks_for() -> None:
    lines = [line for block in every(("", "sql")) for line in block.lines if is_sql(line)]
    assert len(lines) == 1
    found = re.fullmatch(r"GRANT (.+) ON CATALOG \w+ TO `[^`]+`;", lines[0])
    assert found is not None
    granted = {name.replace(" ", "_") for name in found[1].split(", ")}
    assert granted >= set(CATALOG_RIGHTS)
    assert granted <= APPLICABLE["CATALOG"]


def test_the_unit_starts_the_bot_and_ends_nothing_else() -> None:
    unit = next(block.text for block in every(("ini",)))
    start = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    assert start is not None
    assert of_ours(start[1]) == ["serve"]
    assert "\nKillMode=process\n" in unit


# ------------------------------------------------------------------ settings


def sections() -> dict[str, type[BaseModel]]:
    """Return the tables of the settings by name, the nameless one first."""
    found: dict[str, type[BaseModel]] = {"": Settings}
    for name, known in Settings.model_fields.items():
        if isinstance(known.annotation, type) and issubclass(known.annotation, BaseModel):
            found[name] = known.annotation
    return found


def setting_objection(code: str) -> str:
    """Return why `table.key`, with a value perhaps, is no setting; nothing if it may be one."""
    found = re.fullmatch(r"(?:(\w+)\.)?([a-z_]+)(?: = (.+))?", code)
    known = sections()
    if f'"{code}"' in text(ROOT / "provisioning/measuring.py") + text(ROOT / "bot/app.py"):
        return ""  # a measurement
    if found is None or (found[1] or "") not in known or (not found[1] and not found[3]):
        return ""
    table, key, value = found[1] or "", found[2], found[3]
    tables = [known[table]] if table else list(known.values())
    fields = [one.model_fields[key] for one in tables if key in one.model_fields]
    if not fields:
        return "" if key in known else f"there is no setting {code}"
    if value is None:
        return ""
    for field in fields:
        kind: Any = (
            Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        )
        try:
            TypeAdapter(kind).validate_python(tomllib.loads(f"key = {value}")["key"])
        except ValidationError:
            continue
        return ""
    return f"{key} cannot be {value}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_exists_and_takes_its_value(document: str) -> None:
    shown = words_in_line(document)
    assert {code: why for code in shown if (why := setting_objection(code))} == {}
    for variable in re.findall(r"SCICLOPS__(\w+?)__(\w+)", read(document)):
        table, key = (word.lower() for word in variable)
        assert sections()[table].model_fields[key].annotation is SecretStr, variable


@pytest.mark.parametrize("code", ["github.app_key", 'deployment.gate = "nobody"', "retries = 3"])
def test_a_wrong_setting_would_be_found(code: str) -> None:
    assert setting_objection(code)


# ------------------------------------------------------------------ what we say, and who may


def test_what_is_quoted_in_the_operating_manual_is_said_by_the_bot() -> None:
    said = "".join(text(path) for path in files(".py") if "tests" not in path.parts)
    said = re.sub(r'"\s*\n\s*f?"', "", said)  # one sentence, on several lines
    for quoted in re.findall(r"“([^”]+)”", read("docs/operating.md")):
        for piece in re.split(r" ?… ?|\d+", quoted):
            assert piece.strip(" .") in said, quoted


def test_the_security_page_names_whom_the_group_of_users_keeps_out() -> None:
    named = re.search(r"<!-- users -->(.*?)<!-- /users -->", read("docs/security.md"))
    assert named is not None
    users = {command.name for command in COMMANDS.values() if command.role is Role.USER}
    assert set(re.findall(r"`([\w-]+)`", named[1])) == users


def anchors(document: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub builds them."""
    headings = re.findall(r"^#+ (.+)$", read(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_within_the_documents_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    for target, anchor in re.findall(r"\]\(([^):#]*)(?:#([^)]+))?\)", read(document)):
        file = (folder / target).resolve() if target else ROOT / document
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.relative_to(ROOT).as_posix()), anchor
