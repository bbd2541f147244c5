import re
from pathlib import Path

from bot.manifest import SCOPES
from provisioning.adapters.databricks.diagnosis import CATALOG_RIGHTS
from provisioning.adapters.github.permissions import PERMISSIONS

PAGE = (Path(__file__).parents[2] / "docs" / "connecting.md").read_text("utf-8")


def test_the_page_lists_exactly_the_scopes_that_are_checked() -> None:
    slack = PAGE.partition("## Slack")[2].partition("| setting |")[0]
    rows = [line.split("|")[1] for line in slack.splitlines() if line.startswith("| `")]
    listed = {scope for row in rows for scope in re.findall(r"`([a-z.:]+)`", row)}
    assert listed == set(SCOPES)


def test_the_page_lists_exactly_the_permissions_that_are_checked() -> None:
    rows = re.findall(r"^\| (\w+: [\w ]+) \(`(\w+)`\) \| (\w+) \|", PAGE, re.MULTILINE)
    listed = {name: (level, place) for place, name, level in rows}
    assert listed == {name: (level, place) for name, (level, place, _) in PERMISSIONS.items()}


def test_the_page_names_every_right_on_a_catalog() -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| each stage's catalog")]
    assert [right.replace("_", " ") for right in CATALOG_RIGHTS] == re.findall(r"`([A-Z ]+)`", row)
