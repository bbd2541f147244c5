"""What GitHub tells by itself: webhooks, and those that did not reach us.

GitHub never redelivers by itself, so recent deliveries are listed and what was missed is read from
the list (docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries).
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

from github import Auth, GithubException, GithubIntegration

from provisioning.adapters.github.connection import TIMEOUT_SECONDS, App
from provisioning.adapters.github.sightings import job_of, run_of, run_of_job, run_of_rule
from provisioning.clock import Clock
from provisioning.deployment_ports import Sighting
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.workflow_run import WORKFLOW

Json = Any

RUN_EVENTS = ("workflow_run", "deployment_review")
RULE_EVENT = "deployment_protection_rule"
EVENTS = (*RUN_EVENTS, "workflow_job", RULE_EVENT)
"""The events that the App subscribes to and that we follow."""
LOOKED_BACK = timedelta(hours=3)
"""How old deliveries are read again at most; what is older, asking finds."""
MOST_PAGES = 10


class GitHubWebhooks:
    """Implements the `Webhooks` port."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    def read(self, guid: str, event: str, body: bytes) -> Sighting | None:
        """Return what a delivery tells, or None if it is about nothing we follow."""
        try:
            payload = json.loads(body)
            return self._sighting(guid, event, payload)
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            raise UserError("this is no delivery of GitHub's") from broken

    def missed(self, known: Callable[[Sequence[str]], Collection[str]]) -> tuple[Sighting, ...]:
        """Return what recent deliveries tell whose GUIDs are not `known`, oldest first."""
        try:
            return tuple(self._missed(known))[::-1]
        except GithubException as error:
            if error.status >= 500 or error.status == 429:
                raise TemporaryError(f"GitHub answered {error.status}") from error
            raise PermanentError(f"GitHub does not list the App's deliveries: {error}") from error

    def _missed(self, known: Callable[[Sequence[str]], Collection[str]]) -> Iterator[Sighting]:
        integration = self._integration()
        try:
            requester = integration.requester
            for page in self._pages(requester):
                ours = [one for one in page if one["event"] in EVENTS]
                seen = set(known([one["guid"] for one in ours]))
                for one in ours:
                    if one["guid"] in seen:
                        continue
                    seen.add(one["guid"])
                    path = f"/app/hook/deliveries/{one['id']}"
                    _, found = requester.requestJsonAndCheck("GET", path)
                    payload = found["request"]["payload"]
                    if sighting := self._sighting(one["guid"], one["event"], payload):
                        yield sighting
        finally:
            integration.close()

    def _pages(self, requester: Any) -> Iterator[list[Json]]:
        """Return pages of deliveries, newest first, until they are too old."""
        since = (self._clock.now() - LOOKED_BACK).isoformat()
        path = "/app/hook/deliveries?per_page=100"
        for _ in range(MOST_PAGES):
            headers, page = requester.requestJsonAndCheck("GET", path)
            recent = [one for one in page if one["delivered_at"] >= since[:19]]
            yield recent
            cursor = _next_cursor(headers.get("link", ""))
            if len(recent) < len(page) or not cursor:
                return
            path = f"/app/hook/deliveries?per_page=100&cursor={cursor}"

    def _sighting(self, guid: str, event: str, payload: Json) -> Sighting | None:
        if event not in EVENTS:
            return None
        repository = payload["repository"]
        if repository["owner"]["login"].lower() != self._app.organisation.lower():
            return None
        project = repository["name"]
        if event == "workflow_job":
            found = payload["workflow_job"]
            run, job = run_of_job(found, project), job_of(found)
            return Sighting(guid=guid, event=event, project=project, run=run, job=job)
        if event == RULE_EVENT:
            run = run_of_rule(payload, project)
            return Sighting(guid=guid, event=event, project=project, run=run, sparse=True)
        run = run_of(payload["workflow_run"], project)
        if run.path != WORKFLOW:
            return None
        return Sighting(guid=guid, event=event, project=project, run=run)

    def _integration(self) -> GithubIntegration:
        return GithubIntegration(
            auth=Auth.AppAuth(self._app.app_id, self._app.private_key),
            base_url=self._app.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )


def _next_cursor(link: str) -> str:
    """Return the cursor of the next page in a Link header, or an empty string."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation and "cursor=" in address:
            return address.rpartition("cursor=")[2].partition("&")[0].strip("<> ")
    return ""
