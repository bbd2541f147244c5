"""The playground shows Terraform's runs from the files they leave, also while they run."""

import json
from pathlib import Path

from playground.terraform_runs import snapshot


def leave(directory: Path, command: str, *lines: str, status: int | None = 0) -> None:
    folder = directory / "projects" / "ada-7" / "runs" / "run-1.0" / command
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text("\n".join(lines))
    if status is not None:
        (folder / "ended.json").write_text(json.dumps({"status": status, "seconds": 4.25}))


def summary(add: int) -> str:
    changes = {"add": add, "change": 0, "remove": 0, "operation": "apply"}
    return json.dumps({"type": "change_summary", "@message": "Done", "changes": changes})


def test_counts_and_times_are_terraforms_own(tmp_path: Path) -> None:
    leave(tmp_path, "plan", json.dumps({"@message": "Planning"}), summary(88))
    (run,) = snapshot(tmp_path)["runs"]
    assert run["project"] == "ada-7"
    (plan,) = run["commands"]
    assert (plan["name"], plan["state"], plan["add"]) == ("terraform plan", "succeeded", 88)
    assert plan["seconds"] == 4.2
    assert plan["log"] == "Planning\nDone"


def test_a_running_command_with_half_a_line_is_shown_as_running(tmp_path: Path) -> None:
    leave(tmp_path, "apply", json.dumps({"@message": "Creating"}), '{"@mess', status=None)
    (apply,) = snapshot(tmp_path)["runs"][0]["commands"]
    assert (apply["state"], apply["log"]) == ("running", "Creating")


def test_a_failed_command_is_shown_as_failed(tmp_path: Path) -> None:
    leave(tmp_path, "apply", status=1)
    assert snapshot(tmp_path)["runs"][0]["commands"][0]["state"] == "failed"


def test_where_nothing_ran_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert snapshot(tmp_path) == {"runs": []}
