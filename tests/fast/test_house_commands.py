"""The list of sub-commands is the folder of sub-commands."""

import ast

from house import ROOT, dotted, name, python_files, tree

import commands

FOLDER = ROOT / "commands"
NO_SUB_COMMANDS = {"command", "home", "project_fields"}
"""What a command is, the App Home tab, and what several forms ask."""


def listed() -> list[str]:
    """Return the names that `commands.ALL` and `commands.HELP` answer to."""
    return [command.name for command in (*commands.ALL, commands.HELP)]


def test_every_file_is_listed_under_its_own_name() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} - NO_SUB_COMMANDS
    modules = {name.replace("_", "-") for name in files}
    assert modules == set(listed())
    assert len(listed()) == len(set(listed()))


def test_a_sub_command_is_the_last_thing_in_its_file() -> None:
    for command in commands.ALL:
        last = tree(FOLDER / f"{command.name.replace('-', '_')}.py").body[-1]
        assert isinstance(last, ast.Assign), command.name
        assert [dotted(target) for target in last.targets] == ["COMMAND"], command.name


def test_usage_begins_with_the_name() -> None:
    assert [one.usage.split()[0] for one in (*commands.ALL, commands.HELP)] == listed()


def test_summaries_are_sentences() -> None:
    for command in (*commands.ALL, commands.HELP):
        assert command.summary[0].isupper(), command.name
        assert command.summary.endswith("."), command.name


def test_a_new_command_needs_no_other_file_of_code() -> None:
    mentions = {
        name(path)
        for path in python_files("bot", "provisioning")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "commands"
        for alias in node.names
        if alias.name in {command.name for command in commands.ALL}
    }
    assert mentions == set()
