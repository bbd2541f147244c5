"""What people and bundles have put where a project lives: lost with it, or left over after it."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from functools import partial

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from provisioning.adapters.databricks.connection import Accounts, translated
from provisioning.adapters.databricks.names import Names
from provisioning.project import Environment, ProjectSpec
from provisioning.removal_ports import Held

Look = Callable[[], list[Held]]


class HeldInWorkspaces:
    """Looks everywhere side by side; safe to use from several threads."""

    def __init__(self, accounts: Accounts, executor: Executor) -> None:
        self._accounts = accounts
        self._executor = executor

    def held(self, spec: ProjectSpec, client_ids: Collection[str]) -> tuple[Held, ...]:
        """Return what the schemas hold, and the jobs and pipelines of the principals."""
        looks: list[Look] = []
        for environment in spec.environments():
            schema = Names(spec, environment, self._accounts.catalog(environment)).schema
            looks.append(partial(self._in_schema, environment, schema))
            looks.append(partial(self._made_by, environment, frozenset(client_ids)))
        running = [self._executor.submit(look) for look in looks]
        return tuple(held for each in running for held in each.result())

    def _in_schema(self, environment: Environment, schema: str) -> list[Held]:
        workspace = self._accounts.workspace(environment)
        with translated(f"look into the schema {schema}"):
            try:
                found = list(_contents(workspace, *schema.split(".")))
            except NotFound:
                return []
        where = environment.name
        return [Held(kind=k, name=n, environment=where, inside=True) for k, n in found]

    def _made_by(self, environment: Environment, makers: frozenset[str]) -> list[Held]:
        workspace = self._accounts.workspace(environment)
        with translated(f"list the jobs and pipelines of {environment.name}"):
            jobs = [
                ("job", job.settings.name if job.settings else "")
                for job in workspace.jobs.list()
                if job.creator_user_name in makers
            ]
            pipelines = [
                ("pipeline", pipeline.name)
                for pipeline in workspace.pipelines.list_pipelines()
                if pipeline.creator_user_name in makers
            ]
        where = environment.name
        return [Held(kind=k, name=n or "?", environment=where) for k, n in (*jobs, *pipelines)]


def _contents(workspace: WorkspaceClient, catalog: str, schema: str) -> Iterator[tuple[str, str]]:
    for table in workspace.tables.list(catalog, schema):
        yield "table", table.full_name or ""
    for volume in workspace.volumes.list(catalog, schema):
        yield "volume", volume.full_name or ""
    for model in workspace.registered_models.list(catalog_name=catalog, schema_name=schema):
        yield "model", model.full_name or ""
