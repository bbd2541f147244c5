"""The registry of a workspace, Unity Catalog, by MLflow: what jobs on Databricks use.

MLflow is imported when it is used; Databricks brings it, a laptop need not.
"""

from collections.abc import Mapping

import numpy as np

from . import columns
from .drift import Baseline
from .names import ModelName
from .registry import TrainedModel

_BASELINE = "baseline.json"


class MlflowRegistry:
    """Keeps versions in Unity Catalog, and their training as runs of an experiment."""

    def __init__(
        self, name: ModelName, experiment: str = "", registry_uri: str = "databricks-uc"
    ) -> None:
        import mlflow

        mlflow.set_registry_uri(registry_uri)
        if experiment:
            mlflow.set_experiment(experiment_id=experiment)
        self._mlflow = mlflow
        self._client = mlflow.MlflowClient()
        self._name = name.full

    def register(self, trained: TrainedModel, tags: Mapping[str, str]) -> int:
        """See `Registry`."""
        import mlflow.sklearn

        with self._mlflow.start_run():
            self._mlflow.log_dict(trained.baseline.as_dict(), _BASELINE)
            self._mlflow.log_param("rows", trained.baseline.rows)
            logged = mlflow.sklearn.log_model(
                trained.fitted,
                "model",
                serialization_format="cloudpickle",  # Keeps every kind of scikit-learn model.
                signature=_signature(trained),
                registered_model_name=self._name,
            )
        version = int(logged.registered_model_version)
        self.tag_version(version, tags)
        return version

    def load(self, version: int) -> TrainedModel:
        """See `Registry`."""
        import mlflow.sklearn

        run = self._client.get_model_version(self._name, str(version)).run_id
        stored = self._mlflow.artifacts.load_dict(f"runs:/{run}/{_BASELINE}")
        fitted = mlflow.sklearn.load_model(f"models:/{self._name}/{version}")
        return TrainedModel(fitted, Baseline.from_dict(stored))

    def aliases(self) -> dict[str, int]:
        """See `Registry`."""
        found = self._client.get_registered_model(self._name).aliases
        return {alias: int(version) for alias, version in found.items()}

    def set_alias(self, alias: str, version: int) -> None:
        """See `Registry`."""
        self._client.set_registered_model_alias(self._name, alias, str(version))

    def remove_alias(self, alias: str) -> None:
        """See `Registry`."""
        self._client.delete_registered_model_alias(self._name, alias)

    def tag_version(self, version: int, tags: Mapping[str, str]) -> None:
        """See `Registry`."""
        for key, value in tags.items():
            self._client.set_model_version_tag(self._name, str(version), key, value)

    def tag_model(self, tags: Mapping[str, str]) -> None:
        """See `Registry`."""
        for key, value in tags.items():
            self._client.set_registered_model_tag(self._name, key, value)


def _signature(trained: TrainedModel):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    named = [ColSpec(DataType.double, name, required=False) for name in columns.FEATURES]
    predicted = np.asarray(trained.fitted.predict(np.zeros((1, len(columns.FEATURES)))))
    is_number = predicted.dtype.kind in "fiu"
    outputs = Schema([ColSpec(DataType.double if is_number else DataType.string)])
    return ModelSignature(inputs=Schema(named), outputs=outputs)
