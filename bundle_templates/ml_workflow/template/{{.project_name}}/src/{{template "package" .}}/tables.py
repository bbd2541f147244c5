"""Reading and writing rows: CSV files anywhere, tables on Databricks only."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from io import StringIO
from pathlib import Path

from . import columns


def from_csv(file: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file with a header."""
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def sample() -> list[dict[str, str]]:
    """Return the sample data, which the wheel brings along."""
    text = (resources.files(__package__) / "observations.csv").read_text("utf-8")
    return list(csv.DictReader(StringIO(text)))


def exists(table: str) -> bool:
    """Tell whether there is such a table."""
    return _spark().catalog.tableExists(table)


def from_table(table: str) -> Iterable[Mapping[str, object]]:
    """Return the columns of a table that the model knows."""
    names = (columns.KEY, columns.DAY, *columns.FEATURES, columns.TARGET)
    found = _spark().table(table).select(*names)
    return (row.asDict() for row in found.toLocalIterator())


def write(table: str, types: str, rows: Sequence[tuple[object, ...]], mode: str) -> None:
    """Write rows with columns such as "day date, rows long"; the mode is Spark's."""
    frame = _spark().createDataFrame(list(rows), types)
    frame.write.mode(mode).option("overwriteSchema", mode == "overwrite").saveAsTable(table)


def _spark():
    from pyspark.sql import SparkSession  # Only Databricks has it; tests do without.

    return SparkSession.builder.getOrCreate()
