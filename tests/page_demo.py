"""A workspace in use, with a small app on its other end, so the page can be tested by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

import page_samples as samples

from playground.cast import BOT_USER_ID
from playground.faults import Faults
from playground.page import Control, Page
from playground.slack.entities import Answer, Attempt, Delivery, File, Json, Message
from playground.slack.workspace import Workspace
from provisioning.clock import MovableClock

CHANNEL = "C0SCICLOPS"
TEAMS = ["data-science", "ml-reviewers", "platform", *(f"team-{n:03}" for n in range(1, 131))]
LOG = "\n".join(
    f"module.project.github_repository.this[{n}]: Creation complete after {n}s" for n in range(40)
)


class DemoApp:
    """Answers like an app: opens and checks a form, settles a plan once, offers teams.

    `hold` makes acks wait until it is set; every payload it got is in `heard`, the number
    of its attempt in `tries`.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.heard: list[Json] = []
        self.tries: list[int] = []
        self.hold = asyncio.Event()
        self.hold.set()
        workspace.post.door = self

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        """Take one payload and acknowledge it."""
        self.heard.append(delivery.payload)
        self.tries.append(attempt.number)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await self.hold.wait()
        body = await self._answer(delivery.payload)
        return Answer("acked", body, (loop.time() - started) * 1000)

    async def _answer(self, payload: Json) -> Any:
        known: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "block_suggestion": self._suggest,
            "block_actions": self._act,
            "view_submission": self._submit,
        }
        if "command" in payload:
            return await self._command(payload)
        answer = known.get(payload["type"])
        return await answer(payload) if answer else None

    async def _command(self, payload: Json) -> Any:
        if payload["text"] == "new":
            self.workspace.open_view(payload["user_id"], samples.new_project())
            return None
        return {
            "response_type": "ephemeral",
            "text": f"I don't know *{payload['text']}*. Try `new`.",
        }

    async def _suggest(self, payload: Json) -> Json:
        return {
            "options": [samples.option(one, one) for one in TEAMS if payload["value"] in one][:100]
        }

    async def _act(self, payload: Json) -> None:
        action = payload["actions"][0]
        if action["action_id"] == "confirm":
            found = self.workspace.find_message(CHANNEL, payload["container"]["message_ts"])
            assert found is not None
            by = {"type": "user", "user_id": payload["user"]["id"]}
            settled = samples.rich("Confirmed by ", by) | {"block_id": "settled"}
            self.workspace.edit(found, {"blocks": [*samples.RUN_HEAD, settled]})
        if action["action_id"] == "value" and payload["view"]["title"]["text"] == "New Project":
            view = self.workspace.find_view(view_id=payload["view"]["id"])
            assert view is not None
            taken = action["value"] == "taken"
            self.workspace.update_view(
                view, samples.new_project("That name is taken." if taken else "")
            )

    async def _submit(self, payload: Json) -> Json | None:
        name = payload["view"]["state"]["values"]["name"]["value"]["value"]
        if not name.islower():
            return {"response_action": "errors", "errors": {"name": "Use small letters only."}}
        self.workspace.add(
            Message(
                CHANNEL,
                "",
                BOT_USER_ID,
                f"Planning {name}",
                blocks=[
                    samples.plan(f"Planning {name}", samples.task("plan", "Plan", "in_progress"))
                ],
            )
        )
        return None


def furnish(workspace: Workspace) -> None:
    """Fill a workspace with a morning's conversation."""
    say = workspace.add
    say(
        Message(
            "C0COMMUNITY",
            "",
            BOT_USER_ID,
            "ready",
            blocks=[
                samples.rich(
                    {"type": "emoji", "name": "tada"},
                    " ",
                    {"type": "user", "user_id": "U0GRACE"},
                    " has a new project: ",
                    {"type": "text", "text": "grace-churn", "style": {"bold": True}},
                )
            ],
        )
    )
    say(Message(CHANNEL, "", "U0GRACE", "Morning! Is `gbx1` open for new projects? <@U0PAT>"))
    say(Message(CHANNEL, "", "U0PAT", "Yes, since *yesterday* :tada:"))
    run = say(
        Message(CHANNEL, "", BOT_USER_ID, "Applying", blocks=[*samples.RUN_HEAD, samples.APPLYING])
    )
    workspace.edit(run, {"text": "Applying"})
    say(Message(CHANNEL, "", BOT_USER_ID, "Planned: +83 ~0 -0", thread_ts=run.ts))
    log = File(
        "F1",
        "apply.log",
        "Raw log, redacted",
        len(LOG),
        LOG.encode(),
        channel=CHANNEL,
        arrived=True,
    )
    workspace.files[log.id] = log
    say(Message(CHANNEL, "", BOT_USER_ID, "The log", thread_ts=run.ts, files=[log]))
    say(Message(CHANNEL, "", BOT_USER_ID, "Confirm?", blocks=samples.CONFIRM))
    say(Message(CHANNEL, "", BOT_USER_ID, "Your projects", blocks=[samples.TABLE], reader="U0ADA"))
    say(Message(CHANNEL, "", BOT_USER_ID, "Failed", blocks=[samples.FAILED]))
    say(Message(CHANNEL, "", "U0SAM", "&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt;"))
    workspace.publish_home(
        "U0ADA",
        {
            "type": "home",
            "blocks": [
                {"type": "header", "text": samples.text("Waiting for you")},
                *samples.CONFIRM[:2],
                {"type": "divider"},
                samples.TABLE,
            ],
        },
    )


WORLD: dict[str, object] = {
    "organisation": "acme",
    "repositories": [
        {
            "name": "ada-forecast",
            "visibility": "private",
            "files": {
                "databricks.yml": "bundle:\n  name: ada-forecast\n",
                "src/main.py": "print('<b>')\n",
            },
            "environments": [
                {
                    "name": "Production",
                    "reviewers": ["rosa", "ml-reviewers"],
                    "variables": {"DATABRICKS_HOST": "https://gbx1.example"},
                    "secrets": [],
                },
                {
                    "name": "Development",
                    "reviewers": [],
                    "variables": {"DATABRICKS_HOST": "https://gbx1-dev.example"},
                    "secrets": [],
                },
            ],
            "rulesets": [
                {"name": "main", "enforcement": "active", "rules": ["pull_request", "deletion"]}
            ],
        }
    ],
}


class Demo:
    """The page over a furnished workspace. Everything lives in the loop that `start` runs in."""

    def __init__(self) -> None:
        self.clock = MovableClock()
        self.workspace = Workspace(self.clock)
        self.faults = Faults()
        self.app = DemoApp(self.workspace)
        self.done: list[str] = []
        furnish(self.workspace)
        self.world = dict(WORLD)
        self.page = self._page(0)

    def _page(self, port: int) -> Page:
        """Return the page, to be served at a port."""
        return Page(
            self.workspace,
            {"github": lambda: self.world},
            self.faults,
            self.clock,
            controls={
                "kill": Control("Kill the Bot (SIGKILL)", self._kill, "No goodbye.", danger=True),
                "crash": Control("Crash There", self._kill, "The next run dies.", asks="Step"),
            },
            zone=UTC,
            port=port,
        )

    async def restarted(self, url: str) -> str:
        """Serve again where the page was before."""
        self.page = self._page(int(url.rpartition(":")[2]))
        return await self.page.start()

    async def _kill(self, argument: str) -> str:
        self.done.append(argument)
        return f"Killed {argument}".strip()
