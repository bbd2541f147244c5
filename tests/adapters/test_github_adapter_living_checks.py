"""What is checked of a repository that people have worked in: its descent, not its content."""

import pytest
from living_facts import Facts

from playground.github.objects import GitStore
from provisioning.ports import Finding
from provisioning.workflow_run import WORKFLOW

OFFERED = "acme/sciclops/.github/workflows/deploy-bundle.yml@v1"
DESCENT, KEPT = "main descends from the template", "sciclops/template is as it was pushed"
CALLED = f"the deploy workflow is the one on offer, {OFFERED}"


@pytest.fixture
def pushed(facts: Facts) -> str:
    """Return the commit that we pushed last."""
    return GitStore(facts.repository.path).ref("refs/heads/sciclops/template") or ""


def failures(facts: Facts, pushed: str) -> dict[str, str]:
    """Return what fails, and why."""
    return {each.check: each.detail for each in findings(facts, pushed) if not each.passed}


def findings(facts: Facts, pushed: str) -> tuple[Finding, ...]:
    """Return what GitHub says of a project that lives."""
    project, repositories = facts.project, facts.project.vendors.repositories
    return repositories.verify(project.spec, project.files, facts.outputs, pushed)


def test_what_people_merge_is_theirs(facts: Facts, pushed: str) -> None:
    facts.rewrite("main", **{"databricks.yml": b"bundle: {}\n", "extra.py": b"print()\n"})
    assert failures(facts, pushed) == {}
    assert {DESCENT, KEPT, CALLED} < {each.check for each in findings(facts, pushed)}


def test_a_history_that_was_replaced_is_named(facts: Facts, pushed: str) -> None:
    facts.rewrite("main")
    git = GitStore(facts.repository.path)
    tree = git.commit(git.ref("refs/heads/main") or "").tree
    who = "Sam <sam@acme.example> 1790000000 +0000"
    git.set_ref("refs/heads/main", git.write_commit(tree, [], who, who, "Start again"))
    assert failures(facts, pushed) == {
        DESCENT: "main and sciclops/template have no history in common."
    }


def test_somebody_elses_commit_on_the_template_is_named(facts: Facts, pushed: str) -> None:
    facts.rewrite("sciclops/template", **{"databricks.yml": b""})
    told = failures(facts, pushed)
    assert set(told) == {KEPT}
    assert told[KEPT].endswith(f"SciCLOps pushed {pushed[:8]}.")


def test_a_template_that_was_just_pushed_is_fine(facts: Facts, pushed: str) -> None:
    facts.rewrite("sciclops/template")
    assert failures(facts, pushed) == {}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("@v1", "@v0"), f"It calls {OFFERED.replace('@v1', '@v0')}."),
        (("uses:", "used:"), f"{WORKFLOW} calls no reusable workflow."),
    ],
)
def test_another_version_of_the_deploy_workflow_is_named(
    facts: Facts, pushed: str, changed: tuple[str, str], said: str
) -> None:
    old, new = (word.encode() for word in changed)
    facts.rewrite("main", **{WORKFLOW: facts.project.files[WORKFLOW].replace(old, new)})
    assert failures(facts, pushed) == {CALLED: said}


def test_a_project_without_its_deploy_workflow_deploys_nothing(facts: Facts, pushed: str) -> None:
    facts.rewrite("main", **{WORKFLOW: None})
    assert failures(facts, pushed) == {
        CALLED: f"main has no {WORKFLOW}, so that nothing is deployed."
    }
