"""Who may see, change and read what is deployed to a workspace; each refusal of the vendor's."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks_standin import Standin, running

from playground import cast

FULL = "gbx1_dev.ada7.scores"
MODELS = "/api/2.1/unity-catalog/models"
VERSIONS = "/api/2.0/mlflow/unity-catalog/model-versions"


@pytest.fixture
def standin() -> Iterator[Standin]:
    yield from running()


Pair = tuple[tuple[str, WorkspaceClient], tuple[str, WorkspaceClient]]


@pytest.fixture
def pair(standin: Standin) -> Pair:
    """The application ids and clients of two ordinary principals."""
    made = [standin.project_principal() for _ in range(2)]
    clients = [(app, standin.workspace("development", app, secret)) for _, app, secret in made]
    return clients[0], clients[1]


def share(client: WorkspaceClient, kind: str, id_: object, entries: dict[str, str]) -> None:
    listed = [
        {"service_principal_name": who, "permission_level": level} for who, level in entries.items()
    ]
    path = f"/api/2.0/permissions/{kind}/{id_}"
    client.api_client.do("PUT", path, body={"access_control_list": listed})


def post(client: WorkspaceClient, path: str, **body: Any) -> Any:
    return client.api_client.do("POST", path, body=body)


def test_a_job_is_its_makers_until_it_is_shared(pair: Pair) -> None:
    (me, mine), (other, theirs) = pair
    job_id = post(mine, "/api/2.2/jobs/create", name="nightly")["job_id"]
    with pytest.raises(PermissionDenied):
        theirs.jobs.get(job_id)
    assert list(theirs.jobs.list()) == []
    share(mine, "jobs", job_id, {me: "IS_OWNER", other: "CAN_VIEW"})
    assert theirs.jobs.get(job_id).creator_user_name == me
    for path in ("reset", "delete", "run-now"):
        with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
            post(theirs, f"/api/2.2/jobs/{path}", job_id=job_id)
    with pytest.raises(PermissionDenied, match="Manage"):
        share(theirs, "jobs", job_id, {other: "IS_OWNER"})
    share(mine, "jobs", job_id, {me: "IS_OWNER", other: "CAN_MANAGE_RUN"})
    assert post(theirs, "/api/2.2/jobs/run-now", job_id=job_id)["run_id"]


def test_a_job_has_exactly_one_owner_and_only_owners_give_it_away(pair: Pair) -> None:
    (me, mine), (other, theirs) = pair
    job_id = post(mine, "/api/2.2/jobs/create", name="nightly")["job_id"]
    for entries in ({me: "CAN_MANAGE"}, {me: "IS_OWNER", other: "IS_OWNER"}):
        with pytest.raises(Exception, match="exactly one owner"):
            share(mine, "jobs", job_id, entries)
    share(mine, "jobs", job_id, {me: "IS_OWNER", other: "CAN_MANAGE"})
    with pytest.raises(PermissionDenied, match="change the owner"):
        share(theirs, "jobs", job_id, {other: "IS_OWNER"})
    share(mine, "jobs", job_id, {other: "IS_OWNER"})
    with pytest.raises(PermissionDenied):
        mine.jobs.get(job_id)
    assert theirs.jobs.get(job_id).run_as_user_name == other


def test_a_home_is_its_owners_and_what_they_share_of_it(pair: Pair) -> None:
    (me, mine), (other, theirs) = pair
    home = f"/Workspace/Users/{me}"
    mine.workspace.mkdirs(f"{home}/.bundle/ada")
    content = base64.b64encode(b"{}").decode()
    mine.workspace.import_(f"{home}/.bundle/ada/state.json", content=content)
    for act in (
        lambda: theirs.workspace.mkdirs(f"{home}/mine"),
        lambda: theirs.workspace.export(f"{home}/.bundle/ada/state.json"),
        lambda: theirs.workspace.delete(f"{home}/.bundle", recursive=True),
    ):
        with pytest.raises(PermissionDenied):
            act()
    folder = mine.workspace.get_status(f"{home}/.bundle/ada").object_id
    share(mine, "directories", folder, {other: "CAN_READ"})
    read = theirs.workspace.export(f"{home}/.bundle/ada/state.json").content
    assert base64.b64decode(str(read)) == b"{}"
    with pytest.raises(PermissionDenied):
        theirs.workspace.import_(f"{home}/.bundle/ada/x", content=content)
    with pytest.raises(PermissionDenied):
        theirs.workspace.list(f"{home}").__next__()


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/import-file/Users/nobody/x", None, "RESOURCE_DOES_NOT_EXIST"),
        ("/import-file/Shared/../x", None, "INVALID_PARAMETER_VALUE"),
        ("/import-file/Shared/there", None, "RESOURCE_ALREADY_EXISTS"),
    ],
)
def test_files_are_refused_as_the_vendor_refuses_them(
    standin: Standin, path: str, body: Any, code: str
) -> None:
    raw = "/api/2.0/workspace-files"
    standin.ask("POST", f"{raw}/import-file/Shared/there", body, stage="development")
    url = path.replace("/../", "/%2E%2E/")
    answer = standin.ask("POST", raw + url, body, stage="development")
    assert answer.json()["error_code"] == code


def test_folders_that_hold_something_go_recursively_only(standin: Standin) -> None:
    bot = standin.workspace()
    bot.workspace.mkdirs("/Shared/a/b")
    with pytest.raises(Exception, match="is not empty"):
        bot.workspace.delete("/Shared/a")
    bot.workspace.delete("/Shared/a", recursive=True)
    with pytest.raises(NotFound):
        bot.workspace.get_status("/Shared/a/b")
    with pytest.raises(Exception, match="protected"):
        bot.workspace.delete("/Users", recursive=True)


def give(standin: Standin, who: str, *privileges: Privilege) -> None:
    bot = standin.workspace()
    for kind, name, some in (
        ("catalog", "gbx1_dev", (Privilege.USE_CATALOG,)),
        ("schema", "gbx1_dev.ada7", privileges),
    ):
        bot.grants.update(kind, name, changes=[PermissionsChange(principal=who, add=list(some))])


def test_models_need_the_right_to_make_them_and_belong_to_their_maker(
    standin: Standin, pair: Pair
) -> None:
    (me, mine), (other, theirs) = pair
    standin.workspace().schemas.create("ada7", "gbx1_dev")
    give(standin, me, Privilege.USE_SCHEMA)
    told = {"name": "scores", "catalog_name": "gbx1_dev", "schema_name": "ada7"}
    with pytest.raises(PermissionDenied, match="CREATE MODEL"):
        post(mine, MODELS, **told)
    give(standin, me, Privilege.CREATE_MODEL)
    assert post(mine, MODELS, **told)["full_name"] == FULL
    give(standin, other, Privilege.USE_SCHEMA, Privilege.EXECUTE)
    assert theirs.registered_models.get(FULL).owner == me
    version = post(mine, f"{VERSIONS}/create", name=FULL, source="dbfs:/x")["model_version"]
    assert version["status"] == "PENDING_REGISTRATION"
    for act in (
        lambda: post(theirs, f"{VERSIONS}/create", name=FULL, source="dbfs:/x"),
        lambda: theirs.registered_models.set_alias(FULL, "champion", 1),
        lambda: post(theirs, f"{VERSIONS}/set-tag", name=FULL, version="1", key="k", value="v"),
        lambda: theirs.registered_models.delete(FULL),
    ):
        with pytest.raises(PermissionDenied):
            act()
    give(standin, other, Privilege.APPLY_TAG)
    post(theirs, f"{VERSIONS}/set-tag", name=FULL, version="1", key="k", value="v")


def test_aliases_move_and_go_with_their_versions(standin: Standin) -> None:
    bot = standin.workspace()
    bot.schemas.create("ada7", "gbx1_dev")
    give(standin, standin.databricks.bot_client_id, Privilege.CREATE_MODEL)
    bot.registered_models.create(name="scores", catalog_name="gbx1_dev", schema_name="ada7")
    for number in ("1", "2"):
        made = post(bot, f"{VERSIONS}/create", name=FULL, source="dbfs:/x")
        assert made["model_version"]["version"] == number
    with pytest.raises(NotFound):
        bot.registered_models.set_alias(FULL, "champion", 3)
    with pytest.raises(NotFound):
        post(bot, f"{VERSIONS}/set-tag", name=FULL, version="3", key="k", value="v")
    bot.registered_models.set_alias(FULL, "champion", 1)
    bot.registered_models.set_alias(FULL, "champion", 2)
    found = bot.registered_models.get(FULL, include_aliases=True).aliases or []
    assert [(each.alias_name, each.version_num) for each in found] == [("champion", 2)]
    bot.model_versions.delete(FULL, 2)
    assert not bot.registered_models.get(FULL, include_aliases=True).aliases
    post(bot, f"{VERSIONS}/finalize", name=FULL, version="1")
    file = f"/api/2.0/fs/files/Models/{FULL.replace('.', '/')}/1/model.pkl"
    with pytest.raises(PermissionDenied, match="finished"):
        bot.api_client.do("PUT", file, data=b"x")
    with pytest.raises(NotFound):
        bot.api_client.do("GET", file, raw=True)


def test_an_endpoint_serves_only_versions_that_exist(standin: Standin) -> None:
    bot = standin.workspace()
    bot.schemas.create("ada7", "gbx1_dev")
    entity = {"entity_name": FULL, "entity_version": "1"}
    with pytest.raises(NotFound):
        post(bot, "/api/2.0/serving-endpoints", name="s", config={"served_entities": [entity]})


def test_a_dashboard_goes_to_the_trash_and_frees_its_name(standin: Standin) -> None:
    bot, told = standin.workspace(), {"display_name": "Report", "parent_path": "/Shared"}
    path = "/api/2.0/lakeview/dashboards"
    made = post(bot, path, **told)["dashboard_id"]
    with pytest.raises(Exception, match="already exists"):
        post(bot, path, **told)
    with pytest.raises(Exception, match="needs a warehouse"):
        bot.lakeview.publish(made)
    with pytest.raises(Exception, match="no valid JSON"):
        post(bot, path, **told | {"display_name": "x", "serialized_dashboard": "{"})
    bot.lakeview.trash(made)
    assert post(bot, path, **told)["dashboard_id"] != made


def test_an_old_tag_of_a_dashboard_changes_nothing(standin: Standin) -> None:
    bot = standin.workspace()
    made = post(bot, "/api/2.0/lakeview/dashboards", display_name="R", parent_path="/Shared")
    path = f"/api/2.0/lakeview/dashboards/{made['dashboard_id']}"
    bot.api_client.do("PATCH", path, body={"display_name": "R2", "etag": made["etag"]})
    with pytest.raises(Exception, match="changed since"):
        bot.api_client.do("PATCH", path, body={"display_name": "R3", "etag": made["etag"]})


def test_the_page_sees_what_is_deployed(standin: Standin, pair: Pair) -> None:
    (_, mine), _ = pair
    post(mine, "/api/2.2/jobs/create", name="[dev ada] nightly", tags={"dev": "ada"})
    shown: Any = standin.databricks.snapshot()
    here = next(each for each in shown["workspaces"] if each["name"] == "acme-gbx1-development")
    (job,) = here["jobs"]
    assert (job["name"], job["creator"], job["tags"]) == (
        "[dev ada] nightly",
        "ada-7",
        {"dev": "ada"},
    )
    assert job["access"] == {"ada-7": "IS_OWNER"}
    assert {"pipelines", "models", "dashboards", "experiments", "endpoints"} <= here.keys()


def test_people_see_a_shared_job_through_their_group(standin: Standin, pair: Pair) -> None:
    (me, mine), _ = pair
    job_id = post(mine, "/api/2.2/jobs/create", name="nightly")["job_id"]
    listed = [
        {"service_principal_name": me, "permission_level": "IS_OWNER"},
        {"group_name": "aad-data-science", "permission_level": "CAN_VIEW"},
    ]
    path = f"/api/2.0/permissions/jobs/{job_id}"
    mine.api_client.do("PUT", path, body={"access_control_list": listed})
    assert standin.person(cast.ADA.email).jobs.get(job_id).job_id == job_id
    with pytest.raises(PermissionDenied):
        standin.person(cast.DORA.email).jobs.get(job_id)
