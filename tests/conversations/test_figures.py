"""Every figure that a run's message shows is Terraform's own, and its files are there to read."""

import json
import re
from pathlib import Path
from typing import Any

from conversation import Conversation

from playground.slack.reading import text_of

PLANNED = r"Z  Plan: (\d+) to add, (\d+) to change, (\d+) to destroy\."
APPLIED = r"Z  Apply complete! Resources: (\d+) added, (\d+) changed, (\d+) destroyed\."


def summary(log: str, words: str) -> dict[str, int]:
    """Return the counts that Terraform gave at the end of a plan or an apply."""
    found = re.search(words, log)
    assert found is not None, log
    return dict(zip(("add", "change", "remove"), map(int, found.groups()), strict=True))


def state_of(talk: Conversation) -> dict[str, Any]:
    """Return Terraform's state of the project."""
    projects: Path = talk.world.directory / "bot" / "terraform" / "projects"
    state: dict[str, Any] = json.loads(
        (projects / talk.name / "root/terraform.tfstate").read_text()
    )
    return state


def test_the_figures_are_terraforms_own(talk: Conversation) -> None:
    run = talk.planned()
    planned = summary(talk.file("plan-log-").content.decode(), PLANNED)
    counts = f"+{planned['add']} ~{planned['change']} -{planned['remove']}"
    said = text_of(run)
    assert f"Resources to be changed: {counts}" in said
    assert f"{planned['add']} to add, 0 to change, 0 to destroy" in said
    total = planned["add"]
    assert f"not estimated ({total} of {total} resources have no price)" in said
    assert "$" not in said
    text = talk.file("plan-text-").content.decode()
    assert f"Plan: {planned['add']} to add, {planned['change']} to change" in text
    assert "databricks_schema" in text
    by_type = talk.says(f"Plan for {talk.name}: {counts}")
    numbers = [int(word) for word in re.findall(r"(?m)^\d+$", text_of(by_type))]
    assert sum(numbers) == total

    talk.press("Confirm & Apply")
    said = text_of(talk.run_message("Ready in"))

    log = talk.file("apply-log-").content.decode()
    applied = summary(log, APPLIED)
    assert f"Resources changed: +{applied['add']} ~{applied['change']} -{applied['remove']}" in said
    assert f"{applied['add']} added, 0 changed, 0 destroyed" in said
    managed = [one for one in state_of(talk)["resources"] if one["mode"] == "managed"]
    assert sum(len(one["instances"]) for one in managed) == applied["add"]
    for step in ("Planned", "Applied", "Pushed the starter code", "Verified"):
        assert re.search(rf"{step} · \d+ s", said), step
    version = re.search(r"Z  (Terraform \S+)", log)
    assert version is not None
    assert version[1] in said
