"""The App's outgoing webhooks: signed, sent once, and every delivery kept for three days.

GitHub never sends a failed delivery again by itself; a redelivery is asked for through the API.
"""

import asyncio
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from playground.github import payloads, payloads_repo
from playground.github.payloads import INSTALLED_EVENTS, node_id
from playground.github.payloads_runs import who
from playground.github.world import APP_ID, INSTALLATION_ID, Json, Repository, World

HOOK_ID = 310_551_001
KEPT = timedelta(days=3)
AT_ONCE = 20
PATIENCE = 10
"""Seconds after which GitHub gives a delivery up."""
NEEDED = {
    "deployment_protection_rule": "deployments",
    "deployment_review": "deployments",
    "deployment_status": "deployments",
    "pull_request": "pull_requests",
    "push": "contents",
    "workflow_job": "actions",
    "workflow_run": "actions",
}
"""The permission whose reading side an App must hold to be told of an event."""
MOST_REMEMBERED = 4_000
"""Characters of an answer that are kept."""


@dataclass
class Delivery:
    """One attempt to deliver an event."""

    id: int
    guid: str
    event: str
    action: str | None
    repository_id: int
    content: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    delivered_at: datetime
    redelivery: bool = False
    duration: float = 0
    status: str = "pending"
    status_code: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: str = ""

    @property
    def succeeded(self) -> bool:
        """Say whether the receiver took it."""
        return 200 <= self.status_code < 300


class Webhooks:
    """Sends events to `url`, signed with `secret`; without a `url` nothing is sent or kept.

    `problem` is asked what is wrong with a payload by GitHub's description; `complain` is told.
    """

    def __init__(
        self,
        world: World,
        problem: Callable[[str, Json], str | None],
        complain: Callable[[str], None],
    ) -> None:
        self.url, self.secret = "", ""
        self.deliveries: list[Delivery] = []
        self._world = world
        self._problem = problem
        self._complain = complain
        self._session: ClientSession | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def wants(self, event: str) -> bool:
        """Say whether the App subscribed to an event, may know of it and has an address."""
        may_know = NEEDED[event] in self._world.installation_permissions
        return bool(self.url) and event in INSTALLED_EVENTS and may_know

    def send(
        self, event: str, action: str | None, repo: Repository, login: str, body: Json
    ) -> None:
        """Tell the App of an event, if it wants that."""
        if not self.wants(event):
            return
        payload = ({"action": action} if action else {}) | body | self._around(repo, login)
        problem = self._problem(f"{event}-{action}" if action else event, payload)
        if problem:
            self._complain(f"webhook {event} {action} {problem}")
        content = json.dumps(payload).encode()
        guid = str(uuid.uuid4())
        self._start(self._delivery(guid, event, action, (repo.id, content)))

    def _around(self, repo: Repository, login: str) -> Json:
        root, org = self._world.root, self._world.organisation
        return {
            "repository": payloads_repo.repository(root, self._world, repo, None),
            "organization": payloads.organisation_simple(root, org),
            "installation": {
                "id": INSTALLATION_ID,
                "node_id": node_id("IntegrationInstallation", INSTALLATION_ID),
            },
            "sender": who(self._world, login),
        }

    def _delivery(
        self, guid: str, event: str, action: str | None, what: tuple[int, bytes]
    ) -> Delivery:
        repository_id, content = what
        headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/5tandin",
            "X-GitHub-Delivery": guid,
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": str(HOOK_ID),
            "X-GitHub-Hook-Installation-Target-ID": str(APP_ID),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
        }
        now, number = self._world.clock.now(), self._world.next_id()
        return Delivery(number, guid, event, action, repository_id, content, headers, now)

    def redeliver(self, old: Delivery) -> None:
        """Send a delivery once more, under the same GUID."""
        what = (old.repository_id, old.content)
        again = self._delivery(old.guid, old.event, old.action, what)
        again.redelivery = True
        self._start(again)

    def kept(self) -> list[Delivery]:
        """Return the deliveries of the last three days, newest first."""
        oldest = self._world.clock.now() - KEPT
        self.deliveries = [d for d in self.deliveries if d.delivered_at > oldest]
        return sorted(self.deliveries, key=lambda d: d.id, reverse=True)

    def _start(self, delivery: Delivery) -> None:
        if self.secret:
            for kind in ("sha1", "sha256"):
                digest = hmac.new(self.secret.encode(), delivery.content, kind).hexdigest()
                name = "X-Hub-Signature" + ("-256" if kind == "sha256" else "")
                delivery.headers[name] = f"{kind}={digest}"
        task = asyncio.get_running_loop().create_task(self._deliver(delivery, self.url))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, delivery: Delivery, url: str) -> None:
        started = asyncio.get_running_loop().time()
        try:
            await self._post(delivery, url)
        except TimeoutError:
            delivery.status, delivery.status_code = "timed out", 504
        except (ClientError, OSError):
            delivery.status, delivery.status_code = "failed to connect to host", 502
        delivery.duration = round(asyncio.get_running_loop().time() - started, 2)
        self.deliveries.append(delivery)

    async def _post(self, delivery: Delivery, url: str) -> None:
        if self._session is None:
            connector = TCPConnector(limit=AT_ONCE)
            self._session = ClientSession(
                connector=connector, timeout=ClientTimeout(total=PATIENCE)
            )
        async with self._session.post(
            url, data=delivery.content, headers=delivery.headers, allow_redirects=False
        ) as answer:
            delivery.answer = (await answer.text(errors="replace"))[:MOST_REMEMBERED]
            delivery.answer_headers = dict(answer.headers)
            delivery.status_code = answer.status
            said = "OK" if answer.ok else f"Invalid HTTP Response: {answer.status}"
            delivery.status = said

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def stop(self) -> None:
        """Give up what is being sent."""
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
