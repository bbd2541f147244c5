"""Drives every endpoint of what is deployed to a workspace through the SDK's own classes."""

import base64
import json
import time
from typing import Any

from databricks.sdk.service import catalog, dashboards, iam, ml, pipelines, serving, sql, workspace
from databricks.sdk.service import jobs as sdk_jobs

HOME = "/Shared/ada-7"
ROOT = f"{HOME}/files"
METADATA = f"/Workspace{HOME}/state/metadata.json"
MAIN = "import sys\n\ndef main():\n    print('ran', *sys.argv[1:])\n"


def upload(here: Any, path: str, content: bytes) -> None:
    """Write a file as the command does."""
    here.do(
        "POST",
        f"/api/2.0/workspace-files/import-file{path}",
        query={"overwrite": "true"},
        data=content,
        headers={"Content-Type": "application/octet-stream"},
    )


def over(api: Any, client: Any) -> Any:
    """Return one of the SDK's service classes, which have no types, on a client."""
    return api(client)


def drive_deployed(here: Any, application_id: str) -> None:
    """Call everything once."""
    drive_files(here)
    drive_jobs(here, application_id)
    drive_pipelines(here)
    drive_models(here)
    drive_experiments(here)
    drive_dashboards(here)


def drive_files(here: Any) -> None:
    """Fill the folder that the rest runs on."""
    api = over(workspace.WorkspaceAPI, here)
    for folder in (f"{ROOT}/src/pack", f"{ROOT}/fixtures", f"{HOME}/state"):
        api.mkdirs(folder)
    upload(here, f"{ROOT}/src/pack/__init__.py", MAIN.encode())
    upload(here, f"{ROOT}/pyproject.toml", b'[project]\nscripts = { main = "pack:main" }\n')
    api.import_(f"{ROOT}/fixtures/rows.csv", content=base64.b64encode(b"a\n1\n").decode())
    exported = api.export(f"{ROOT}/fixtures/rows.csv")
    assert base64.b64decode(str(exported.content)) == b"a\n1\n"
    raw = here.do("GET", f"/api/2.0/workspace-files{ROOT}/fixtures/rows.csv", raw=True)
    assert raw["contents"].read() == b"a\n1\n"
    assert api.get_status(ROOT).object_type == workspace.ObjectType.DIRECTORY
    assert len(list(api.list(ROOT))) == 3
    upload(here, f"{HOME}/gone", b"")
    api.delete(f"{HOME}/gone")


def wheel_task(key: str = "main") -> sdk_jobs.Task:
    """Return a task that runs the package."""
    wheel = sdk_jobs.PythonWheelTask("pack", "main", named_parameters={"x": "{{job.parameters.x}}"})
    return sdk_jobs.Task(task_key=key, python_wheel_task=wheel)


DEPLOYMENT = sdk_jobs.JobDeployment(sdk_jobs.JobDeploymentKind.BUNDLE, metadata_file_path=METADATA)


def drive_jobs(here: Any, application_id: str) -> None:
    """Change, run and share a job."""
    api = over(sdk_jobs.JobsAPI, here)
    parameter = sdk_jobs.JobParameterDefinition(name="x", default="1")
    made = api.create(
        name="deployed", tasks=[wheel_task()], deployment=DEPLOYMENT, parameters=[parameter]
    )
    job_id = int(made.job_id or 0)
    api.update(job_id, new_settings=sdk_jobs.JobSettings(description="new"))
    settings = api.get(job_id).settings
    assert settings is not None
    assert (settings.name, settings.description) == ("deployed", "new")
    api.reset(job_id, settings)
    begun = here.do("POST", "/api/2.2/jobs/run-now", body={"job_id": job_id})
    run_id = int(sdk_jobs.RunNowResponse.from_dict(begun).run_id or 0)
    run = finished(api, run_id)
    assert run.state is not None
    assert run.state.result_state == sdk_jobs.RunResultState.SUCCESS, run.state.state_message
    task = (run.tasks or [])[0]
    assert "ran --x=1 --fixture=" in str(api.get_run_output(int(task.run_id or 0)).logs)
    listed = here.do("GET", "/api/2.2/jobs/runs/list", query={"job_id": job_id})
    runs = sdk_jobs.ListRunsResponse.from_dict(listed).runs or []
    assert [each.run_id for each in runs] == [run_id]
    here.do("POST", "/api/2.2/jobs/runs/cancel", body={"run_id": run_id})
    drive_sharing(here, str(job_id), application_id)
    api.delete(job_id)


def drive_sharing(here: Any, job_id: str, application_id: str) -> None:
    """Share a job and take it back."""
    permissions = over(iam.PermissionsAPI, here)
    view = iam.AccessControlRequest(
        service_principal_name=application_id, permission_level=iam.PermissionLevel.CAN_VIEW
    )
    permissions.update("jobs", job_id, access_control_list=[view])
    read = permissions.get("jobs", job_id).access_control_list or []
    assert application_id in [each.service_principal_name for each in read]
    owner = next(
        each
        for each in read
        if each.all_permissions
        and each.all_permissions[0].permission_level == iam.PermissionLevel.IS_OWNER
    )
    keep = iam.AccessControlRequest(
        service_principal_name=owner.service_principal_name,
        permission_level=iam.PermissionLevel.IS_OWNER,
    )
    permissions.set("jobs", job_id, access_control_list=[keep])
    assert permissions.get_permission_levels("jobs", job_id).permission_levels


def finished(api: sdk_jobs.JobsAPI, run_id: int) -> sdk_jobs.Run:
    """Return a run when it is over."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        run = api.get_run(run_id)
        if run.state and run.state.life_cycle_state in ENDED:
            return run
    raise AssertionError(f"run {run_id} goes on and on")


ENDED = (sdk_jobs.RunLifeCycleState.TERMINATED, sdk_jobs.RunLifeCycleState.SKIPPED)


def drive_pipelines(here: Any) -> None:
    """Change and update a pipeline."""
    api = over(pipelines.PipelinesAPI, here)
    library = pipelines.PipelineLibrary(glob=pipelines.PathPattern(f"{ROOT}/src/**"))
    deployment = pipelines.PipelineDeployment(
        pipelines.DeploymentKind.BUNDLE, metadata_file_path=METADATA
    )
    told: dict[str, Any] = {"libraries": [library], "deployment": deployment, "serverless": True}
    pipeline_id = str(api.create(name="sales", **told).pipeline_id)
    api.update(pipeline_id, name="sales", development=True, **told)
    spec = api.get(pipeline_id).spec
    assert spec is not None
    assert spec.development
    assert [p.pipeline_id for p in api.list_pipelines(filter="name LIKE 'sal%'")] == [pipeline_id]
    update_id = str(api.start_update(pipeline_id).update_id)
    deadline, state = time.monotonic() + 30, None
    while state not in ("COMPLETED", "FAILED") and time.monotonic() < deadline:
        update = api.get_update(pipeline_id, update_id).update
        state = update.state.value if update and update.state else None
    assert state == "COMPLETED"
    assert any("ran --fixture" in str(e.message) for e in api.list_pipeline_events(pipeline_id))
    api.delete(pipeline_id)


FULL = "gbx1_dev.ada7.scores"
VERSIONS = "/api/2.0/mlflow/unity-catalog/model-versions"
ALIAS = "/api/2.0/mlflow/unity-catalog/registered-models/alias"


def drive_models(here: Any) -> None:
    """Register, tag and promote versions of a model; serve one."""
    over(catalog.SchemasAPI, here).create("ada7", "gbx1_dev")
    models, versions = over(catalog.RegisteredModelsAPI, here), over(catalog.ModelVersionsAPI, here)
    models.create(name="scores", catalog_name="gbx1_dev", schema_name="ada7", comment="ours")
    models.update(FULL, comment="still ours")
    assert [each.full_name for each in models.list(catalog_name="gbx1_dev", schema_name="ada7")]
    for number in ("1", "2"):
        body = {"name": FULL, "source": "dbfs:/x", "tags": [{"key": "a", "value": "b"}]}
        made = here.do("POST", f"{VERSIONS}/create", body=body)
        assert f'"version": "{number}"' in json.dumps(made)
    drive_versions(here)
    models.set_alias(FULL, "champion", 1)
    assert (models.get(FULL, include_aliases=True).aliases or [])[0].version_num == 1
    assert versions.get_by_alias(FULL, "champion").version == 1
    versions.update(FULL, 2, comment="better")
    assert versions.get(FULL, 2).comment == "better"
    assert len(list(versions.list(FULL))) == 2
    drive_serving(here)
    models.delete_alias(FULL, "champion")
    versions.delete(FULL, 2)
    models.delete(FULL)
    over(catalog.SchemasAPI, here).delete("gbx1_dev.ada7")


def drive_versions(here: Any) -> None:
    """Call MLflow's own endpoints; the SDK has no classes for them."""
    named = {"name": FULL, "version": "1"}
    file = f"/api/2.0/fs/files/Models/{FULL.replace('.', '/')}/1/model.pkl"
    here.do("PUT", file, data=b"model", headers={"Content-Type": "application/octet-stream"})
    assert here.do("GET", file, raw=True)["contents"].read() == b"model"
    here.do("POST", f"{VERSIONS}/finalize", body=named)
    here.do("POST", f"{VERSIONS}/set-tag", body=named | {"key": "k", "value": "v"})
    here.do("DELETE", f"{VERSIONS}/delete-tag", body=named | {"key": "k"})
    here.do("GET", f"{VERSIONS}/get", query=named)
    here.do("GET", f"{VERSIONS}/search", query={"filter": f"name='{FULL}'"})
    models = ALIAS.rpartition("/")[0]
    here.do("POST", f"{models}/set-tag", body={"name": FULL, "key": "k", "value": "v"})
    here.do("GET", f"{models}/get", query={"name": FULL})
    here.do("DELETE", f"{models}/delete-tag", body={"name": FULL, "key": "k"})
    here.do("POST", ALIAS, body=named | {"alias": "first"})
    here.do("GET", ALIAS, query={"name": FULL, "alias": "first"})
    here.do("DELETE", ALIAS, body={"name": FULL, "alias": "first"})


def drive_serving(here: Any) -> None:
    """Serve the model."""
    api = over(serving.ServingEndpointsAPI, here)
    entity = serving.ServedEntityInput(entity_name=FULL, entity_version="1")
    made = here.do(
        "POST",
        "/api/2.0/serving-endpoints",
        body={"name": "scores", "config": {"served_entities": [entity.as_dict()]}},
    )
    assert serving.ServingEndpointDetailed.from_dict(made).creator
    assert api.get("scores").name == "scores"
    assert len(list(api.list())) == 1
    second = entity.as_dict() | {"entity_version": "2"}
    path = "/api/2.0/serving-endpoints/scores/config"
    changed = here.do("PUT", path, body={"served_entities": [second]})
    assert serving.ServingEndpointDetailed.from_dict(changed).config
    api.delete("scores")


def drive_experiments(here: Any) -> None:
    """Make, rename and delete an experiment."""
    api = over(ml.ExperimentsAPI, here)
    id_ = str(api.create_experiment(f"{HOME}/trial").experiment_id)
    api.update_experiment(id_, new_name=f"{HOME}/trials")
    api.set_experiment_tag(id_, "a", "b")
    found = api.get_experiment(id_).experiment
    assert found is not None
    assert found.name == f"{HOME}/trials"
    by_name = api.get_by_name(f"{HOME}/trials").experiment
    assert by_name is not None
    assert (by_name.tags or [])[0].key == "a"
    api.delete_experiment(id_)


def drive_dashboards(here: Any) -> None:
    """Draft, publish and trash a dashboard."""
    api, warehouses = over(dashboards.LakeviewAPI, here), over(sql.WarehousesAPI, here)
    chosen = str(next(iter(warehouses.list())).id)
    assert warehouses.get(chosen).name == "Serverless Starter Warehouse"
    draft = dashboards.Dashboard(
        display_name="Report",
        parent_path=HOME,
        warehouse_id=chosen,
        serialized_dashboard='{"pages": []}',
    )
    id_ = str(api.create(draft).dashboard_id)
    api.update(id_, dashboards.Dashboard(display_name="Reports"))
    assert api.get(id_).display_name == "Reports"
    assert len(list(api.list())) == 1
    api.publish(id_, embed_credentials=False)
    assert api.get_published(id_).warehouse_id == chosen
    api.trash(id_)
    assert api.get(id_).lifecycle_state == dashboards.LifecycleState.TRASHED
