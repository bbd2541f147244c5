"""The deploy workflow itself, unchanged, from the first job to Production behind its gate."""

import io
import json
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from actions_workshop import Workshop, ends, log_of, workshop
from deploy_workflow import CALLER, COMMANDS, PROJECT, WORKFLOW

STAGES = ("Development", "Testing", "Staging", "Production")


def commands(folder: Path) -> Path:
    """Make a folder with a `databricks` to put on the PATH."""
    folder.mkdir()
    script = folder / "databricks"
    script.write_text(f"#!{sys.executable}\n{(COMMANDS / 'databricks').read_text()}")
    script.chmod(0o755)
    return folder


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as opened:
        opened.runner.crew.path = (commands(tmp_path / "commands"),)
        opened.platform(WORKFLOW.read_text())
        opened.book.gated = {"Production"}
        for name in (*STAGES, "Production-plan"):
            opened.book.known_variables[name] = {
                "DATABRICKS_HOST": f"https://{name.lower()}.example",
                "DATABRICKS_CLIENT_ID": f"{name}-id",
                "DATABRICKS_ACCOUNT_ID": "account-1",
                "DATABRICKS_JOB_CLUSTER_POLICY_ID": "policy-1",
                "DATABRICKS_PLANNER_ID": "planner",
                "DATABRICKS_DEPLOYER_ID": "deployer",
            }
        yield opened


async def test_the_deploy_workflow_takes_a_project_through_all_stages(shop: Workshop) -> None:
    run = shop.begin(CALLER, files=PROJECT)
    run.payload["repository"] = {"name": "ada-7", "default_branch": "main"}
    held = await shop.book.until(run, "bundle / Deploy Production", "waiting")
    assert held.steps == []
    plan = next(artifact for artifact in run.artifacts if artifact.name == "plan-Production")
    with zipfile.ZipFile(io.BytesIO(plan.content)) as packed:
        assert json.loads(packed.read("plan.json"))["environment"] == "Production"
    shop.book.decide("Production", approved=True)
    await shop.over()
    assert run.conclusion == "success", [job.log[-2000:] for job in run.present_jobs]
    shown = ends(run)
    for stage in STAGES:
        assert shown[f"bundle / Deploy {stage}"] == "success"
    assert shown["bundle / Plan Production"] == "success"
    assert "v0.1.0" in log_of(run, "bundle / Version") or shown["bundle / Version"] == "success"
