"""Is GitHub as the bot needs it? The App, its permissions, the organisation's settings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github import Auth, GithubIntegration
from github.GithubException import GithubException, UnknownObjectException

from provisioning.adapters.github.connection import App, Connection
from provisioning.adapters.github.permissions import PERMISSIONS, lacking_permissions
from provisioning.clock import Clock
from provisioning.diagnosis import Check, Verdict, fine, problem, skipped, warning

SYSTEM = "GitHub"
TIMEOUT_SECONDS = 10
WORKFLOW = ".github/workflows/deploy-bundle.yml"
WORKFLOW_VERSION = "v1"
"""What the projects' own workflow calls: see bundle_templates/*/template."""
REVIEWING_PLANS = ("enterprise", "business_plus")
CLOUD = "api.github.com"
IMMUTABLE_SINCE = "2026-07-15"
"""Repositories created later have ids in their OIDC subjects (github.com only)."""
FORBIDDEN = "not accessible by integration"
SILENCE = "Check github.api_url, and that this machine may reach it (proxy, firewall)."
Json = Any
Ask = Callable[[], Verdict]


@dataclass(frozen=True)
class GitHubExpectations:
    """What the settings say about the organisation."""

    private_key_file: Path
    visibility: str
    gated_stages: tuple[str, ...]
    platform_repository: str
    platform_team: str
    oidc_issuer: str
    immutable_subjects: bool


def github_checks(app: App, wanted: GitHubExpectations, clock: Clock) -> Iterator[Check]:
    """Return every check of GitHub; each later one needs a working installation."""
    account, organisation = AppDiagnosis(app), OrganisationDiagnosis(app, wanted, clock)
    yield _check("private key", partial(private_key, wanted.private_key_file), ())
    yield _check("App key", account.key, ("private key",))
    yield _check("installation", account.installation, ("App key",))
    installed = ("installation",)
    yield _check("App permissions", account.permissions, installed)
    yield _check("organisation plan", organisation.plan, installed)
    yield _check("Actions policy", organisation.actions_policy, installed)
    yield _check("platform team", organisation.team, installed)
    yield _check("platform repository", organisation.repository, installed)
    there = ("platform repository",)
    yield _check("reusable workflow", organisation.workflow, there)
    yield _check("access to the workflow", organisation.access, there)
    yield _check("OIDC subjects", organisation.subjects, there)
    yield _check("OIDC issuer", partial(issuer, wanted.oidc_issuer), ())


class AppDiagnosis:
    """The App itself and its installation, asked with the App's own key."""

    def __init__(self, app: App) -> None:
        self._app = app

    def key(self) -> Verdict:
        """Tell whether GitHub knows the App by this id and key."""
        try:
            found = self._get("/app")
        except GithubException as error:
            if error.status not in (401, 404):
                raise
            return _no_app(self._app.app_id, _message(error))
        return fine(f"{found['name']} ({found['id']})")

    def installation(self) -> Verdict:
        """Tell whether the App is installed on the organisation, as the settings say, and alive."""
        organisation = self._app.organisation
        try:
            found = self._get(f"/orgs/{organisation}/installation")
        except UnknownObjectException:
            return problem(
                f"the App is not installed on the organisation {organisation}",
                "Install it: the App's page > Install App. If the organisation is another one, "
                "correct github.organisation.",
            )
        return installation_verdict(found, organisation, self._app.installation_id)

    def permissions(self) -> Verdict:
        """Tell whether the installation grants what the bot and the Terraform provider use."""
        found = self._get(f"/orgs/{self._app.organisation}/installation")
        return permissions_verdict(found, self._get("/app")["permissions"])

    def about(self, fact: str) -> Json:
        """Return what GitHub knows of the App, e.g. its `client_id`."""
        return self._get("/app")[fact]

    def _get(self, path: str) -> Json:
        """Ask with the App's own JSON web token."""
        integration = GithubIntegration(
            auth=Auth.AppAuth(self._app.app_id, self._app.private_key),
            base_url=self._app.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=None,
            seconds_between_requests=0,
        )
        try:
            _, answer = integration.requester.requestJsonAndCheck("GET", path)
        finally:
            integration.close()
        return answer


class OrganisationDiagnosis:
    """The organisation's settings, as the installation sees them."""

    def __init__(self, app: App, wanted: GitHubExpectations, clock: Clock) -> None:
        self._connection = Connection(app, clock)
        self._api_url = app.api_url
        self._organisation = app.organisation
        self._wanted = wanted
        self._repository = f"/repos/{app.organisation}/{wanted.platform_repository}"

    def plan(self) -> Verdict:
        """Tell whether the plan has required reviewers for repositories of this visibility."""
        visibility = self._wanted.visibility
        gated = ", ".join(stage.capitalize() for stage in self._wanted.gated_stages)
        if not gated:
            return fine("no stage needs reviewers")
        if visibility == "public":
            return fine("public repositories have required reviewers on every plan")
        found = self._get(f"/orgs/{self._organisation}")
        name = str((found.get("plan") or {}).get("name", "")).lower()
        if name in REVIEWING_PLANS:
            return fine(f"{name}: {visibility} repositories have required reviewers")
        if not name:
            return self._unknown_plan()
        return problem(
            f"on the plan “{name}”, {visibility} repositories have neither required reviewers nor "
            f"custom protection rules: creating a project's {gated} would fail",
            'Move the organisation to GitHub Enterprise, or set github.visibility = "public", or '
            "deployment.gated_stages = [], with which nobody has to release anything. The gate of "
            "Team plans (a protected tag prod/*) does not exist in this version yet.",
        )

    def _unknown_plan(self) -> Verdict:
        if not self._granted_administration():
            return skipped("the App may not read the plan: see “App permissions”")
        return warning(
            "GitHub does not tell the organisation's plan",
            f"Make sure that {self._wanted.visibility} repositories have required reviewers: "
            "GitHub Enterprise (Cloud or Server).",
        )

    def _granted_administration(self) -> bool:
        path = f"/orgs/{self._organisation}/actions/permissions"
        status, *_ = self._connection.reader().requester.requestJson("GET", path)
        return bool(status == 200)

    def actions_policy(self) -> Verdict:
        """Tell whether new repositories may run the reusable workflow, called as `@v1`."""
        found = self._get(f"/orgs/{self._organisation}/actions/permissions")
        page = f"Organisation settings of {self._organisation} > Actions > General"
        if found["enabled_repositories"] != "all":
            return problem(
                f"Actions is switched on for {found['enabled_repositories']} repositories, not for "
                "new ones",
                f"{page} > Policies: All repositories.",
            )
        if found.get("sha_pinning_required"):
            return problem(
                "the organisation requires actions to be pinned to a commit, but projects call "
                f"deploy-bundle.yml@{WORKFLOW_VERSION}",
                f"{page}: switch off “Require actions to be pinned to a full-length commit SHA”.",
            )
        return self._allowed_actions(str(found.get("allowed_actions", "all")), page)

    def _allowed_actions(self, allowed: str, page: str) -> Verdict:
        if allowed == "all":
            return fine("Actions runs in every repository")
        if allowed == "local_only":
            return problem(
                "only the organisation's own actions may run, so actions/checkout may not",
                f"{page} > Policies: allow selected actions, among them those by GitHub and "
                "databricks/setup-cli.",
            )
        return warning(
            "only selected actions may run",
            f"{page} > Policies: make sure that actions by GitHub, databricks/setup-cli@* and "
            f"{self._organisation}/{self._wanted.platform_repository}/* are among them.",
        )

    def team(self) -> Verdict:
        """Tell whether the team exists that owns workflow files."""
        team = self._wanted.platform_team
        found = self._connection.get(f"/orgs/{self._organisation}/teams/{team}")
        if found is None:
            return problem(
                f"{self._organisation} has no team {team}",
                "Create it, or set github.platform_team to the slug of another (the last part of "
                "the team's address).",
            )
        return fine(f"@{self._organisation}/{team}")

    def repository(self) -> Verdict:
        """Tell whether the platform repository exists."""
        found = self._connection.get(self._repository)
        name = f"{self._organisation}/{self._wanted.platform_repository}"
        if found is None:
            return problem(
                f"there is no repository {name}",
                "Create it with deploy-bundle.yml (docs/connecting.md), or correct "
                "github.platform_repository.",
            )
        if found["archived"]:
            return problem(f"{name} is archived", "Unarchive it: projects call its workflow.")
        return fine(f"{name} ({found['visibility']})")

    def workflow(self) -> Verdict:
        """Tell whether the platform repository holds the workflow as projects call it."""
        where = f"{self._wanted.platform_repository}/{WORKFLOW}"
        path = f"{self._repository}/contents/{WORKFLOW}"
        if not self._has(path):
            return problem(
                f"there is no {where}",
                f"Copy {WORKFLOW} of SciCLOps there (docs/connecting.md).",
            )
        if not self._has(f"{path}?ref={WORKFLOW_VERSION}"):
            return warning(
                f"{where} has no version {WORKFLOW_VERSION}, which projects call: no deployment "
                "would start",
                f"git tag {WORKFLOW_VERSION} && git push origin {WORKFLOW_VERSION}",
            )
        return fine(f"{where}@{WORKFLOW_VERSION}")

    def access(self) -> Verdict:
        """Tell whether the organisation's other repositories may call the workflow."""
        found = self._get(self._repository)
        if found["visibility"] == "public":
            return fine("a public repository's workflows may be called from everywhere")
        level = self._get(f"{self._repository}/actions/permissions/access")["access_level"]
        if level in ("organization", "enterprise"):
            return fine(f"may be called from the {level}'s repositories")
        return problem(
            "other repositories may not call its workflows",
            f"Settings of {self._wanted.platform_repository} > Actions > General > Access: "
            f"“Accessible from repositories in the {self._organisation} organization”.",
        )

    def subjects(self) -> Verdict:
        """Tell whether new repositories' OIDC subjects look as the settings say."""
        expected = self._wanted.immutable_subjects
        found = self._get(f"{self._repository}/actions/oidc/customization/sub")
        prefix = str(found.get("sub_claim_prefix", ""))
        is_immutable = bool(found.get("use_immutable_subject", "@" in prefix))
        created = str(self._get(self._repository)["created_at"])
        is_old = urlsplit(self._api_url).hostname == CLOUD and created < IMMUTABLE_SINCE
        if expected == (is_immutable or is_old):
            return fine(f"like {prefix}:environment:… {'(with ids in new ones)' if is_old else ''}")
        return problem(
            f"GitHub builds new repositories' subjects {'without' if expected else 'with'} ids "
            f"(like {prefix}:…), the settings expect the contrary: Databricks would refuse every "
            "deployment",
            f"Set github.immutable_subjects = {str(not expected).lower()}.",
        )

    def _has(self, path: str) -> bool:
        try:
            self._get(path)
        except GithubException as error:
            if error.status != 404:
                raise
            return False
        return True

    def _get(self, path: str) -> Json:
        _, answer = self._connection.reader().requester.requestJsonAndCheck("GET", path)
        return answer


def installation_verdict(found: Json, organisation: str, number: int) -> Verdict:
    """Judge the installation that GitHub shows, which should have this number."""
    if found["id"] != number:
        return problem(
            f"the App's installation on {organisation} is {found['id']}, the settings say {number}",
            f"Set github.installation_id = {found['id']}.",
        )
    if found["suspended_at"]:
        return problem(
            f"the installation was suspended on {found['suspended_at'][:10]}",
            f"An organisation owner unsuspends it at {found['html_url']}.",
        )
    if found["repository_selection"] != "all":
        return problem(
            "the App sees selected repositories only, so not the ones to come",
            f"Choose “All repositories” at {found['html_url']}.",
        )
    return fine(f"on all repositories of {organisation}")


def permissions_verdict(found: Json, asked_for: Mapping[str, str]) -> Verdict:
    """Judge what an installation grants, beside what the App asks for."""
    lacking = lacking_permissions(found["permissions"])
    if not lacking:
        return fine(f"all {len(PERMISSIONS)} are granted")
    named = "; ".join(
        f"{name}: {PERMISSIONS[name][0]} ({PERMISSIONS[name][2]})" for name in lacking
    )
    places = ", ".join(f"{PERMISSIONS[name][1]} = {PERMISSIONS[name][0]}" for name in lacking)
    accept = f"an organisation owner accepts the change at {found['html_url']}"
    if not set(lacking) & set(lacking_permissions(asked_for)):
        return problem(f"not granted yet: {named}", f"{accept[0].upper()}{accept[1:]}.")
    return problem(
        f"missing: {named}",
        f"On the App's page > Permissions & events choose {places}; then {accept}.",
    )


def private_key(file: Path) -> Verdict:
    """Tell whether there is a private key that only the bot may read."""
    remedy = (
        "Generate a private key on the App's page (Settings > Developer settings > GitHub Apps) "
        "and store it unchanged at github.private_key_file, readable by the bot only."
    )
    try:
        load_pem_private_key(file.read_bytes(), None)
    except OSError as unreadable:
        return problem(f"{file} cannot be read ({unreadable.strerror})", remedy)
    except (ValueError, TypeError):
        return problem(f"{file} holds no usable private key", remedy)
    if file.stat().st_mode & 0o077:
        return warning(f"other users of this machine may read {file}", f"chmod 600 {file}")
    return fine(str(file))


def issuer(address: str) -> Verdict:
    """Tell whether the OIDC issuer is who the settings say."""
    remedy = (
        "Set github.oidc_issuer to https://token.actions.githubusercontent.com, or, on GitHub "
        "Enterprise Server, https://HOST/_services/token."
    )
    url = f"{address.rstrip('/')}/.well-known/openid-configuration"
    try:
        answer = requests.get(url, timeout=TIMEOUT_SECONDS)
        said = answer.json().get("issuer") if answer.ok else ""
    except requests.exceptions.ConnectionError:
        return problem(f"nothing answers at {address}", remedy)
    except (requests.exceptions.RequestException, ValueError, AttributeError):
        said = ""
    if said != address:
        return problem(f"{address} is no OIDC issuer of that name", remedy)
    return fine(address)


def _check(name: str, ask: Ask, needs: tuple[str, ...]) -> Check:
    return Check(SYSTEM, name, partial(_translated, ask), needs, SILENCE)


def _translated(ask: Ask) -> Verdict:
    """Ask, and turn what GitHub may always answer into a verdict."""
    try:
        return ask()
    except GithubException as error:
        said = _message(error)
        if error.status == 403 and FORBIDDEN in said:
            return skipped("the App lacks a permission for this: see “App permissions”")
        if error.status == 404:
            return problem(f"GitHub does not show this to the App: {said}", SILENCE)
        return problem(f"GitHub answered {error.status}: {said}", "Try again in a few minutes.")
    except (requests.exceptions.RequestException, OSError) as error:
        return problem(f"GitHub did not answer ({type(error).__name__})", SILENCE)


def _no_app(app_id: int, said: str) -> Verdict:
    remedy = (
        "github.app_id is the App ID on the App's page (Settings > Developer settings > GitHub "
        "Apps); github.private_key_file holds a key that was generated there."
    )
    if "Integration not found" in said:
        return problem(f"GitHub knows no App {app_id} with this key", remedy)
    if "claim" in said:
        return problem(
            f"GitHub refused the time in the bot's signature: {said}",
            "Set this machine's clock (NTP).",
        )
    return problem(f"GitHub refused the key of App {app_id}: {said}", remedy)


def _message(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    return str(data.get("message", error.status))
