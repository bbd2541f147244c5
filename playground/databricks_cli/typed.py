"""Checks resources with the vendor's typed models (`databricks-bundles`), where installed."""

import importlib
from typing import Any

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree

MODELS = {
    "jobs": ("jobs", "Job"),
    "pipelines": ("pipelines", "Pipeline"),
    "registered_models": ("registered_models", "RegisteredModel"),
    "experiments": ("experiments", "MlflowExperiment"),
    "dashboards": ("dashboards", "Dashboard"),
}
"""Kinds that can be deployed here, with module and class of their model."""
UNKNOWN = "Unexpected field"


def check(kind: str, key: str, resource: Any) -> list[str]:
    """Return warnings about a resource; refuse what is of a wrong type, or of no known kind."""
    if kind not in MODELS:
        raise CliError(f"resources.{kind}.{key}: this kind is not supported by the stand-in")
    if not isinstance(resource, dict):
        raise CliError(f"expected a map, found something else: resources.{kind}.{key}")
    model = _model(kind)
    if model is None:
        return []
    try:
        model.from_dict(_without_nulls(resource))
    except (ValueError, TypeError, KeyError) as error:
        if UNKNOWN in str(error):
            return [f"unknown field: {error} (resources.{kind}.{key})"]
        raise CliError(f"resources.{kind}.{key}: {error}") from error
    return []


def _model(kind: str) -> Any:
    module, name = MODELS[kind]
    try:
        return getattr(importlib.import_module(f"databricks.bundles.{module}"), name)
    except ImportError:
        return None


def _without_nulls(tree: Tree) -> Tree:
    return {key: each for key, each in tree.items() if each is not None}
