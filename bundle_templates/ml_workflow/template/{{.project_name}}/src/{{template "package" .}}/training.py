"""Fitting and judging: from rows to a trained model with all that is stored about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import data, drift, model


@dataclass(frozen=True)
class TrainedModel:
    """What a registry keeps: the fitted model and the features that it has learnt."""

    fitted: Any
    baseline: drift.Baseline


def train(rows: Sequence[data.Row]) -> TrainedModel:
    """Fit a new model; `rows` are those to learn from."""
    values = data.features(rows)
    fitted = model.build().fit(values, data.outcomes(rows))
    days = data.window(rows)
    baseline = drift.describe(model.FEATURES, values, days.start.isoformat(), days.end.isoformat())
    return TrainedModel(fitted, baseline)


def judge(trained: TrainedModel, rows: Sequence[data.Row]) -> float:
    """Return how well a model does on these rows; more is better."""
    return model.judge(trained.fitted, data.features(rows), data.outcomes(rows))
