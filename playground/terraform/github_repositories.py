"""Repositories and what hangs on them directly: default branch, teams, people, properties."""

from typing import Any

from playground.terraform.resource import (
    Call,
    Rest,
    fields,
    given,
    parsed_id,
    told,
    unless_gone,
    vanished,
)
from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json, VendorError

_REPO = "/repos/{owner}/{repository}"
_WORDS = (
    "name", "description", "visibility", "squash_merge_commit_title",
    "squash_merge_commit_message", "merge_commit_title", "merge_commit_message",
)  # fmt: skip
_SWITCHES = (
    "has_discussions", "has_issues", "has_projects", "has_wiki", "has_downloads", "is_template",
    "allow_merge_commit", "allow_squash_merge", "allow_rebase_merge", "allow_auto_merge",
    "allow_update_branch", "delete_branch_on_merge", "web_commit_signoff_required",
)  # fmt: skip
_AT_CREATION = ("auto_init", "gitignore_template", "license_template")
_UNSUPPORTED = ("pages", "security_and_analysis", "template")
_REPOSITORY_JSON = "application/vnd.github.v3.repository+json"


class Repository:
    """`github_repository`: archived instead of deleted where `archive_on_destroy` says so."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it, initialised where asked; alerts and topics need requests of their own."""
        for name in _UNSUPPORTED:
            if planned.get(name):
                raise VendorError(f"the playground's provider does not manage `{name}`")
        body = _settings(planned) | given(planned, _AT_CREATION)
        if planned.get("private") is not None and planned.get("visibility") is None:
            body["private"] = planned["private"]
        answer = api.call("POST", api.path("/orgs/{owner}/repos", {}), body)
        state = {**planned, "id": answer["name"]}
        self._extras(api, {}, state)
        return self.read(api, state) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it; reading the alerts costs a request of its own."""
        path = api.path("/repos/{owner}/{id}", state)
        answer = api.find(path)
        if answer is None:
            return None
        facts = {name: answer[name] for name in (*_WORDS, *_SWITCHES) if name in answer}
        return facts | _read_only(answer) | {"vulnerability_alerts": _alerts(api, path)}

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Change it in place; a new name is a rename."""
        body = _settings(planned) | given(planned, ("archived",))
        if prior.get("archived") == body.get("archived"):
            body.pop("archived", None)
        if prior.get("visibility") == body.get("visibility"):
            body.pop("visibility", None)
        answer = api.call("PATCH", api.path("/repos/{owner}/{id}", {"id": prior["id"]}), body)
        state = {**planned, "id": answer["name"]}
        self._extras(api, prior, state)
        return self.read(api, state) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Archive or delete it, as the state says (a flag only in the configuration is unknown)."""
        path = api.path("/repos/{owner}/{id}", state)
        if not state.get("archive_on_destroy"):
            unless_gone(lambda: api.call("DELETE", path))
        elif not state.get("archived"):
            unless_gone(lambda: api.call("PATCH", path, {"archived": True}))

    def identify(self, import_id: str) -> Attributes:
        """Repositories are imported by name."""
        return {"id": import_id, "name": import_id}

    def _extras(self, api: Api, prior: Attributes, state: Attributes) -> None:
        path = api.path("/repos/{owner}/{id}", state)
        topics = state.get("topics")
        if isinstance(topics, list) and topics != prior.get("topics"):
            api.call("PUT", f"{path}/topics", {"names": topics})
        alerts = state.get("vulnerability_alerts")
        if isinstance(alerts, bool) and alerts != prior.get("vulnerability_alerts", False):
            api.call("PUT" if alerts else "DELETE", f"{path}/vulnerability-alerts")


def _settings(state: Attributes) -> dict[str, Any]:
    """Return what is always sent: switches that are not set are sent as off."""
    body = given(state, _WORDS) | {name: bool(state.get(name)) for name in _SWITCHES}
    url = state.get("homepage_url")
    return body if url is None else {**body, "homepage": url}


def _alerts(api: Api, path: str) -> bool:
    try:
        api.call("GET", f"{path}/vulnerability-alerts")
    except VendorError as error:
        if error.status == 404:
            return False
        raise
    return True


def _read_only(answer: Json) -> Attributes:
    return {
        "id": answer["name"],
        "archived": answer["archived"],
        "default_branch": answer.get("default_branch"),
        "full_name": answer["full_name"],
        "git_clone_url": answer.get("git_url"),
        "homepage_url": answer.get("homepage"),
        "html_url": answer["html_url"],
        "http_clone_url": answer["clone_url"],
        "node_id": answer["node_id"],
        "primary_language": answer.get("language") or "",
        "private": answer["private"],
        "repo_id": answer["id"],
        "ssh_clone_url": answer.get("ssh_url"),
        "svn_url": answer.get("svn_url"),
        "topics": answer.get("topics", []),
    }


class DefaultBranch:
    """`github_branch_default`: nothing is called where the branch is the default already."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make the branch the default one."""
        path = api.path(_REPO, planned)
        if api.call("GET", path)["default_branch"] != planned["branch"]:
            api.call("PATCH", path, {"default_branch": planned["branch"]})
        return self.read(api, {**planned, "id": planned["repository"]}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look which branch is the default."""
        answer = api.find(api.path("/repos/{owner}/{id}", state))
        if answer is None or not answer.get("default_branch"):
            return None
        name = answer["name"]
        return {"id": name, "repository": name, "branch": answer["default_branch"]}

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Make another branch the default one."""
        return self.create(api, planned)

    def delete(self, api: Api, state: Attributes) -> None:
        """Forget it; a repository always has a default branch."""

    def identify(self, import_id: str) -> Attributes:
        """Default branches are imported by the repository's name."""
        return {"id": import_id, "repository": import_id}


class TeamRepository:
    """`github_team_repository`: ids have the team's number, though its slug may be given."""

    path = "/orgs/{owner}/teams/{slug}/repos/{owner}/{repository}"

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Give the team its role."""
        number, slug = self._team(api, str(planned["team_id"]))
        body = {"permission": planned["permission"]}
        api.call("PUT", api.path(self.path, {**planned, "slug": slug}), body)
        return self.read(api, {**planned, "id": f"{number}:{planned['repository']}"}) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look which role the team has."""
        number, _, repository = str(state["id"]).partition(":")
        answer = api.find(self._path(api, state), accept=_REPOSITORY_JSON)
        if not answer:
            return None
        facts = {"id": state["id"], "repository": repository, "permission": plain_role(answer)}
        return {"team_id": number, **facts} if state.get("team_id") is None else facts

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Give the team another role."""
        return self.create(api, planned)

    def delete(self, api: Api, state: Attributes) -> None:
        """Take the team's access away."""
        unless_gone(lambda: api.call("DELETE", self._path(api, state)))

    def identify(self, import_id: str) -> Attributes:
        """Imports give `team:repository`."""
        return parsed_id("{team_id}:{repository}", import_id)

    def _path(self, api: Api, state: Attributes) -> str:
        number, _, repository = str(state["id"]).partition(":")
        _, slug = self._team(api, number)
        return api.path(self.path, {"slug": slug, "repository": repository})

    def _team(self, api: Api, number_or_slug: str) -> tuple[str, str]:
        """Return number and slug; the documented paths take slugs, a team's number is for good."""
        if number_or_slug not in api.cache:
            by_number = number_or_slug.isdecimal()
            path = "/teams/{team}" if by_number else "/orgs/{owner}/teams/{team}"
            answer = api.call("GET", api.path(path, {"team": number_or_slug}))
            api.cache[number_or_slug] = (str(answer["id"]), answer["slug"])
        return api.cache[number_or_slug]


def plain_role(answer: Json) -> str:
    """Return a role as the provider calls it."""
    role = str(answer.get("role_name", ""))
    return {"read": "pull", "write": "push"}.get(role, role)


class Collaborator:
    """`github_repository_collaborator`: members of the organisation join at once."""

    path = "/repos/{owner}/{repository}/collaborators"

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Give a person their role."""
        where = api.path(self.path + "/{username}", planned)
        api.call("PUT", where, {"permission": planned["permission"]})
        found = {**planned, "id": f"{planned['repository']}:{planned['username']}"}
        return self.read(api, found) or vanished()

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look for the person among the direct collaborators."""
        query = {"affiliation": "direct", "per_page": "100"}
        people = api.find(api.path(self.path, state), query=query) or []
        for person in people:
            if person["login"].lower() == str(state["username"]).lower():
                known = {name: state[name] for name in ("id", "repository", "username")}
                return {**known, "permission": plain_role(person)}
        return None

    def update(self, api: Api, _prior: Attributes, planned: Attributes) -> Attributes:
        """Everything that matters forces a replacement; the rest is the provider's own."""
        return self.read(api, planned) or vanished()

    def delete(self, api: Api, state: Attributes) -> None:
        """Take the person's access away."""
        where = api.path(self.path + "/{username}", state)
        unless_gone(lambda: api.call("DELETE", where))

    def identify(self, import_id: str) -> Attributes:
        """Imports give `repository:username`."""
        return parsed_id("{repository}:{username}", import_id)


def _property_body(state: Attributes) -> Json:
    values = state.get("property_value")
    many = state.get("property_type") == "multi_select"
    value = values if many or not isinstance(values, list) or not values else values[0]
    return {"properties": [{"property_name": state["property_name"], "value": value}]}


class CustomProperty(Rest):
    """`github_repository_custom_property`: one value among the repository's."""

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look for the property; unset ones have no value."""
        for each in api.find(api.path(self.look, state)) or []:
            value = each.get("value")
            if each["property_name"] == state["property_name"] and value is not None:
                values = value if isinstance(value, list) else [value]
                return self._with_id({"property_value": values}, {**api.context, **state})
        return None


CUSTOM_PROPERTY = CustomProperty(
    make=Call("PATCH", f"{_REPO}/properties/values", _property_body),
    look=f"{_REPO}/properties/values",
    remove=Call(
        "PATCH",
        f"{_REPO}/properties/values",
        lambda state: _property_body({**state, "property_value": None}),
    ),
    facts=told(),
    id="{owner}:{repository}:{property_name}",
)


class SecurityUpdates(Rest):
    """`github_repository_dependabot_security_updates`: on and off are two methods."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Switch it."""
        method = "PUT" if planned["enabled"] else "DELETE"
        api.call(method, api.path(self.look, planned))
        return self.read(api, planned) or vanished()

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Switch it."""
        return self.create(api, {**prior, **planned})


SECURITY_UPDATES = SecurityUpdates(
    make=Call("PUT", f"{_REPO}/automated-security-fixes"),
    look=f"{_REPO}/automated-security-fixes",
    remove=Call("DELETE", f"{_REPO}/automated-security-fixes"),
    facts=told("enabled"),
    id="{repository}",
)


class SubjectClaim(Rest):
    """`github_actions_repository_oidc_subject_claim_customization_template`."""

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Set it; the provider refuses claim keys beside the default."""
        if planned.get("use_default") and planned.get("include_claim_keys"):
            raise VendorError("include_claim_keys cannot be set when use_default is true")
        return super().create(api, planned)


_SUBJECT = f"{_REPO}/actions/oidc/customization/sub"
SUBJECT_CLAIM = SubjectClaim(
    make=Call("PUT", _SUBJECT, fields("use_default", "include_claim_keys")),
    change=Call("PUT", _SUBJECT, fields("use_default", "include_claim_keys")),
    look=_SUBJECT,
    remove=Call("PUT", _SUBJECT, lambda _: {"use_default": True}),
    facts=told("use_default", "include_claim_keys"),
    id="{repository}",
)
