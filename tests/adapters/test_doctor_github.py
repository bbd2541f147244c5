"""Each fact about GitHub, broken alone, is found by its own check, which says how to mend it."""

from pathlib import Path

import pytest
from doctor_patient import MISSING, Patient, changed, only, patient

from playground.github import git_data
from playground.github.endpoints import OPERATIONS
from playground.github.objects import GitStore
from playground.github.payloads import INSTALLED_EVENTS
from playground.github.seed import REUSABLE_WORKFLOW
from playground.github.vault import Vault
from playground.github.world import Repository, SubjectClaim
from provisioning.adapters.github.permissions import PERMISSIONS

__all__ = ["patient"]
GITHUB = "GitHub"


def platform(patient: Patient) -> Repository:
    """Return the platform repository."""
    return patient.world.github.repos["sciclops-platform"]


def test_all_is_well(patient: Patient) -> None:
    assert patient.wrong(GITHUB) == {}
    assert patient.world.github.violations == []
    assert patient.world.github.unknown_calls == []


# The App ---------------------------------------------------------------------------------------


def test_no_private_key(patient: Patient, tmp_path: Path) -> None:
    settings = patient.with_("github", private_key_file=tmp_path / "lost.pem")
    said = only(patient.wrong(GITHUB, settings), "private key")
    assert "lost.pem" in said
    assert "github.private_key_file" in said


def test_a_file_that_holds_no_key(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "notes.pem").write_bytes(b"-----BEGIN RSA PRIVATE KEY-----\n\xff\xfe\n")
    settings = patient.with_("github", private_key_file=tmp_path / "notes.pem")
    assert "no usable private key" in only(patient.wrong(GITHUB, settings), "private key")


def test_a_key_that_others_may_read(patient: Patient) -> None:
    key = patient.settings.github.private_key_file
    key.chmod(0o644)
    try:
        assert f"chmod 600 {key}" in only(patient.wrong(GITHUB), "private key", "warning")
    finally:
        key.chmod(0o600)


def test_the_key_of_another_app(patient: Patient, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Vault().app_private_key_pem)
    other.chmod(0o600)
    settings = patient.with_("github", private_key_file=other)
    said = only(patient.wrong(GITHUB, settings), "App key")
    assert "github.private_key_file" in said


def test_a_wrong_app_id(patient: Patient) -> None:
    said = only(patient.wrong(GITHUB, patient.with_("github", app_id=7)), "App key")
    assert "no App 7" in said
    assert "github.app_id" in said


def test_an_organisation_without_the_app(patient: Patient) -> None:
    settings = patient.with_("github", organisation="elsewhere")
    said = only(patient.wrong(GITHUB, settings), "installation")
    assert "not installed on the organisation elsewhere" in said
    assert "Install App" in said


def test_another_installation(patient: Patient) -> None:
    settings = patient.with_("github", installation_id=1)
    said = only(patient.wrong(GITHUB, settings), "installation")
    assert f"github.installation_id = {patient.settings.github.installation_id}" in said


@pytest.mark.parametrize("permission", sorted(PERMISSIONS.keys() - {"metadata"}))
def test_a_permission_that_is_not_granted(patient: Patient, permission: str) -> None:
    with changed(patient.world.github.world.installation_permissions, permission, MISSING):
        said = only(patient.wrong(GITHUB), "App permissions")
    level, place, purpose = PERMISSIONS[permission]
    assert f"{place} = {level}" in said
    assert purpose in said
    assert "owner accepts" in said


def test_a_permission_that_is_only_granted_for_reading(patient: Patient) -> None:
    with changed(patient.world.github.world.installation_permissions, "contents", "read"):
        assert "Repository: Contents = write" in only(patient.wrong(GITHUB), "App permissions")


def test_the_permissions_are_those_that_some_call_needs() -> None:
    asked = {need for operation in OPERATIONS for need in operation.needs.split(",")}
    source = Path(git_data.__file__).read_text()
    for name, (level, *_) in PERMISSIONS.items():
        assert f"{name}:{level}" in asked or f'"{name}:{level}"' in source


def test_an_app_that_does_not_subscribe_to_its_rule_s_event(patient: Patient) -> None:
    settings = patient.with_("deployment", gate="app_rule")
    assert patient.wrong(GITHUB, settings) == {}
    before = list(INSTALLED_EVENTS)
    INSTALLED_EVENTS.remove("deployment_protection_rule")
    try:
        said = only(patient.wrong(GITHUB, settings), "release rule")
        assert "“Deployment protection rule”" in said
        assert patient.wrong(GITHUB) == {}
    finally:
        INSTALLED_EVENTS[:] = before


def test_another_apps_client_id(patient: Patient) -> None:
    said = only(patient.wrong(GITHUB, patient.with_("github", client_id="Iv1.other")), "client id")
    assert f'github.client_id = "{patient.settings.github.client_id}"' in said


def test_no_client_id(patient: Patient) -> None:
    found = patient.wrong(GITHUB, patient.with_("github", client_id=""))
    assert set(found) == {"client id", "device flow"}
    assert {verdict.level for verdict in found.values()} == {"warning"}
    assert "nobody can link" in found["client id"].detail


def test_the_device_flow_is_not_enabled(patient: Patient) -> None:
    with changed(patient.world.github.device_flow, "enabled", value=False):
        said = only(patient.wrong(GITHUB), "device flow")
    assert "Enable Device Flow" in said


# The organisation ------------------------------------------------------------------------------


@pytest.mark.parametrize("visibility", ["private", "internal"])
def test_a_plan_without_required_reviewers(patient: Patient, visibility: str) -> None:
    settings = patient.with_("github", visibility=visibility)
    with changed(patient.world.github.world.organisation, "plan", "team"):
        said = only(patient.wrong(GITHUB, settings), "organisation plan")
        assert visibility in said
        assert 'github.visibility = "public"' in said
        assert "creating a project's Production would fail" in said
        assert patient.wrong(GITHUB, patient.with_("github", visibility="public")) == {}
        assert patient.wrong(GITHUB, patient.with_("deployment", gated_stages=())) == {}
        several = patient.with_("deployment", gated_stages=("staging", "production"))
        assert "Staging, Production" in only(patient.wrong(GITHUB, several), "organisation plan")


def test_actions_are_switched_off_for_new_repositories(patient: Patient) -> None:
    with changed(patient.world.github.world.organisation, "actions_repositories", "selected"):
        assert "All repositories" in only(patient.wrong(GITHUB), "Actions policy")


def test_pinned_actions_forbid_the_moving_version(patient: Patient) -> None:
    with changed(patient.world.github.world.organisation, "sha_pinning_required", True):
        said = only(patient.wrong(GITHUB), "Actions policy")
    assert "deploy-bundle.yml@v1" in said
    assert "full-length commit SHA" in said


@pytest.mark.parametrize(("allowed", "level"), [("local_only", "problem"), ("selected", "warning")])
def test_an_actions_policy_that_may_stop_the_workflow(
    patient: Patient, allowed: str, level: str
) -> None:
    with changed(patient.world.github.world.organisation, "allowed_actions", allowed):
        said = only(patient.wrong(GITHUB), "Actions policy", level)
    assert "databricks/setup-cli" in said


def test_a_platform_team_that_does_not_exist(patient: Patient) -> None:
    settings = patient.with_("github", platform_team="dreamers")
    said = only(patient.wrong(GITHUB, settings), "platform team")
    assert "dreamers" in said
    assert "github.platform_team" in said


# The platform repository -----------------------------------------------------------------------


def test_no_platform_repository(patient: Patient) -> None:
    settings = patient.with_("github", platform_repository="nowhere")
    said = only(patient.wrong(GITHUB, settings), "platform repository")
    assert "acme/nowhere" in said
    assert "github.platform_repository" in said


def test_an_archived_platform_repository(patient: Patient) -> None:
    with changed(platform(patient), "archived", True):
        assert "Unarchive" in only(patient.wrong(GITHUB), "platform repository")


def test_no_reusable_workflow(patient: Patient) -> None:
    git = GitStore(platform(patient).path)
    main = git.refs()["refs/heads/main"]
    kept = [entry for entry in git.tree(git.commit(main).tree) if entry.name != ".github"]
    who = "Pat <pat@acme.example> 1700000000 +0000"
    git.set_ref("refs/heads/main", git.write_commit(git.write_tree(kept), [], who, who, "Oops"))
    try:
        assert REUSABLE_WORKFLOW in only(patient.wrong(GITHUB), "reusable workflow")
    finally:
        git.set_ref("refs/heads/main", main)


def test_no_version_that_projects_could_call(patient: Patient) -> None:
    git = GitStore(platform(patient).path)
    released = git.refs()["refs/tags/v1"]
    git.delete_ref("refs/tags/v1")
    try:
        said = only(patient.wrong(GITHUB), "reusable workflow", "warning")
        assert "git tag v1" in said
    finally:
        git.set_ref("refs/tags/v1", released)


def test_a_workflow_that_nobody_else_may_call(patient: Patient) -> None:
    with changed(platform(patient), "actions_access", "none"):
        said = only(patient.wrong(GITHUB), "access to the workflow")
        assert "Actions > General > Access" in said
        with changed(platform(patient), "visibility", "public"):
            assert patient.wrong(GITHUB) == {}


@pytest.mark.parametrize("immutable", [True, False])
def test_subjects_of_another_format(patient: Patient, immutable: bool) -> None:  # noqa: FBT001
    settings = patient.with_("github", immutable_subjects=not immutable)
    with changed(platform(patient), "subject", SubjectClaim(True, [], immutable)):
        said = only(patient.wrong(GITHUB, settings), "OIDC subjects")
    assert f"github.immutable_subjects = {str(immutable).lower()}" in said


def test_an_issuer_of_another_name(patient: Patient) -> None:
    issuer = patient.settings.github.oidc_issuer
    for wrong in (f"{issuer}/elsewhere", "http://127.0.0.1:9"):
        said = only(
            patient.wrong(GITHUB, patient.with_("github", oidc_issuer=wrong)), "OIDC issuer"
        )
        assert wrong in said
        assert "github.oidc_issuer" in said


def test_nobody_answers_at_githubs_address(patient: Patient) -> None:
    settings = patient.with_("github", api_url="http://127.0.0.1:9/api/v3")
    assert "github.api_url" in only(patient.wrong(GITHUB, settings), "App key")
