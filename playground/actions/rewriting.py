"""What the playground changes in a workflow before act runs one of its jobs.

act gets one job at a time. Around the job its workflow is cut away: the jobs it needs become stubs
with the results and outputs they had, its condition (GitHub has already decided) becomes `always()`
and its matrix the one leg. A last job reports the outputs. Nothing inside the job changes: neither
steps nor environment nor secret expressions, because each job's act is started only after its gate,
with the variables and secrets of its own environment.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from playground.actions.workflow import words
from playground.github.runs import Conclusion
from playground.github.world import Json

STUB = "sciclops-stub"
"""The name of every stub and of the reporter; their events aren't the job's."""
REPORTER = "sciclops-reporter"
OUTPUTS_FILE = "SCICLOPS_OUTPUTS_FILE"


@dataclass(frozen=True)
class Result:
    """How a job ended and what it gave out."""

    conclusion: Conclusion
    outputs: dict[str, str] = field(default_factory=dict)


def cut(workflow: Json, job: str, leg: Json | None, needs: Mapping[str, Result]) -> Json:
    """Return the workflow with nothing but one job and stubs of what it needs."""
    kept = deepcopy(workflow)
    jobs = kept["jobs"]
    if not isinstance(jobs, dict):
        raise TypeError("a workflow's jobs are a mapping")
    chosen: Json = jobs[job]
    chosen["if"] = "always()"
    if leg is not None:
        chosen["strategy"] = {"matrix": {"include": [literal(leg)]}}
    stubs = {name: stub(needs[name]) for name in words(chosen.get("needs"))}
    kept["jobs"] = stubs | {job: chosen}
    return kept


def with_reporter(workflow: Json, job: str, name: str) -> Json:
    """Add the job that writes the outputs down; `name` is what `github.workflow` has to say."""
    step = {
        "shell": "sh",
        "env": {"OUTPUTS": f"${{{{ toJSON(needs.{job}.outputs) }}}}"},
        "run": f'printf %s "$OUTPUTS" > "${OUTPUTS_FILE}"',
    }
    reporter = stub(Result("success")) | {"needs": job, "if": "always()", "steps": [step]}
    jobs = workflow["jobs"]
    if not isinstance(jobs, dict):
        raise TypeError("a workflow's jobs are a mapping")
    return workflow | {"name": literal(name), "jobs": jobs | {REPORTER: reporter}}


def stub(result: Result) -> Json:
    """Return a job that does nothing and ends as another one did."""
    succeeds = result.conclusion == "success"
    made: Json = {
        "name": STUB,
        "runs-on": "ubuntu-latest",
        "outputs": literal(result.outputs),
        "steps": [{"shell": "sh", "run": "exit 0" if succeeds else "exit 1"}],
    }
    return made | ({"if": False} if result.conclusion == "skipped" else {})


def literal(value: object) -> object:
    """Return a value that act takes as it is, though it may look like an expression."""
    if isinstance(value, dict):
        return {name: literal(held) for name, held in value.items()}
    if isinstance(value, list):
        return [literal(each) for each in value]
    if isinstance(value, str) and "${{" in value:
        quoted = value.replace("'", "''")
        return f"${{{{ '{quoted}' }}}}"
    return value
