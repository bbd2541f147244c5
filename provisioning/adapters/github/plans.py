"""Plans that a project's workflow has uploaded: a project wrote them, so nothing is believed."""

import io
import json
import zipfile
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, ValidationError

from provisioning.release import ReleasePlan
from provisioning.text import Frozen
from provisioning.workflow_run import WorkflowRun

Json = Any

LARGEST_PLAN = 1_000_000
"""Bytes of a plan artifact that are read at most."""


class _StoredPlan(Frozen):
    """`plan.json` as the deploy workflow uploads it."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    digest: str
    commit: str
    version: str = ""
    changes: tuple[dict[str, str], ...] = ()


def newest_plan(artifacts: list[Json], run: WorkflowRun, environment: str) -> Json | None:
    """Return the artifact with the plan of a run's present attempt; None if there is none."""
    since = _planned_since(run, environment)
    made = (one for one in artifacts if not one["expired"] and _made_at(one) >= since)
    newest = max(made, key=lambda one: one["id"], default=None)
    return newest if newest and newest["size_in_bytes"] <= LARGEST_PLAN else None


def read_plan(archive: bytes) -> ReleasePlan | None:
    """Read `plan.json` of an artifact; one that is no plan is none, since a project wrote it."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            if zipped.getinfo("plan.json").file_size > LARGEST_PLAN:
                return None
            stored = _StoredPlan.model_validate(json.loads(zipped.read("plan.json")))
            return ReleasePlan.model_validate(stored.model_dump())
    except (zipfile.BadZipFile, KeyError, ValueError, ValidationError):
        return None


def _planned_since(run: WorkflowRun, environment: str) -> datetime:
    """Return when the job began that has made the plan of this attempt: older ones are history."""
    plans = (job.started_at for job in run.jobs if job.deed == ("plan", environment))
    return max((at for at in plans if at), default=run.created_at).replace(microsecond=0)


def _made_at(artifact: Json) -> datetime:
    return datetime.fromisoformat(artifact["created_at"])
