"""What the bot remembers of plans and logs once Slack has them: that they are there, no text."""

from collections.abc import Sequence
from datetime import timedelta

from conversation import RUN_SECONDS, Conversation
from sqlmodel import col, select
from waiting import wait_until

from bot.settings import load
from playground.slack.entities import File
from provisioning.database import Database
from provisioning.tables import MessageRow


def remembered(talk: Conversation) -> Sequence[MessageRow]:
    """Return the files that the bot's database knows of."""
    world = talk.world
    database = Database(load(world.directory / "sciclops.toml", world.secrets()).url())
    with database.reading() as session:
        rows = session.exec(select(MessageRow).where(col(MessageRow.file_name) != "")).all()
    database.close()
    return rows


def texts(talk: Conversation) -> list[str]:
    """Return the texts that the bot's database still holds."""
    return [row.content["text"] for row in remembered(talk) if row.content["text"]]


def files(talk: Conversation, beginning: str) -> list[File]:
    """Return the files of a run whose names begin like this."""
    shared = (file for reply in talk.ada.thread(talk.run_message()) for file in reply.files)
    return [file for file in shared if file.name.startswith(beginning)]


def test_plans_and_logs_are_dropped_once_slack_has_them_and_are_not_sent_twice(
    talk: Conversation,
) -> None:
    talk.planned()
    talk.file("plan-text-")
    talk.file("plan-log-")
    wait_until(lambda: all(row.ts for row in remembered(talk)), RUN_SECONDS)
    assert len(texts(talk)) == 2

    talk.world.clock.advance(timedelta(hours=25))
    talk.playground.run(talk.world.bot.kill())
    talk.playground.run(talk.world.bot.start(), timeout=RUN_SECONDS)
    wait_until(lambda: texts(talk) == [], RUN_SECONDS)

    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    talk.file("apply-log-")
    assert len(texts(talk)) == 1
    for beginning in ("plan-text-", "plan-log-"):
        (file,) = files(talk, beginning)
        assert len(file.content) > 100
