"""Who is meant by ids of people and of user groups, asked of the stand-in for Slack."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from slack_standin_app import Running, running_slack

from bot.people import SlackPeople
from playground.cast import ADA, BOT_USER_ID, DORA, GONE, GRACE, PAT, ROSA
from playground.faults import Fault
from provisioning.errors import TemporaryError


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_slack() as one:
        yield one


async def active(running: Running, *people: str, at_most: int = 10) -> tuple[str, ...]:
    asked = SlackPeople("xoxb-playground", f"{running.base_url}/api/")
    return await asyncio.to_thread(asked.active, people, at_most)


async def test_who_is_named_comes_before_the_members_of_groups(running: Running) -> None:
    found = await active(running, "S0DATASCI", "S0PLATFORM", DORA.slack, ADA.slack)

    assert found == (DORA.slack, ADA.slack, GRACE.slack, ROSA.slack, PAT.slack)


async def test_the_inactive_bots_and_strangers_are_nobody(running: Running) -> None:
    people = running.workspace.people
    people[PAT.slack].guest = True

    assert await active(running, GONE.slack, BOT_USER_ID, "U0NOBODY", "", "S0PLATFORM") == ()


async def test_of_a_large_group_only_as_many_are_looked_at_as_are_wanted(running: Running) -> None:
    group = running.workspace.user_groups["S0DATASCI"]
    group.members = [f"U9{number:03}" for number in range(500)] + [ADA.slack, GRACE.slack]

    assert await active(running, "S0DATASCI", at_most=2) == (ADA.slack, GRACE.slack)

    looked = [call for call in running.slack.calls if call.method == "users.info"]
    assert len(looked) == 2


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, "did not answer"), (500, "did not answer"), (503, "did not answer"), (429, "slow down")],
)
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_slacks_own_troubles_pass(
    running: Running, method: str, status: int, said: str
) -> None:
    """With status 200 Slack says `internal_error`."""
    running.faults.add(Fault("slack", "status", method, status=status, seconds=7))

    with pytest.raises(TemporaryError, match=said) as raised:
        await active(running, "S0PLATFORM")

    assert raised.value.after == (timedelta(seconds=7) if status == 429 else None)
    assert await active(running, "S0PLATFORM") == (PAT.slack,)
