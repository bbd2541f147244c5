"""Which versions projects are made of, which ones they are offered, and how all of them stand."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, and_, case, false, or_
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.tables import ProjectRow
from provisioning.upgrade_tables import VersionRow
from provisioning.versions import Standing, TemplateVersion, Upgrade

OPEN = ("open", "conflicts")
"""What a pull request is in that somebody may still merge."""
Present = Mapping[str, str]
"""The digest of each template's present version."""


class Versions:
    """One row for each project; of projects without one nothing is known yet."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, project: str) -> VersionRow:
        """Return what is known of a project's versions."""
        with self._database.reading() as session:
            return session.get(VersionRow, project) or VersionRow(project=project, template="")

    def made(self, project: str, template: str, version: TemplateVersion, commit: str) -> None:
        """Note what a new project was made from; whatever had its name before is forgotten."""

        def change(row: VersionRow) -> None:
            if row.commit != commit:
                fresh = VersionRow(project=project, template=template).model_dump()
                row.sqlmodel_update({**fresh, "modules": row.modules})
            row.template, row.commit = template, commit
            row.version, row.version_name = version.digest, version.name

        self._change(project, change)

    def applied(self, project: str, modules: str) -> None:
        """Note which modules Terraform has applied."""

        def change(row: VersionRow) -> None:
            row.modules = modules

        self._change(project, change)

    def offered(self, project: str, upgrade: Upgrade) -> None:
        """Note which version a pull request offers."""

        def change(row: VersionRow) -> None:
            _offer(row, upgrade)
            row.pull, row.pull_url = upgrade.pull, upgrade.url
            row.pull_state = "conflicts" if upgrade.is_conflict else "open"
            row.contested = list(upgrade.contested)

        self._change(project, change)

    def has(self, project: str, upgrade: Upgrade) -> None:
        """Note that `main` holds a version already, so that nothing is offered."""

        def change(row: VersionRow) -> None:
            _offer(row, upgrade)
            row.pull_state, row.contested = "", []
            _take(row)

        self._change(project, change, taking=True)

    def ended(self, project: str, pull: int, state: str, *, taken: bool) -> VersionRow | None:
        """Note the end of a pull request; `taken` says that `main` holds what it offered.

        None if it had ended before, or another one is open by now.
        """
        with self._database.writing() as session:
            row = session.exec(_one(project)).first()
            if row is None or row.pull != pull or row.pull_state not in OPEN:
                return None
            row.pull_state, row.contested = state, []
            if taken:
                _take(row)
                self._note(session, row)
            session.add(row)
            return row

    def resolved(self, project: str, pull: int) -> None:
        """Note that somebody has merged by hand what git could not."""

        def change(row: VersionRow) -> None:
            if (row.pull, row.pull_state) == (pull, "conflicts"):
                row.pull_state, row.contested = "open", []

        self._change(project, change)

    def failed(self, project: str, why: str) -> None:
        """Note why an upgrade has failed; the next one that doesn't takes that back."""

        def change(row: VersionRow) -> None:
            row.trouble = why

        self._change(project, change)

    def to_look_at(self, before: datetime, limit: int) -> Sequence[VersionRow]:
        """Return the open pull requests that were looked at before then, and note it as done."""
        looked = col(VersionRow.looked_at)
        rows = (
            select(VersionRow)
            .where(col(VersionRow.pull_state).in_(OPEN))
            .where(or_(looked.is_(None), looked <= before))
            .order_by(looked.asc().nulls_first(), col(VersionRow.project))
        )
        with self._database.writing() as session:
            found = session.exec(rows.limit(limit).with_for_update()).all()
            for row in found:
                row.looked_at = self._clock.now()
                session.add(row)
            return found

    # ------------------------------------------------------------------ all projects

    def counts(self, present: Present) -> dict[Standing, int]:
        """Return how many living projects stand in which way; those with none are left out."""
        standing = _standing(present)
        rows = (
            select(standing, func.count())
            .select_from(ProjectRow)
            .outerjoin(VersionRow, _is_of_project())
            .where(ProjectRow.state == "ready")
            .group_by(standing)
        )
        with self._database.reading() as session:
            return {cast("Standing", name): number for name, number in session.exec(rows)}

    def standing(
        self, present: Present, wanted: Sequence[Standing], *, limit: int, offset: int = 0
    ) -> Sequence[tuple[ProjectRow, VersionRow | None]]:
        """Return living projects that stand in one of these ways, by name."""
        rows = (
            select(ProjectRow, VersionRow)
            .outerjoin(VersionRow, _is_of_project())
            .where(ProjectRow.state == "ready", _standing(present).in_(wanted))
        )
        with self._database.reading() as session:
            ordered = rows.order_by(col(ProjectRow.name)).limit(limit).offset(offset)
            return [(project, version) for project, version in session.exec(ordered)]

    def with_other_modules(self, modules: str) -> int:
        """Return how many living projects Terraform has made from other modules."""
        rows = (
            select(func.count())
            .select_from(ProjectRow)
            .outerjoin(VersionRow, _is_of_project())
            .where(ProjectRow.state == "ready")
            .where(func.coalesce(col(VersionRow.modules), "") != modules)
        )
        with self._database.reading() as session:
            return session.exec(rows).one()

    # ------------------------------------------------------------------ changing

    def _change(
        self, project: str, change: Callable[[VersionRow], None], *, taking: bool = False
    ) -> None:
        with self._database.writing() as session:
            insert_once(session, VersionRow(project=project, template=_template(session, project)))
            row = session.exec(_one(project)).one()
            before = row.version
            change(row)
            if taking and row.version != before:
                self._note(session, row)
            session.add(row)

    def _note(self, session: Session, row: VersionRow) -> None:
        entry = audit.Entry(
            project=row.project,
            who=audit.US,
            what="main has a version of the template",
            detail={"version": row.version_name, "pull request": row.pull},
        )
        audit.append(session, self._clock.now(), entry)


def _offer(row: VersionRow, upgrade: Upgrade) -> None:
    row.trouble = ""
    row.offered_commit = upgrade.commit
    if upgrade.version:
        row.offered, row.offered_name = upgrade.version.digest, upgrade.version.name


def _take(row: VersionRow) -> None:
    row.version, row.version_name = row.offered, row.offered_name
    row.commit = row.offered_commit


def _template(session: Session, project: str) -> str:
    found = session.get(ProjectRow, project)
    return str(found.spec.get("template", "")) if found else ""


def _one(project: str) -> SelectOfScalar[VersionRow]:
    return select(VersionRow).where(VersionRow.project == project).with_for_update()


def _is_of_project() -> ColumnElement[bool]:
    return col(VersionRow.project) == col(ProjectRow.name)


def _standing(present: Present) -> ColumnElement[str]:
    is_open = col(VersionRow.pull_state) == "open"
    return case(
        (_is(present, col(VersionRow.version)), "current"),
        (col(VersionRow.trouble) != "", "failed"),
        (col(VersionRow.pull_state) == "conflicts", "conflicts"),
        (and_(is_open, _is(present, col(VersionRow.offered))), "waiting"),
        else_="behind",
    )


def _is(present: Present, version: Mapped[str]) -> ColumnElement[bool]:
    """Tell whether a version is the present one of the project's template."""
    template = col(VersionRow.template)
    either = (and_(template == name, version == digest) for name, digest in present.items())
    return or_(false(), *either)
