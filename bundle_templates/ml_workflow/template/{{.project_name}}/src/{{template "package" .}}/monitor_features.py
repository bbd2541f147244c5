"""Feature monitoring: compare the rows to score with those that the champion has learnt from.

On Databricks each run adds to the model's own table `…_feature_drift`. Drift ends the run as
failed, so that somebody hears of it, unless --on-drift says "report".
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from . import columns, data, drift, options, tables
from .data_pull import SCORING, pulled
from .registry import champion_of

TYPES = (
    "measured_at timestamp, version long, feature string, psi double, chance double, "
    "mean_then double, mean_now double, rows long, verdict string"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, tell, and fail where features have drifted."""
    parser = options.parser(__doc__)
    options.add_registry(parser)
    parser.add_argument("--on-drift", choices=("fail", "report"), default="fail")
    given = options.parse(parser, arguments)
    registry = options.registry(given)
    version = champion_of(registry)
    if version is None:
        print(f"{given.model.full} has no champion yet: nothing is compared")
        return
    baseline = registry.load(version).baseline
    rows = pulled(given, SCORING)
    drifts = drift.compare(baseline, columns.FEATURES, data.features(rows))
    print(f"{len(rows)} rows to score against the {baseline.rows} that version {version} learnt")
    print(f"from ({baseline.start} to {baseline.end}):\n\n{drift.table(drifts)}\n")
    if not given.fixture:
        _write(given.model.table("feature_drift"), version, drifts)
    conclude(drifts, given.on_drift)


def conclude(drifts: Sequence[drift.Drift], on_drift: str) -> None:
    """Say what it means; exit with 1 where features have drifted and that is to fail."""
    drifted = [each.feature for each in drifts if each.verdict == "drifted"]
    if not drifted:
        print("no feature has drifted")
        return
    print(f"drifted: {', '.join(drifted)}. Is the source right? Then train anew.")
    if on_drift == "fail":
        sys.exit(1)


def _write(table: str, version: int, drifts: Sequence[drift.Drift]) -> None:
    now = datetime.now(UTC)
    rows = [
        (now, version, each.feature, each.psi, each.chance, each.mean_then, each.mean_now)
        + (each.rows, each.verdict)
        for each in drifts
    ]
    tables.write(table, TYPES, rows, "append")


if __name__ == "__main__":
    main()
