"""Keys are replaced while deployments go on: whatever fails, what GitHub has logs in."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conversation import RUN_SECONDS, Conversation
from keys import Keys, LoggingIn, status
from played_runs import playing
from shipping import merge, run_says
from waiting import wait_until

from playground.cast import GRACE
from playground.faults import Door, Fault
from playground.github.runs import WorkflowRun
from playground.slack.reading import buttons, text_of
from playground.world import Choices, Playground

TESTING = "/environments/Testing/secrets"
SECRETS = "/credentials/secrets"


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a running playground whose deployments log in with secrets."""
    directory: Path = tmp_path_factory.mktemp("playground")
    with playing(directory, Choices(edit_seconds=0.2, authentication="secret")) as started:
        started.world.github.runner = LoggingIn(started.world.github.hub.book)
        yield started


@pytest.fixture(scope="module")
def ready(playground: Playground) -> Keys:
    """Return the keys of a project that is ready; its first release waits for people."""
    talk = Conversation(playground, "keys-1")
    talk.make()
    (first,) = playground.world.github.runs(talk.name)
    wait_until(lambda: is_waiting(first), RUN_SECONDS)
    return Keys(talk)


@pytest.fixture
def keys(ready: Keys) -> Iterator[Keys]:
    """Return the project's keys; afterwards all is well again."""
    yield ready
    ready.talk.world.faults.clear()
    runner(ready).held.clear()


def runner(keys: Keys) -> LoggingIn:
    """Return what plays the deployments."""
    found = keys.talk.world.github.runner
    assert isinstance(found, LoggingIn)
    return found


def is_waiting(run: WorkflowRun) -> bool:
    """Tell whether a run waits for reviewers."""
    return any(job.status == "waiting" for job in run.present_jobs)


async def let_go(playing: LoggingIn) -> None:
    """Let what is held go on."""
    playing.go_on.set()


def begin_deployment(keys: Keys, title: str) -> WorkflowRun:
    """Return a deployment that has begun to work in Testing, and stays there."""
    runner(keys).go_on.clear()
    runner(keys).held.add("Deploy Testing")
    run = merge(keys.talk, title)

    def works() -> bool:
        jobs = {job.name.rpartition(" / ")[2]: job.status for job in run.present_jobs}
        return jobs.get("Deploy Testing") == "in_progress"

    wait_until(works, RUN_SECONDS)
    return run


def move(keys: Keys, by: timedelta) -> None:
    """Move time; a bot that starts looks at once at all that is due."""
    keys.talk.world.clock.advance(by)
    bot, run = keys.talk.world.bot, keys.talk.playground.run
    run(bot.kill())
    run(bot.start(), RUN_SECONDS)


def test_all_keys_are_replaced_and_the_old_ones_log_in_no_more(keys: Keys) -> None:
    before = keys.all()
    said = text_of(keys.message(keys.rotate(), "Done"))
    assert "5 of 5 environments" in said
    assert "5 old keys revoked" in said
    assert keys.are_tidy()
    assert {status(key) for key in before.values()} == {401}
    assert not any(key[2] in said for key in (*before.values(), *keys.all().values()))


def test_a_deployment_that_began_before_keeps_its_key_until_it_has_ended(keys: Keys) -> None:
    run = begin_deployment(keys, "feat: meanwhile")
    old = keys.of()
    number = keys.rotate()
    said = text_of(keys.message(number, "Keeping the old keys"))
    assert str(run.id) in said
    assert keys.of() != old
    assert status(old) == 200
    keys.talk.ada.type(f"/sciclops rotate {keys.talk.name}")
    busy = keys.talk.told(keys.talk.ada, "has a run under way")
    assert "Wait for its end, and ask again." in text_of(busy), "nobody can cancel it now"
    runner(keys).logins.clear()
    keys.talk.playground.run(let_go(runner(keys)))
    keys.message(number, "Done")
    assert status(old) == 401
    wait_until(lambda: is_waiting(run), RUN_SECONDS)
    logins = dict(runner(keys).logins)
    assert {"bundle / Deploy Testing", "bundle / Deploy Staging"} <= logins.keys()
    assert set(logins.values()) == {200}
    assert keys.are_tidy()


def test_deployments_all_through_a_rotation_log_in(keys: Keys) -> None:
    github, name, old = keys.talk.world.github, keys.talk.name, keys.all()
    runner(keys).logins.clear()
    number, runs = keys.rotate(), list[WorkflowRun]()

    def is_done() -> bool:
        return any("Key rotation · Done" in text_of(one) for one in keys.messages()[number:])

    while not is_done():
        runs.append(github.dispatch(GRACE.github, name, "deploy.yml", {"stage": "staging"}))
        run_says(keys.talk, runs[-1], "Deployed to Staging")
    assert {run.conclusion for run in runs} == {"success"}
    assert {answered for _, answered in runner(keys).logins} == {200}
    assert {status(key) for key in old.values()} == {401}
    assert keys.are_tidy()


def test_a_deployment_that_never_ends_keeps_no_key_for_ever(keys: Keys) -> None:
    begin_deployment(keys, "feat: never ends")
    old = keys.of()
    number = keys.rotate("testing")
    keys.message(number, "Keeping the old keys")
    move(keys, timedelta(hours=25))
    keys.message(number, "Done")
    assert status(old) == 401
    assert keys.are_tidy()
    keys.talk.playground.run(let_go(runner(keys)))


@pytest.mark.parametrize(
    ("step", "door", "pattern", "passed"),
    [
        ("Renewing", "github", f"PUT .*{TESTING}", 0),
        ("Renewing", "databricks", f"GET .*{SECRETS}", 0),
        ("Renewing", "databricks", f"POST .*{SECRETS}", 0),
        ("Renewing", "github", f"GET .*{TESTING}/public-key", 1),
        ("Renewing", "github", f"PUT .*{TESTING}/DATABRICKS_TOKEN$", 0),
        ("Renewing", "github", f"PUT .*{TESTING}/DATABRICKS_TOKEN_MT_SP", 0),
        ("Renewing", "github", f"GET .*{TESTING}$", 1),
        ("Revoking", "github", f"GET .*{TESTING}$", 2),
        ("Revoking", "databricks", f"GET .*{SECRETS}", 1),
        ("Revoking", "databricks", f"DELETE .*{SECRETS}", 0),
    ],
)
def test_whatever_fails_what_github_has_logs_in_and_a_retry_ends_well(
    keys: Keys, step: str, door: Door, pattern: str, passed: int
) -> None:
    old = keys.of()
    faults = keys.talk.world.faults
    if passed:
        faults.add(Fault(door, "delay", pattern, times=passed, seconds=0))
    faults.add(Fault(door, "status", pattern, times=1, status=403))
    number = keys.rotate("testing")
    failed = keys.message(number, "Failed")
    said = text_of(failed)
    assert f"{step} the " in said
    assert "every environment logs in with the key that GitHub has" in said
    for name, environment in keys.environments().items():
        for secret in ("DATABRICKS_TOKEN", "DATABRICKS_TOKEN_MT_SP"):
            host, client = (environment.secrets[one].value.decode() for one in PLACES)
            assert status((host, client, environment.secrets[secret].value.decode())) == 200, name
    assert status(old) == 200
    keys.talk.ada.press("Retry", on=failed)
    keys.message(number, "Done")
    assert keys.of() != old
    assert keys.are_tidy()


PLACES = ("DATABRICKS_HOST", "MGMT_CLIENT_ID")


def test_a_key_that_does_not_log_in_never_reaches_github(keys: Keys) -> None:
    old, principal = keys.of(), keys.principal()
    workspace = keys.talk.world.databricks.workspace("gbx1", "testing")
    assignment = workspace.assignments.pop(principal.id)
    number = keys.rotate("testing")
    keys.talk.says("does not log in to Testing yet")
    assert keys.of() == old
    workspace.assignments[principal.id] = assignment
    keys.talk.world.clock.advance(timedelta(seconds=30))
    keys.message(number, "Done")
    assert keys.are_tidy()


@pytest.mark.parametrize("point", ["between minting and writing", "after revoke"])
def test_a_kill_leaves_no_orphan_and_the_rotation_goes_on(keys: Keys, point: str) -> None:
    bot, run = keys.talk.world.bot, keys.talk.playground.run
    if point == "after revoke":
        run(bot.hold_at("after revoke the old keys of Testing"))
    else:
        sealing = f"GET .*{TESTING}/public-key"  # once before minting, once before writing
        for seconds in (0, 5):
            keys.talk.world.faults.add(Fault("github", "delay", sealing, seconds=seconds))
    number = keys.rotate("testing")
    if point == "after revoke":
        run(bot.held(), RUN_SECONDS)
    else:
        wait_until(lambda: len(keys.principal().secrets) == 2, RUN_SECONDS)
    run(bot.kill())
    assert keys.log_in()
    run(bot.start(), RUN_SECONDS)
    keys.message(number, "Done")
    wait_until(keys.are_tidy)


def test_only_owners_and_the_platform_team_rotate_and_only_what_there_is(keys: Keys) -> None:
    name, before = keys.talk.name, keys.all()
    keys.talk.sam.type(f"/sciclops rotate {name}")
    keys.talk.told(keys.talk.sam, "only an owner of the project or the platform team")
    keys.talk.ada.type(f"/sciclops rotate {name} prod")
    keys.talk.told(keys.talk.ada, "Say one of development, testing, staging, production, all")
    keys.talk.ada.type("/sciclops rotate nothing-here")
    keys.talk.told(keys.talk.ada, "There is no project “nothing-here”")
    assert keys.all() == before


def test_owners_are_told_once_of_keys_that_are_due_and_each_week_of_overdue_ones(
    keys: Keys,
) -> None:
    talk = keys.talk
    keys.message(keys.rotate(), "Done")
    move(keys, timedelta(days=77))
    told = talk.told(talk.ada, "Testing · keys due for rotation")
    assert "77 days old" in text_of(told)
    talk.told(talk.grace, "Testing · keys due for rotation")
    talk.ada.type(f"/sciclops status {talk.name}")
    talk.told(talk.ada, "Testing 77 days")
    number = len(keys.messages())
    talk.ada.press("Rotate Now", on=told)
    assert "Keys of: Testing" in text_of(keys.message(number, "Done"))
    for owner in (talk.ada, talk.grace):
        settled = talk.told(owner, "New keys have replaced these")
        assert "Testing · keys due" in text_of(settled)
        assert not buttons(settled)
    move(keys, timedelta(days=7))
    overdue = talk.told(talk.ada, "Staging · keys overdue for rotation")
    assert set(buttons(overdue)) == {"Rotate Now"}
    assert told_of(keys, "Testing · keys") == 1
    assert told_of(keys, "Staging · keys due") == 1
    assert told_of(keys, "Staging · keys overdue") == 1


def told_of(keys: Keys, words: str) -> int:
    """Return how many messages to Ada say this."""
    place = f"D{keys.talk.ada.user.removeprefix('U')}"
    messages = keys.talk.world.slack.workspace.messages
    return sum(one.channel == place and words in text_of(one) for one in messages)
