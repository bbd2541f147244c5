"""The runner executes workflows for real: jobs, names, needs, matrices, reusable workflows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from actions_workshop import Workshop, ends, log_of, workshop

CALL = """\
name: deploy
run-name: ${{ github.event.head_commit.message }}, once more
on: [push]
permissions: {}
jobs:
  bundle:
    permissions: {contents: read}
    uses: acme/sciclops-platform/.github/workflows/deploy-bundle.yml@v1
    with:
      stages: '["Testing", "Staging"]'
"""
REUSABLE = """\
name: deploy-bundle
on:
  workflow_call:
    inputs:
      stages: {type: string, required: true}
      loud: {type: boolean, default: true}
permissions: {}
jobs:
  build:
    name: Validate, Test and Build
    runs-on: ubuntu-latest
    permissions: {contents: read}
    outputs:
      version: ${{ steps.version.outputs.version }}
    steps:
      - uses: actions/checkout@v4
      - run: cat README.md
      - id: version
        name: Version
        run: |
          echo "version=1.2.3" >> "$GITHUB_OUTPUT"
  deploy:
    name: Deploy ${{ matrix.environment }}
    needs: build
    runs-on: ubuntu-latest
    strategy:
      max-parallel: 1
      matrix:
        environment: ${{ fromJSON(inputs.stages) }}
    environment: ${{ matrix.environment }}
    steps:
      - name: Say ${{ needs.build.outputs.version }}
        env:
          VERSION: ${{ needs.build.outputs.version }}
          HOST: ${{ vars.DATABRICKS_HOST }}
          WORKFLOW: ${{ github.workflow }}
          LOUD: ${{ inputs.loud && 'loud' || 'soft' }}
        run: echo "$VERSION to $HOST by $WORKFLOW, $LOUD, $GITHUB_REPOSITORY"
  never:
    name: Destroy ${{ matrix.environment }}
    needs: build
    if: github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-latest
    strategy: {matrix: {environment: [a]}}
    steps: [{run: exit 1}]
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as opened:
        yield opened


async def test_a_reusable_workflow_runs_with_its_names_matrix_outputs_and_variables(
    shop: Workshop,
) -> None:
    shop.platform(REUSABLE)
    shop.book.known_variables = {
        "Testing": {"DATABRICKS_HOST": "test.example"},
        "Staging": {"DATABRICKS_HOST": "stage.example"},
    }
    run = await shop.ended(CALL)
    assert ends(run) == {
        "bundle / Validate, Test and Build": "success",
        "bundle / Deploy Testing": "success",
        "bundle / Deploy Staging": "success",
        "bundle / Destroy ${{ matrix.environment }}": "skipped",
    }, [job.log for job in run.present_jobs]
    assert (run.conclusion, run.title) == ("success", "A change, once more")
    assert "# Ada" in log_of(run, "bundle / Validate, Test and Build")
    said = "1.2.3 to stage.example by deploy, loud, acme/ada-7"
    assert said in log_of(run, "bundle / Deploy Staging")
    deploy = next(job for job in run.present_jobs if job.name == "bundle / Deploy Testing")
    assert deploy.environment == "Testing"
    assert deploy.needs == ("bundle / Validate, Test and Build",)
    assert [(step.name, step.conclusion) for step in deploy.steps] == [
        ("Set up job", "success"),
        ("Say 1.2.3", "success"),
        ("Complete job", "success"),
    ]
