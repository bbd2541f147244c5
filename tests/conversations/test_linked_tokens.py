"""A linked person's tokens are readable nowhere: not stored, said, logged or passed on."""

from datetime import timedelta

from conversation import ANSWER_SECONDS, Conversation
from test_canaries import Watcher, command_lines, holders, said
from waiting import wait_until

from playground.faults import Fault
from playground.github.device_flow import DeviceFlow
from playground.slack.reading import text_of
from provisioning.user_tokens import RENEW_BEFORE

CONTROL = "this-control-is-found"


def flow_of(talk: Conversation) -> DeviceFlow:
    return talk.world.github.device_flow


def link(talk: Conversation, secrets: set[str]) -> None:
    """Link Ada's account and note everything secret on the way."""
    talk.ada.type("/sciclops link")
    shown = talk.told(talk.ada, "Link your GitHub account")
    secrets.update(flow_of(talk).secrets())
    code = next(word for word in text_of(shown).split() if len(word) == 9 and word[4] == "-")
    talk.world.clock.advance(timedelta(seconds=6))
    connected = talk.playground.chat.look(lambda: flow_of(talk).enter("ada", code))
    assert "now connected" in connected
    talk.ada.press("I Have Entered It", on=shown)
    talk.told(talk.ada, "Linked: at GitHub you are ada.")
    secrets.update(flow_of(talk).secrets())


def live(talk: Conversation) -> tuple[set[str], str]:
    """Link, fail to renew, renew, break, link again; return what is secret and what was said."""
    secrets: set[str] = set()
    link(talk, secrets)
    talk.world.clock.advance(timedelta(hours=8) - RENEW_BEFORE)
    talk.world.faults.add(Fault("github", "status", "/oauth/access_token", times=1, status=502))
    talk.ada.type("/sciclops link")
    talk.told(talk.ada, "That did not work just now: GitHub answered 502")
    before = said(talk)
    talk.world.slack.workspace.messages.clear()
    talk.ada.type("/sciclops link")
    talk.told(talk.ada, "At GitHub you are ada. The link works.")
    assert flow_of(talk).renewals == 1
    secrets.update(flow_of(talk).secrets())
    flow_of(talk).withdraw("ada")
    before += said(talk)
    talk.world.slack.workspace.messages.clear()
    link(talk, secrets)
    talk.ada.type(f"/sciclops status {CONTROL}")
    talk.told(talk.ada, CONTROL)
    return secrets, before


def test_no_token_of_a_linked_person_is_anywhere(talk: Conversation) -> None:
    watcher = Watcher()
    watcher.start()
    secrets, before = live(talk)
    watcher.enough.set()
    watcher.join(ANSWER_SECONDS)
    assert len(secrets) >= 8, "two codes, and three pairs of tokens"
    bot, log = talk.world.directory / "bot", talk.world.bot.log.read_text()
    everything, arguments = before + said(talk), "\n".join({*watcher.seen, *command_lines()})
    for secret in secrets:
        assert holders(bot, secret) == []
        assert secret not in log
        assert secret not in everything
        assert secret not in arguments
    assert any("sciclops.sqlite" in name for name in holders(bot, CONTROL))
    assert CONTROL in everything
    assert "the link of U0ADA to GitHub is broken" in log
    assert "playground.bot_process" in arguments
    talk.ada.type("/sciclops unlink yes")
    wait_until(lambda: flow_of(talk).living("ada") == 0, ANSWER_SECONDS)
