"""`databricks bundle run KEY`: starts a job or a pipeline, waits for it, prints what it printed."""

import threading
from argparse import Namespace
from collections.abc import Callable, Iterator

from playground.databricks_cli import state
from playground.databricks_cli.bundle_commands import loaded, say, show, url
from playground.databricks_cli.configuration import Bundle
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree

PAUSE = 0.25
"""Seconds between two looks."""
ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
UPDATE_ENDED = ("COMPLETED", "FAILED", "CANCELED")


def run(options: Namespace) -> None:
    """Run what has the key; a failed run is an error."""
    bundle = loaded(options)
    kind = _kind(bundle, options.key)
    known = state.read(bundle).resources.get(f"{kind}.{options.key}")
    if known is None:
        raise CliError(f"{kind.removesuffix('s')} is not deployed: {options.key}")
    if kind == "jobs":
        _run_job(bundle, known.id, options)
    else:
        _run_pipeline(bundle, known.id, options)


def _kind(bundle: Bundle, key: str) -> str:
    kinds = [kind for kind, known in bundle.resources if known == key]
    runnable = [each for each in kinds if each in ("jobs", "pipelines")]
    if not runnable:
        raise CliError(
            f"no such resource: {key}"
            if not kinds
            else f"resource {key} of kind {kinds[0]} cannot be run"
        )
    return runnable[0]


def _run_job(bundle: Bundle, id_: str, options: Namespace) -> None:
    body: Tree = {"job_id": int(id_)}
    if options.params:
        body["job_parameters"] = dict(_pairs(options.params))
    run_id = bundle.connection.ask("POST", "/api/2.2/jobs/run-now", body)["run_id"]
    say(f"Run URL: {url(bundle, 'jobs', id_)}/runs/{run_id}\n")
    if options.no_wait:
        return
    found = _waited(lambda: _get_run(bundle, run_id), _job_state, ENDED)
    _print_outputs(bundle, found)
    result = found["state"].get("result_state")
    if result != "SUCCESS":
        raise CliError(f"run failed with state {result}: {found['state'].get('state_message')}")


def _pairs(texts: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        for part in text.split(","):
            name, equals, value = part.partition("=")
            if not equals:
                raise CliError(f"invalid parameter {part}: expected key=value")
            yield name, value


def _get_run(bundle: Bundle, run_id: int) -> Tree:
    return bundle.connection.ask("GET", "/api/2.2/jobs/runs/get", run_id=run_id)


def _job_state(run: Tree) -> tuple[str, str]:
    told = run["state"]
    words = (told["life_cycle_state"], told.get("result_state"), told.get("state_message"))
    return told["life_cycle_state"], f'"{run["run_name"]}" {" ".join(filter(None, words))}'


def _waited(
    look: Callable[[], Tree], read: Callable[[Tree], tuple[str, str]], ends: tuple[str, ...]
) -> Tree:
    """Look until it is over; every change is told."""
    pause, before = threading.Event(), ""
    while True:
        found = look()
        now, words = read(found)
        if words != before:
            say(words)
            before = words
        if now in ends:
            return found
        pause.wait(PAUSE)


def _print_outputs(bundle: Bundle, run: Tree) -> None:
    show("Output:")
    for task in run.get("tasks", []):
        path = "/api/2.2/jobs/runs/get-output"
        output = bundle.connection.ask("GET", path, run_id=task["run_id"])
        show(f"=======\nTask {task['task_key']}:")
        show((output.get("logs") or output.get("error") or "").rstrip())


def _run_pipeline(bundle: Bundle, id_: str, options: Namespace) -> None:
    path = f"/api/2.0/pipelines/{id_}/updates"
    update_id = bundle.connection.ask("POST", path, {})["update_id"]
    say(f"Update URL: {url(bundle, 'pipelines', id_)}/updates/{update_id}\n")
    if options.no_wait:
        return

    def look() -> Tree:
        found: Tree = bundle.connection.ask("GET", f"{path}/{update_id}")["update"]
        return found

    ended = _waited(look, lambda found: (found["state"], f"Update {found['state']}"), UPDATE_ENDED)
    events = bundle.connection.ask("GET", f"/api/2.0/pipelines/{id_}/events")["events"]
    own = [each for each in events if each["origin"]["update_id"] == update_id]
    show("\n".join(str(each["message"]) for each in own))
    if ended["state"] != "COMPLETED":
        failed = [each["message"] for each in own if each["level"] == "ERROR"]
        raise CliError(f"update {ended['state'].lower()}: {'; '.join(failed)}")
