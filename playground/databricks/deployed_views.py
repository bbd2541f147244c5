"""What is deployed to a workspace, as the playground's page shows it: plain JSON."""

from playground import cast
from playground.databricks.access import TYPES, node_id
from playground.databricks.call import Json, stamp
from playground.databricks.deployed import Job, Pipeline, Run
from playground.databricks.state import Securable, Workspace, World

SHOWN_RUNS = 10
SHOWN_OUTPUT = 4000
"""Characters of a task's output, the last ones."""


def deployed(world: World, workspace: Workspace) -> Json:
    """Return jobs, pipelines, models, dashboards, experiments and files of one workspace."""
    return {
        "jobs": [_job(workspace, each) for each in workspace.jobs.values()],
        "pipelines": [_pipeline(workspace, each) for each in workspace.pipelines.values()],
        "models": [_model(each) for each in _models(world, workspace)],
        "dashboards": _dashboards(workspace),
        "experiments": _experiments(workspace),
        "endpoints": [
            {"name": each.name, "creator": each.creator, "entities": each.entities}
            for each in workspace.endpoints.values()
        ],
        "files": sorted(
            path for path, each in workspace.nodes.items() if each.kind in TYPES and path
        ),
    }


def _job(workspace: Workspace, job: Job) -> Json:
    runs = [each for each in workspace.runs.values() if each.job_id == job.job_id]
    settings = job.settings
    return {
        "id": job.job_id,
        "name": settings["name"],
        "creator": job.creator,
        "tags": settings.get("tags") or {},
        "schedule": settings.get("schedule") or {},
        "access": dict(workspace.access.get(f"/jobs/{job.job_id}", {})),
        "tasks": [
            {"key": each.get("task_key"), "after": _upstream(each)}
            for each in settings.get("tasks") or []
        ],
        "runs": [_run(each) for each in runs[-SHOWN_RUNS:]],
    }


def _upstream(task: Json) -> list[str]:
    return [str(each.get("task_key")) for each in task.get("depends_on") or []]


def _run(run: Run) -> Json:
    return {
        "id": run.run_id,
        "number": run.number,
        "state": run.result or run.life_cycle,
        "message": run.message,
        "started": stamp(run.created),
        "ended": stamp(run.ended) if run.ended else "",
        "by": run.creator,
        "tasks": [
            {
                "key": each.key,
                "state": each.result or each.life_cycle,
                "message": each.message,
                "output": each.output[-SHOWN_OUTPUT:],
            }
            for each in run.tasks
        ],
    }


def _pipeline(workspace: Workspace, pipeline: Pipeline) -> Json:
    return {
        "id": pipeline.pipeline_id,
        "name": pipeline.spec["name"],
        "creator": pipeline.creator,
        "development": bool(pipeline.spec.get("development")),
        "tags": pipeline.spec.get("tags") or {},
        "access": dict(workspace.access.get(f"/pipelines/{pipeline.pipeline_id}", {})),
        "updates": [
            {
                "id": each.update_id,
                "state": each.state,
                "started": stamp(each.created),
                "message": each.message,
                "output": each.output[-SHOWN_OUTPUT:],
            }
            for each in list(pipeline.updates.values())[-SHOWN_RUNS:]
        ],
    }


def _models(world: World, workspace: Workspace) -> list[Securable]:
    """Return the models in the catalog of a workspace's stage."""
    catalog = f"{cast.catalog(workspace.group, workspace.stage)}."
    return [
        each
        for each in world.securables.values()
        if each.kind == "MODEL" and each.full_name.startswith(catalog)
    ]


def _model(model: Securable) -> Json:
    return {
        "name": model.full_name,
        "owner": model.owner,
        "tags": dict(model.properties),
        "aliases": dict(model.aliases),
        "versions": [
            {"version": each.version, "status": each.status, "tags": dict(each.tags)}
            for each in model.versions.values()
        ],
    }


def _dashboards(workspace: Workspace) -> list[Json]:
    return [
        {
            "id": each.facts["id"],
            "name": each.facts["display_name"],
            "creator": each.creator,
            "published": each.facts["published"] is not None,
            "access": dict(workspace.access.get(node_id(each), {})),
        }
        for each in workspace.nodes.values()
        if each.kind == "DASHBOARD" and not each.facts["trashed"]
    ]


def _experiments(workspace: Workspace) -> list[Json]:
    return [
        {"id": str(each.object_id), "name": each.path, "creator": each.creator}
        for each in workspace.nodes.values()
        if each.kind == "MLFLOW_EXPERIMENT"
    ]
