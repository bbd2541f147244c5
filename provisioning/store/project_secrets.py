"""Which secrets a project has: their names and stages, noted once their places are made."""

from collections.abc import Iterable

from sqlmodel import select

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.errors import PermanentError
from provisioning.project import ProjectSpec
from provisioning.project_secrets import with_secret
from provisioning.tables import OperationRow, ProjectRow


class ProjectSecrets:
    """The names of projects' secrets; no value is ever here."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def keep(self, operation: str, name: str, stages: Iterable[str]) -> None:
        """Let the operation's project have a secret in these stages, or not at all without any.

        The same again changes nothing. Whatever else the project has become meanwhile stays.
        """
        with self._database.writing() as session:
            run = session.get(OperationRow, operation)
            if run is None:
                raise PermanentError(f"There is no run {operation}; nothing was changed.")
            rows = select(ProjectRow).where(ProjectRow.name == run.project).with_for_update()
            project = session.exec(rows).one()
            before = ProjectSpec.model_validate(project.spec)
            after = with_secret(before, name, stages)
            if after == before:
                return
            project.spec = after.model_dump(mode="json")
            session.add(project)
            kept = [each for each in after.secrets if each.name == name]
            detail = {
                "operation": operation,
                "secret": name,
                "stages": list(kept[0].stages) if kept else [],
            }
            what = "has a secret" if kept else "no longer has a secret"
            entry = audit.Entry(project=run.project, who=audit.US, what=what, detail=detail)
            audit.append(session, self._clock.now(), entry)
