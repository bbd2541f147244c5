"""Score: let the champion predict the outcomes that nobody knows yet.

On Databricks the predictions replace the model's own table `…_predictions`.
"""

import csv
import sys
from collections.abc import Sequence
from datetime import date

from . import columns, data, options, tables
from .data_pull import SCORING, pulled
from .registry import champion_of

Prediction = tuple[str, date, object, int]


def main(arguments: Sequence[str] | None = None) -> None:
    """Predict and write; without a champion there is nothing to do yet."""
    parser = options.parser(__doc__)
    options.add_registry(parser)
    given = options.parse(parser, arguments)
    registry = options.registry(given)
    version = champion_of(registry)
    if version is None:
        print(f"{given.model.full} has no champion yet: nothing is scored")
        return
    champion = registry.load(version)
    if tuple(champion.baseline.features) != columns.FEATURES:
        sys.exit(f"version {version} has learnt from other features: train anew, then score")
    found = predictions(champion.fitted, pulled(given, SCORING), version)
    if given.fixture:
        _print(found)
    else:
        _write(given.model.table("predictions"), found)


def predictions(fitted, rows: Sequence[data.Row], version: int) -> list[Prediction]:
    """Return key, day, prediction and the version that made it, for each row."""
    if not rows:
        return []
    predicted = fitted.predict(data.features(rows)).tolist()
    return [(row.key, row.day, value, version) for row, value in zip(rows, predicted, strict=True)]


def _print(found: Sequence[Prediction]) -> None:
    output = csv.writer(sys.stdout, lineterminator="\n")
    output.writerow((columns.KEY, columns.DAY, columns.TARGET, "version"))
    output.writerows(found)


def _write(table: str, found: Sequence[Prediction]) -> None:
    kind = "string" if found and isinstance(found[0][2], str) else "double"
    types = f"{columns.KEY} string, {columns.DAY} date, {columns.TARGET} {kind}, version long"
    tables.write(table, types, found, "overwrite")
    print(f"{len(found)} rows written to {table}")


if __name__ == "__main__":
    main()
