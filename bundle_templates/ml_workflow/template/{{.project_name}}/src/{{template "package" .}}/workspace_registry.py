"""The registry of a workspace, Unity Catalog, by its REST interface alone: for runs without MLflow.

A version's files lie where MLflow's own client puts them, but they are not a model that MLflow or
an endpoint could load; jobs on Databricks use `mlflow_registry`, which makes one.
"""

import json
import pickle
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from databricks.sdk import WorkspaceClient

from .drift import Baseline
from .names import ModelName
from .registry import TrainedModel

_MLFLOW = "/api/2.0/mlflow/unity-catalog"


class WorkspaceRegistry:
    """Keeps versions in the workspace that the environment names (DATABRICKS_HOST, …)."""

    def __init__(self, name: ModelName, client: WorkspaceClient | None = None) -> None:
        self._name = name
        self._client = client or WorkspaceClient()

    def register(self, trained: TrainedModel, tags: Mapping[str, str]) -> int:
        """See `Registry`. The version is ready once its files are there."""
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        created = self._post(
            "model-versions/create", source=f"/Models/{self._name.full}", tags=listed
        )
        version = int(created["model_version"]["version"])
        self._upload(version, "model.pkl", pickle.dumps(trained.fitted))
        self._upload(version, "baseline.json", json.dumps(trained.baseline.as_dict()).encode())
        self._post("model-versions/finalize", version=str(version))
        return version

    def load(self, version: int) -> TrainedModel:
        """See `Registry`."""
        fitted = pickle.loads(self._download(version, "model.pkl"))
        baseline = json.loads(self._download(version, "baseline.json"))
        return TrainedModel(fitted, Baseline.from_dict(baseline))

    def aliases(self) -> dict[str, int]:
        """See `Registry`."""
        found = self._client.registered_models.get(self._name.full, include_aliases=True)
        return {str(each.alias_name): int(each.version_num or 0) for each in found.aliases or ()}

    def set_alias(self, alias: str, version: int) -> None:
        """See `Registry`."""
        self._client.registered_models.set_alias(self._name.full, alias, version)

    def remove_alias(self, alias: str) -> None:
        """See `Registry`."""
        self._client.registered_models.delete_alias(self._name.full, alias)

    def tag_version(self, version: int, tags: Mapping[str, str]) -> None:
        """See `Registry`."""
        for key, value in tags.items():
            self._post("model-versions/set-tag", version=str(version), key=key, value=value)

    def tag_model(self, tags: Mapping[str, str]) -> None:
        """See `Registry`."""
        for key, value in tags.items():
            self._post("registered-models/set-tag", key=key, value=value)

    def _post(self, action: str, **body: object) -> Any:
        named = {"name": self._name.full, **body}
        return self._client.api_client.do("POST", f"{_MLFLOW}/{action}", body=named)

    def _upload(self, version: int, file: str, content: bytes) -> None:
        self._client.api_client.do(
            "PUT",
            self._file(version, file),
            query={"overwrite": "true"},
            headers={"Content-Type": "application/octet-stream"},
            data=content,
        )

    def _download(self, version: int, file: str) -> bytes:
        headers = {"Accept": "application/octet-stream"}
        found = self._client.api_client.do(
            "GET", self._file(version, file), headers=headers, raw=True
        )
        with found["contents"] as stream:
            return stream.read()

    def _file(self, version: int, file: str) -> str:
        name = self._name
        parts = (name.catalog, name.schema, name.name, str(version), file)
        return "/api/2.0/fs/files/Models/" + "/".join(quote(part, safe="") for part in parts)
