"""The README tells the truth: its commands are the commands, its files and targets exist."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import commands
from bot.cli import cli, db
from playground.github.world import APP_PERMISSIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def commands_table() -> str:
    """Return the table of the README as it should be: typed commands first, then buttons."""
    every = (*commands.ALL, commands.HELP)
    rows = [
        f"| `/sciclops {command.usage.replace('|', chr(92) + '|')}` | {command.summary} "
        f"| {'a button' if command.hidden else 'you'} |\n"
        for command in sorted(every, key=lambda command: command.hidden)
    ]
    return "| say | what happens | said by |\n|---|---|---|\n" + "".join(rows)


def test_the_commands_in_the_readme_are_the_commands() -> None:
    shown = re.search(r"<!-- commands:.*?-->\n(.*?)<!-- /commands -->", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == commands_table(), f"put this between the markers:\n{commands_table()}"


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = re.findall(r"(?:^    |`)make (\w+)", README, re.MULTILINE)
    assert {"play", "test"} <= set(named)
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_sub_command_of_sciclops_in_the_readme_exists() -> None:
    known = {
        command.name or str(getattr(command.callback, "__name__", ""))
        for app in (cli, db)
        for command in app.registered_commands
    } | {"db"}
    for line in re.findall(r"bin/sciclops ([a-z ]+)", README):
        assert set(line.split()) <= known, line


def test_the_permissions_in_the_readme_are_those_the_stand_in_grants() -> None:
    """The stand-in refuses what an App with these permissions may not do, so they suffice."""
    special = {"organisation Administration": "organization_administration"}
    said: dict[str, str] = {}
    for of, names, access in re.findall(r"\| (repository|organisation) \| (.+) \| (.+) \|", README):
        for name in names.split(", "):
            known = special.get(f"{of} {name}" if of == "organisation" else name)
            said[known or name.lower().replace(" ", "_")] = access.rpartition(" ")[2]
    assert said == APP_PERMISSIONS


@pytest.mark.parametrize(
    "document",
    ["README.md", "CHANGELOG.md", "bundle_templates/README.md", "docs/decisions/README.md"],
)
def test_links_to_files_lead_somewhere(document: str) -> None:
    file = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
        if "://" not in target:
            assert (file.parent / target).exists(), target


def test_every_decision_is_listed_and_has_the_form() -> None:
    folder = ROOT / "docs/decisions"
    listing = (folder / "README.md").read_text("utf-8")
    decisions = sorted(folder.glob("[0-9]*.md"))
    for number, file in enumerate(decisions, start=1):
        text = file.read_text("utf-8")
        found = re.match(rf"# {number}\. (.+)\n\nAccepted on \d{{4}}-\d\d-\d\d\.", text)
        assert found, file.name
        assert f"| [{number}]({file.name}) | {found[1]} |\n" in listing
        for heading in ("Question", "Decision", "What it costs"):
            assert f"\n## {heading}\n" in text


def test_the_picture_is_described_for_those_who_cannot_see_it() -> None:
    picture = ElementTree.parse(ROOT / "docs/picture.svg").getroot()
    words = {element.tag.partition("}")[2]: element.text or "" for element in picture}
    assert len(words["title"]) > 20
    assert len(words["desc"]) > 100


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in headings[1:])
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "9. Accepting Warranty or Additional Liability." in text
    assert "END OF TERMS AND CONDITIONS" in text
