"""Data pull: keep the valid rows of the source, those to learn from or those to score.

On Databricks they replace the model's own table `…_training_rows` or `…_scoring_rows`.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence

from . import about, columns, data, options, tables

TRAINING, SCORING = "training", "scoring"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the source, choose, write."""
    parser = options.parser(__doc__)
    options.add_as_of(parser)
    parser.add_argument("--purpose", choices=(TRAINING, SCORING), default=TRAINING)
    given = options.parse(parser, arguments)
    records = list(source(given))
    valid = data.read(records)
    rows = chosen(valid, given)
    print(f"{len(records)} rows read, {len(records) - len(valid)} of them not valid")
    print(f"{len(rows)} rows for {given.purpose}{_days(rows)}")
    if not given.fixture:
        _write(given, rows)


def chosen(rows: Sequence[data.Row], given: argparse.Namespace) -> list[data.Row]:
    """Return the rows of the training window, or those whose outcome is not known."""
    if given.purpose == SCORING:
        return data.unknown(rows)
    return data.training_rows(rows, about.window_days(), given.as_of)


def source(given: argparse.Namespace) -> Iterable[Mapping[str, object]]:
    """Return the rows of the source; a dummy model without a source has the sample data."""
    if given.fixture:
        return tables.from_csv(given.fixture)
    table = given.model.source(columns.SOURCE_TABLE)
    if tables.exists(table) or not about.is_dummy():
        return tables.from_table(table)
    print(f"{table} does not exist; the template's sample data stands in for it")
    return tables.sample()


def pulled(given: argparse.Namespace, purpose: str) -> list[data.Row]:
    """Return what the task before this one has pulled; of a fixture, what it would pull."""
    if given.fixture:
        given.purpose = purpose
        return chosen(data.read(tables.from_csv(given.fixture)), given)
    return data.read(tables.from_table(given.model.table(f"{purpose}_rows")))


def _write(given: argparse.Namespace, rows: Sequence[data.Row]) -> None:
    types = [f"{columns.KEY} string", f"{columns.DAY} date"]
    types += [f"{name} double" for name in columns.FEATURES]
    types += [f"{columns.TARGET} string"]
    target = given.model.table(f"{given.purpose}_rows")
    tables.write(target, ", ".join(types), [_values(row) for row in rows], "overwrite")
    print(f"written to {target}")


def _values(row: data.Row) -> tuple[object, ...]:
    features = (None if value != value else value for value in row.features)  # NaN is not itself.
    return (row.key, row.day, *features, None if row.outcome is None else str(row.outcome))


def _days(rows: Sequence[data.Row]) -> str:
    if not rows:
        return ""
    days = data.window(rows)
    return f", from {days.start} to {days.end}"


if __name__ == "__main__":
    main()
