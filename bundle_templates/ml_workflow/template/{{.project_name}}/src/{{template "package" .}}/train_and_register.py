"""Train and register: fit on the training window, judge on its newest rows, register, promote.

With --fixture the model is kept in a folder, or in a workspace with --registry workspace.
"""

from collections.abc import Sequence

from . import about, data, model, options, promotion
from .data_pull import TRAINING, pulled
from .names import ModelName
from .registry import CHALLENGER, CHAMPION, TrainedModel
from .training import train


def main(arguments: Sequence[str] | None = None) -> None:
    """Train one version and say what became of it."""
    parser = options.parser(__doc__)
    options.add_registry(parser)
    options.add_as_of(parser)
    parser.add_argument("--experiment", default="", help="id of the MLflow experiment")
    parser.add_argument("--workflow-version", default="0", help="version of the release")
    given = options.parse(parser, arguments)
    learn, hold_out = data.split(pulled(given, TRAINING))
    trained = train(learn)
    days = data.window([*learn, *hold_out])
    tags = version_tags(given.model, days, given.workflow_version)
    registry = options.registry(given)
    registry.tag_model(model_tags(given.model))
    result = promotion.register(registry, trained, hold_out, tags)
    _report(given.model, trained, days, len(hold_out), result)


def model_tags(name: ModelName) -> dict[str, str]:
    """Return what is true of all versions."""
    return {**about.tags(), "model_name": name.name}


def version_tags(name: ModelName, days: data.Window, workflow_version: str) -> dict[str, str]:
    """Return what a version is registered with."""
    return {
        **model_tags(name),
        "training_window_start": days.start.isoformat(),
        "training_window_end": days.end.isoformat(),
        "workflow_version": workflow_version,
    }


def _report(
    name: ModelName,
    trained: TrainedModel,
    days: data.Window,
    held_out: int,
    result: promotion.Registration,
) -> None:
    print(f"learnt from {trained.baseline.rows} rows, {days.start} to {days.end}")
    print(f"{model.METRIC} on the newest {held_out} rows: {result.score:.4f}")
    role = CHAMPION if result.verdict.promoted else CHALLENGER
    print(f"{name.full} version {result.version} is the {role}: {result.verdict.reason}")


if __name__ == "__main__":
    main()
