"""What GitHub tells by itself: webhooks, and those that did not reach us.

GitHub never redelivers by itself, so recent deliveries are listed and what was missed is read from
the list (docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries).
"""

import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

import requests
from github import Auth, GithubException, GithubIntegration

from provisioning.adapters.github.connection import TIMEOUT_SECONDS, App
from provisioning.adapters.github.sightings import job_of, run_of, run_of_job, run_of_rule
from provisioning.clock import Clock
from provisioning.deployment_ports import Sighting, Unheard
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.workflow_run import WORKFLOW

log = logging.getLogger(__name__)

Json = Any

RUN_EVENTS = ("workflow_run", "deployment_review")
RULE_EVENT = "deployment_protection_rule"
EVENTS = (*RUN_EVENTS, "workflow_job", RULE_EVENT)
"""The events that the App subscribes to and that we follow."""
LOOKED_BACK = timedelta(days=3)
"""How old deliveries are read again at most: GitHub keeps none longer."""
MOST_PAGES = 100


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

    def missed(
        self, known: Callable[[Sequence[str]], Collection[str]]
    ) -> Iterator[Sighting | Unheard]:
        """Return what deliveries tell that failed and whose GUIDs are not `known`, newest first."""
        try:
            yield from self._missed(known)
        except GithubException as error:
            if error.status >= 500 or error.status == 429:
                raise TemporaryError(f"GitHub answered {error.status}") from error
            raise PermanentError(f"GitHub does not list the App's deliveries: {error}") from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise TemporaryError("GitHub did not answer (could not list deliveries)") from error

    def _missed(
        self, known: Callable[[Sequence[str]], Collection[str]]
    ) -> Iterator[Sighting | Unheard]:
        integration = self._integration()
        try:
            for page in self._pages(integration.requester):
                ours = {one["guid"]: one for one in page if _is_lost(one)}
                for guid in ours.keys() - set(known(list(ours))):
                    yield self._reread(integration.requester, ours[guid])
        finally:
            integration.close()

    def _reread(self, requester: Any, listed: Json) -> Sighting | Unheard:
        guid, event = listed["guid"], listed["event"]
        try:
            path = f"/app/hook/deliveries/{listed['id']}"
            _, found = requester.requestJsonAndCheck("GET", path)
            sighting = self._sighting(guid, event, found["request"]["payload"])
        except GithubException as error:
            if error.status != 404:  # three days have just passed
                raise
            sighting = None
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("the delivery %s cannot be read", guid, exc_info=True)
            sighting = None
        return sighting or Unheard(guid=guid, event=event)

    def _pages(self, requester: Any) -> Iterator[list[Json]]:
        """Return pages of deliveries, newest first, until they are too old."""
        since = (self._clock.now() - LOOKED_BACK).isoformat()
        path = first = "/app/hook/deliveries?status=failure&per_page=100"
        for _ in range(MOST_PAGES):
            headers, page = requester.requestJsonAndCheck("GET", path)
            recent = [one for one in page if one["delivered_at"] >= since[:19]]
            yield recent
            cursor = _next_cursor(headers.get("link", ""))
            if len(recent) < len(page) or not cursor:
                return
            path = f"{first}&cursor={cursor}"

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
        if payload["workflow_run"] is None:
            return None
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


def _is_lost(listed: Json) -> bool:
    """Tell whether a delivery is one of ours that nobody took; older servers list all of them."""
    return listed["event"] in EVENTS and not 200 <= listed["status_code"] < 400


def _next_cursor(link: str) -> str:
    """Return the cursor of the next page in a Link header, or an empty string."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation and "cursor=" in address:
            return address.rpartition("cursor=")[2].partition("&")[0].strip("<> ")
    return ""
