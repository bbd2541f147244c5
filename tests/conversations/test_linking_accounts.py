"""Linking a GitHub account as people do it, in Slack and on GitHub's page, through the real bot."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from conversation import ANSWER_SECONDS, Conversation
from waiting import wait_until

from playground import cast
from playground.github.device_flow import DeviceFlow
from playground.slack.driver import Person
from playground.slack.entities import Message
from playground.slack.reading import buttons, text_of

CODE = re.compile(r"[B-Z]{4}-[B-Z]{4}")
SWEPT_SECONDS = 40
"""GitHub is asked by itself every 15 seconds."""
CROWD = 20


@pytest.fixture(autouse=True)
def nobody_is_linked(talk: Conversation) -> Iterator[None]:
    """Let nobody be linked, and nothing be said, when the next story begins."""
    yield
    everything = talk.world.slack.workspace.messages
    everything.clear()
    for person in (talk.ada, talk.grace, talk.rosa):
        person.type("/sciclops unlink yes")
        talk.told(person, "nked")
        flow_of(talk).withdraw(login_of(person))
    everything.clear()


def flow_of(talk: Conversation) -> DeviceFlow:
    return talk.world.github.device_flow


def login_of(person: Person) -> str:
    return next(one.github for one in cast.PEOPLE if one.slack == person.user)


def later(talk: Conversation, seconds: float = 6) -> None:
    """Let the time pass that GitHub wants between questions."""
    talk.world.clock.advance(timedelta(seconds=seconds))


def asked(talk: Conversation, person: Person, words: str = "/sciclops link") -> tuple[Message, str]:
    """Ask to link; return the answer and the code in it, as if none had been shown before."""
    everything = talk.world.slack.workspace.messages
    everything[:] = [one for one in everything if not CODE.search(text_of(one))]
    person.type(words)
    shown = talk.told(person, "Link your GitHub account")
    return shown, code_in(shown)


def code_in(shown: Message) -> str:
    found = CODE.search(text_of(shown))
    assert found is not None, text_of(shown)
    return found[0]


def connect(talk: Conversation, login: str, code: str, answer: str = "authorize") -> str:
    """Enter a code on GitHub's page, as a browser would; return what it says."""

    async def enter() -> str:
        page = f"{talk.world.github.root}/login/device"
        form = {"login": login, "user_code": code, "answer": answer}
        headers = {"Origin": talk.world.github.root}
        async with (
            aiohttp.ClientSession() as session,
            session.post(page, data=form, headers=headers) as said,
        ):
            return await said.text()

    return talk.playground.run(enter())


def link(talk: Conversation, person: Person, login: str = "") -> Message:
    """Link an account from the first word to the last; return what the person is told."""
    shown, code = asked(talk, person)
    assert "now connected" in connect(talk, login or login_of(person), code)
    later(talk)
    person.press("I Have Entered It", on=shown)
    return talk.told(person, "Linked: at GitHub you are")


def urls(message: Message) -> list[str]:
    elements: list[dict[str, Any]] = [
        one for block in message.blocks if block["type"] == "actions" for one in block["elements"]
    ]
    return [one["url"] for one in elements if "url" in one]


def direct(talk: Conversation, person: Person, words: str) -> list[Message]:
    """Return the direct messages that somebody has with these words."""
    mine = f"D{person.user.removeprefix('U')}"
    everything = talk.world.slack.workspace.messages
    return [one for one in everything if one.channel == mine and words in text_of(one)]


def edited(talk: Conversation, person: Person, shown: Message, words: str) -> bool:
    """Tell whether the message with the code comes to say how it ended, without buttons."""

    def look() -> Message | None:
        return next((one for one in direct(talk, person, words) if one.ts == shown.ts), None)

    said = person.wait_until(look, timeout=SWEPT_SECONDS)
    return not buttons(said) and not CODE.search(text_of(said))


def test_from_the_first_word_to_a_link_and_back(talk: Conversation) -> None:
    shown, code = asked(talk, talk.ada)
    assert urls(shown) == [f"{talk.world.github.root}/login/device"]
    assert "Enter a code only if you have just asked for it yourself" in text_of(shown)
    assert talk.ada.press("Open GitHub", on=shown).attempts[-1].answer.outcome == "acked"
    talk.ada.press("I Have Entered It", on=shown)
    assert not buttons(talk.told(talk.ada, "GitHub has not told me yet"))
    connect(talk, "ada", code)
    later(talk)
    talk.ada.press("I Have Entered It", on=shown)
    talk.told(talk.ada, "At GitHub you are ada. The link works.")
    assert edited(talk, talk.ada, shown, "Linked: at GitHub you are ada.")
    talk.ada.open_home()
    talk.ada.wait_for_home("At GitHub you are ada.", timeout=ANSWER_SECONDS)
    talk.grace.open_home()
    talk.grace.wait_for_home("link your GitHub account: /sciclops link", timeout=ANSWER_SECONDS)
    talk.ada.type("/sciclops unlink")
    question = talk.told(talk.ada, "Unlink ada?")
    assert flow_of(talk).living("ada") == 1
    talk.ada.press("Unlink", on=question)
    done = talk.told(talk.ada, "Unlinked. Your tokens are deleted here")
    assert "/settings/apps/authorizations" in text_of(done)
    wait_until(lambda: flow_of(talk).living("ada") == 0, ANSWER_SECONDS)
    talk.ada.type("/sciclops unlink")
    talk.told(talk.ada, "You have linked no GitHub account.")


def test_who_presses_nothing_is_linked_all_the_same(talk: Conversation) -> None:
    shown, code = asked(talk, talk.grace)
    connect(talk, "grace", code)
    later(talk)
    assert edited(talk, talk.grace, shown, "Linked: at GitHub you are grace.")


def test_a_no_at_github_links_nobody(talk: Conversation) -> None:
    shown, code = asked(talk, talk.ada)
    assert "denied access" in connect(talk, "ada", code, "deny")
    later(talk)
    talk.ada.press("I Have Entered It", on=shown)
    assert edited(talk, talk.ada, shown, "said no at GitHub, so nothing was linked.")
    talk.told(talk.ada, "That code has had its answer or has run out.")


def test_a_code_that_ran_out_links_nobody(talk: Conversation) -> None:
    shown, code = asked(talk, talk.ada)
    later(talk, 15 * 60)
    assert "not valid" in connect(talk, "ada", code)
    talk.ada.press("I Have Entered It", on=shown)
    assert edited(talk, talk.ada, shown, "has run out, so nothing was linked. To try again, type")
    _, fresh = asked(talk, talk.ada)
    assert fresh != code


def test_a_code_that_was_given_up_says_so(talk: Conversation) -> None:
    shown, _ = asked(talk, talk.ada)
    later(talk, 14 * 60)
    talk.ada.type("/sciclops link")
    assert edited(talk, talk.ada, shown, "was given up; it links nothing any more.")


def test_the_account_of_another_person_is_refused_without_saying_whose(talk: Conversation) -> None:
    link(talk, talk.rosa)
    shown, code = asked(talk, talk.ada)
    connect(talk, "rosa", code)
    later(talk)
    talk.ada.press("I Have Entered It", on=shown)
    said = text_of(talk.told(talk.ada, "rosa cannot be linked to you"))
    assert cast.ROSA.slack not in said
    assert cast.ROSA.name not in said
    assert len(direct(talk, talk.rosa, "Linked")) == 1
    assert not direct(talk, talk.rosa, cast.ADA.slack)
    talk.rosa.type("/sciclops link")
    talk.told(talk.rosa, "At GitHub you are rosa. The link works.")


def test_an_outsider_of_the_organisation_is_refused(talk: Conversation) -> None:
    shown, code = asked(talk, talk.grace)
    connect(talk, "sam", code)
    later(talk)
    talk.grace.press("I Have Entered It", on=shown)
    talk.told(talk.grace, "sam is no member of the organisation at GitHub.")


def test_another_account_replaces_the_first_after_a_second_word(talk: Conversation) -> None:
    link(talk, talk.ada)
    talk.ada.type("/sciclops link")
    works = talk.told(talk.ada, "At GitHub you are ada. The link works.")
    assert set(buttons(works)) == {"Link Another Account", "Unlink"}
    talk.ada.press("Link Another Account", on=works)
    shown = talk.told(talk.ada, "Link your GitHub account")
    connect(talk, "grace", code_in(shown))
    later(talk)
    talk.ada.press("I Have Entered It", on=shown)
    talk.told(talk.ada, "Linked: at GitHub you are grace.")
    talk.ada.type("/sciclops unlink yes")
    talk.told(talk.ada, "Unlinked.")
    wait_until(lambda: flow_of(talk).living("grace") == 0, ANSWER_SECONDS)


def test_a_guest_can_link_nothing(talk: Conversation) -> None:
    talk.world.slack.workspace.people[cast.SAM.slack].guest = True
    talk.sam.type("/sciclops link")
    talk.told(talk.sam, "Only full members of this workspace may use SciCLOps.")


def test_a_click_that_arrives_twenty_times_links_once(talk: Conversation) -> None:
    shown, code = asked(talk, talk.ada)
    connect(talk, "ada", code)
    later(talk)
    before = len(direct(talk, talk.ada, "Linked: at GitHub you are ada."))
    click = talk.ada.press("I Have Entered It", on=shown)
    for attempt in talk.playground.chat.redeliver(click, CROWD, at_once=True):
        assert attempt.answer.outcome == "acked"
    talk.told(talk.ada, "At GitHub you are ada. The link works.")
    talk.ada.wait_until(
        lambda: len(direct(talk, talk.ada, "Linked: at GitHub you are ada.")) == before + 1
    )
    assert flow_of(talk).living("ada") == 1


def test_twenty_clicks_of_one_person_ask_github_once_and_link_once(talk: Conversation) -> None:
    shown, code = asked(talk, talk.ada)
    connect(talk, "ada", code)
    later(talk)
    before = len(direct(talk, talk.ada, "Linked: at GitHub you are ada."))
    pressed = buttons(shown)["I Have Entered It"]

    async def click_all() -> None:
        workspace = talk.world.slack.workspace
        clicks = (workspace.click(cast.ADA.slack, shown, *pressed) for _ in range(CROWD))
        await asyncio.gather(*clicks)

    talk.playground.run(click_all())
    talk.ada.wait_until(
        lambda: len(direct(talk, talk.ada, "Linked: at GitHub you are ada.")) == before + 1
    )
    assert flow_of(talk).living("ada") == 1


@pytest.mark.parametrize("point", ["after keep", "after link"])
def test_a_bot_that_dies_while_linking_finishes_it(talk: Conversation, point: str) -> None:
    shown, code = asked(talk, talk.ada)
    connect(talk, "ada", code)
    later(talk)
    before = len(direct(talk, talk.ada, "Linked: at GitHub you are ada."))
    die_at(talk, point, lambda: talk.ada.press("I Have Entered It", on=shown))
    later(talk)
    talk.ada.wait_until(
        lambda: len(direct(talk, talk.ada, "Linked: at GitHub you are ada.")) == before + 1,
        timeout=SWEPT_SECONDS,
    )
    assert flow_of(talk).living("ada") == 1


def test_an_answer_that_died_with_the_bot_is_told_and_asked_for_again(talk: Conversation) -> None:
    shown, code = asked(talk, talk.ada)
    connect(talk, "ada", code)
    later(talk)
    die_at(talk, "after poll", lambda: talk.ada.press("I Have Entered It", on=shown))
    later(talk)
    talk.ada.wait_until(lambda: direct(talk, talk.ada, "it was lost"), timeout=SWEPT_SECONDS)
    flow_of(talk).withdraw("ada")
    link(talk, talk.ada)


def die_at(talk: Conversation, point: str, act: Any) -> None:
    """Let the bot die at a point that an act leads to, and start it again."""
    bot = talk.world.bot
    talk.playground.run(bot.hold_at(point))
    act()
    talk.playground.run(bot.held())
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), timeout=120)


def test_a_token_of_yesterday_is_renewed(talk: Conversation) -> None:
    link(talk, talk.ada)
    before = flow_of(talk).renewals
    later(talk, 9 * 3600)
    talk.world.slack.workspace.messages.clear()
    talk.ada.type("/sciclops link")
    talk.told(talk.ada, "At GitHub you are ada. The link works.")
    assert flow_of(talk).renewals == before + 1


def test_a_renewal_that_died_with_the_bot_ends_in_link_again(talk: Conversation) -> None:
    link(talk, talk.ada)
    later(talk, 9 * 3600)
    die_at(talk, "after refresh", lambda: talk.ada.type("/sciclops link"))
    later(talk, 60)
    talk.ada.type("/sciclops link")
    talk.told(talk.ada, "Link your GitHub account")
    talk.ada.wait_until(
        lambda: direct(talk, talk.ada, "GitHub refuses to renew the token"), timeout=SWEPT_SECONDS
    )
    assert len(direct(talk, talk.ada, "GitHub refuses to renew the token")) == 1
    flow_of(talk).withdraw("ada")


def test_who_withdraws_at_github_is_told_and_links_again(talk: Conversation) -> None:
    link(talk, talk.ada)
    flow_of(talk).withdraw("ada")
    shown, code = asked(talk, talk.ada)
    talk.ada.wait_until(lambda: direct(talk, talk.ada, "GitHub refuses the token"))
    connect(talk, "ada", code)
    later(talk)
    talk.ada.press("I Have Entered It", on=shown)
    talk.told(talk.ada, "At GitHub you are ada. The link works.")
