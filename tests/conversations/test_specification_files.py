"""A project's specification in its repository: refused while proposed, merged, confirmed, so."""

import re

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from shipping import link
from waiting import wait_until

from playground.cast import ADA, GRACE, PAT, ROSA, Person
from playground.github.pulls import PullRequest
from playground.github.runs import WorkflowRun
from playground.github.world import CheckRun
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground
from provisioning.spec_file import FILE
from provisioning.spec_files import PERIOD


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready; three people have linked GitHub."""
    talk = Conversation(playground, "written-1")
    talk.make()
    for person in (ADA, GRACE, ROSA):
        link(talk, person)
    return talk


def text(talk: Conversation, branch: str = "main") -> str:
    """Return the file on a branch."""
    return talk.world.github.files(talk.name, branch)[FILE].decode()


def edited(talk: Conversation, old: str, new: str) -> str:
    """Return the file of main with one thing said otherwise."""
    assert old in text(talk)
    return text(talk).replace(old, new)


def propose(talk: Conversation, content: str, branch: str, by: Person = ADA) -> PullRequest:
    """Open a pull request that changes the file."""
    github = talk.world.github
    github.push(by.github, talk.name, {FILE: content}, "Change the project", branch)
    return github.open_pull_request(by.github, talk.name, branch, "Change the project")


def check(talk: Conversation, pull: PullRequest) -> CheckRun:
    """Wait for what is reported on a pull request's last commit; Slack hears nothing of it."""

    def reported() -> list[CheckRun]:
        runs = talk.world.github.repos[talk.name].check_runs
        return [one for one in runs if one.head_sha == pull.head_sha]

    wait_until(lambda: bool(reported()), RUN_SECONDS)
    return reported()[0]


def said(run: CheckRun) -> str:
    """Return all annotations."""
    return " ".join(str(one["message"]) for one in run.annotations)


def merge(talk: Conversation, pull: PullRequest, by: Person = ADA) -> None:
    """Have a pull request reviewed, and merge it."""
    github = talk.world.github

    def proposals() -> list[WorkflowRun]:
        return [run for run in github.runs(talk.name) if run.event == "pull_request"]

    wait_until(lambda: all(run.status == "completed" for run in proposals()), RUN_SECONDS)
    reviewer = ROSA if pull.author == GRACE.github else GRACE
    github.review_pull_request(reviewer.github, talk.name, pull.number)
    github.merge_pull_request(by.github, talk.name, pull.number)


def change_message(talk: Conversation, state: str) -> Message:
    """Wait until the newest change's message shows a state."""

    def look() -> Message | None:
        latest = [one for one in talk.run_messages() if " · Change · " in text_of(one)][-1:]
        return next((one for one in latest if f"Change · {state}" in text_of(one)), None)

    return talk.ada.wait_until(look, timeout=RUN_SECONDS)


def changes(talk: Conversation) -> int:
    """Count the messages of changes."""
    return sum(" · Change · " in text_of(one) for one in talk.run_messages())


def test_the_starter_code_says_what_was_asked_for(talk: Conversation) -> None:
    assert f"name: {talk.name}\n" in text(talk)
    assert "owners:\n- U0ADA\n- U0GRACE\n" in text(talk)
    assert "- team: ml-reviewers\n" in text(talk)


def test_a_refused_proposal_is_mended_merged_confirmed_and_so(talk: Conversation) -> None:
    pull = propose(talk, edited(talk, "- team: ml-reviewers", "- team: nobody"), "reviewers")
    refused = check(talk, pull)
    assert (refused.name, refused.conclusion) == ("sciclops/specification", "failure")
    assert said(refused) == "GitHub has no team “nobody”."
    line = text(talk).splitlines().index("reviewers:") + 1
    assert [one["start_line"] for one in refused.annotations] == [line]
    better = edited(talk, "- team: ml-reviewers", "- user: rosa")
    talk.world.github.push(ADA.github, talk.name, {FILE: better}, "Mend it", "reviewers")
    assert check(talk, pull).conclusion == "success"
    assert changes(talk) == 0
    merge(talk, pull)
    run = text_of(change_message(talk, "Waiting for confirmation"))
    assert "Triggered by: U0ADA from GitHub, as ada: merge of #" in run
    assert "Reviewers of production: + user rosa - team ml-reviewers" in run
    talk.press("Confirm & Apply", talk.grace)
    ended = text_of(change_message(talk, "Changed"))
    assert "Files of the repository change" not in ended
    assert text(talk, "sciclops/template") == text(talk)
    reviewers = talk.world.github.repos[talk.name].environments["Production"].reviewers
    assert reviewers == [("User", ROSA.github_id)]
    talk.ada.type(f"/sciclops check {talk.name}")
    checked = text_of(talk.told(talk.ada, "checks passed"))
    assert re.search(r"(\d+) of \1 checks passed", checked), checked
    talk.world.clock.advance(PERIOD * 3)
    assert changes(talk) == 1


@pytest.mark.parametrize(
    ("old", "new", "by", "why"),
    [
        ("- U0GRACE", "- U0GRACE\n- U0ROSA", ROSA, "Nobody makes themselves an owner"),
        ("- U0ADA\n", "", GRACE, "Nobody removes all other owners"),
        ("template: ", "template: x", ADA, "The template of a project stays"),
        ("- U0ADA\n", "- U0ADA\n- U0GIL\n", ADA, "An owner must be an active member"),
        ("- user: rosa", "[]", ADA, "This is not YAML"),
    ],
)
def test_what_it_may_not_say_is_refused_on_the_pull_request(
    talk: Conversation, old: str, new: str, by: Person, why: str
) -> None:
    pull = propose(talk, edited(talk, old, new), f"refused-{by.github}-{len(why)}", by)
    refused = check(talk, pull)
    assert refused.conclusion == "failure"
    assert why in said(refused)
    talk.world.github.close_pull_request(by.github, talk.name, pull.number)


def told(talk: Conversation, words: str) -> str:
    """Return what is said of the newest pull request's merge."""
    number = len(talk.world.github.repos[talk.name].pulls)

    def look() -> str:
        texts = [text_of(one) for one in talk.ada.visible_messages()]
        return next((one for one in texts if f"The merge of #{number}http" in one), "")

    wait_until(lambda: words in look(), RUN_SECONDS)
    return look()


def test_what_is_merged_all_the_same_is_refused(talk: Conversation) -> None:
    before, valid = changes(talk), text(talk)
    merge(talk, propose(talk, edited(talk, "- U0GRACE", "- U0GRACE\n- U0ROSA"), "raise", ROSA))
    assert "Nobody makes themselves an owner" in told(talk, "was refused")
    merge(talk, propose(talk, valid, "as-before"))
    merge(talk, propose(talk, edited(talk, "- user: rosa", "- user: grace"), "by-rosa"), ROSA)
    assert "only an owner of the project or the platform team" in told(talk, "was refused")
    merge(talk, propose(talk, "nonsense", "nonsense"))
    assert "Until it is reverted, the file says what is not so." in told(talk, "The file must say")
    merge(talk, propose(talk, valid, "as-before-again"))
    talk.world.clock.advance(PERIOD * 2)
    assert changes(talk) == before


def test_a_merge_waits_until_a_run_is_over_and_changes_what_it_says_alone(
    talk: Conversation,
) -> None:
    talk.ada.type(f"/sciclops change {talk.name}")
    talk.ada.wait_for_view("keeps its name", timeout=ANSWER_SECONDS)
    talk.ada.fill({"owners": ["U0ADA", "U0GRACE", "U0PAT"]})
    assert talk.ada.submit() is None
    change_message(talk, "Waiting for confirmation")
    merge(talk, propose(talk, edited(talk, "- user: rosa", "- user: grace"), "meanwhile"))
    assert "has a run under way" in told(talk, "waits")
    talk.press("Confirm & Apply", talk.grace)
    change_message(talk, "Changed")
    talk.world.clock.advance(PERIOD * 2)
    run = text_of(change_message(talk, "Waiting for confirmation"))
    assert "has begun a change" in told(talk, "has begun")
    assert "Reviewers of production: + user grace - user rosa" in run
    assert "Owners:" not in run
    talk.press("Confirm & Apply", talk.pat)
    change_message(talk, "Changed")
    assert "- U0PAT\n" in text(talk, "sciclops/template")
    assert "- user: grace\n" in text(talk, "sciclops/template")


def test_whoever_has_linked_nothing_begins_nothing(talk: Conversation) -> None:
    before = changes(talk)
    merge(talk, propose(talk, edited(talk, "- user: grace", "- user: rosa"), "unlinked"), PAT)
    assert "Nobody has linked the GitHub account pat" in told(talk, "was refused")
    assert changes(talk) == before
