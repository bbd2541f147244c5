"""Which tables are ours: the durable engine keeps its own in the same database."""

from sqlmodel import SQLModel

from provisioning import tables, upgrade_tables

METADATA = SQLModel.metadata
OURS = frozenset(
    str(table.__tablename__)
    for table in (*vars(tables).values(), *vars(upgrade_tables).values())
    if isinstance(table, type) and issubclass(table, SQLModel) and table is not SQLModel
)


def is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Tell Alembic whether something in the database is ours to compare."""
    del parents
    return kind != "table" or name in OURS
