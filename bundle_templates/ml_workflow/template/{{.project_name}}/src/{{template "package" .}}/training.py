"""Fitting and judging: from rows to a trained model with all that is stored about it."""

from collections.abc import Sequence

from . import columns, data, drift, model
from .registry import TrainedModel


def train(rows: Sequence[data.Row]) -> TrainedModel:
    """Fit a new model; `rows` are those to learn from."""
    values = data.features(rows)
    fitted = model.build().fit(values, data.outcomes(rows))
    days = data.window(rows)
    baseline = drift.describe(
        columns.FEATURES, values, days.start.isoformat(), days.end.isoformat()
    )
    return TrainedModel(fitted, baseline)


def judge(trained: TrainedModel, rows: Sequence[data.Row]) -> float:
    """Return how well a model does on these rows; more is better."""
    return model.judge(trained.fitted, data.features(rows), data.outcomes(rows))
