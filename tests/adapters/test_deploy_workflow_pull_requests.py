"""Pull requests in the deploy workflow: copies that go away, and whatever strangers may write."""

from collections.abc import Iterator
from typing import Any

import pytest
from deploy_workflow import Outcome, Workshop, artifacts

pytestmark = pytest.mark.timeout(180)
EVIL = "touch${IFS}$HOME/pwned"
BRANCH = f'a"$({EVIL})";`{EVIL}`\'${{{{github.token}}}}'
TITLE = (
    f"\n$({EVIL})\n`{EVIL}`\"; {EVIL}; ' ${{{{ github.token }}}}\n"
    "::add-mask::success\n##[add-mask]success\n::set-output name=build::evil"
)
FILES = {
    f"$({EVIL.replace('/', '')}).txt": "1",
    "a;\"'`touch pwned`\n--help ${{ github.token }}.txt": "2",
}
COPY = "/Workspace/Users/sp-Development/.bundle/proj/development_pr7"
TESTED = {"Validate, Test and Build", "Version"}


class PullRequest:
    """A pull request of somebody who tries everything."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        message = f"feat: {TITLE}"
        self.commit = shop.commit(message, FILES, push="refs/pull/7/merge")
        self.opened = self.send("opened")

    def send(
        self, action: str, repository: str | None = "acme/proj", login: str = "ada"
    ) -> Outcome:
        """Run the workflow for an event of the pull request."""
        head: dict[str, Any] = {"ref": BRANCH, "label": f"acme:{BRANCH}", "sha": self.commit}
        head["repo"] = repository and {"full_name": repository}
        pull = {"number": 7, "title": TITLE, "body": TITLE, "head": head, "user": {"login": login}}
        pull["base"] = {"ref": "main"}
        sent = {"action": action, "number": 7, "pull_request": pull, "ref": "refs/pull/7/merge"}
        return self.shop.run("pull_request", sent)


@pytest.fixture(scope="module")
def pull_request(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PullRequest]:
    with artifacts() as server:
        shop = Workshop(tmp_path_factory.mktemp("pulls"), server.url)
        shop.know("Development")
        yield PullRequest(shop)


def worked(outcome: Outcome) -> set[str]:
    """Return the jobs that ran, all of them well, without the two at the side."""
    assert set(outcome.jobs.values()) == {"success"}, outcome.everything
    return set(outcome.jobs) - {"Dump Context", "Set Jobs to Run"}


def test_a_pull_request_gets_a_copy_and_no_release(pull_request: PullRequest) -> None:
    assert worked(pull_request.opened) == TESTED | {"Deploy Pull Request Copy"}
    assert pull_request.shop.tags() == {}
    deployed = pull_request.shop.calls()[-1]
    assert deployed["command"] == ["bundle", "deploy", "-t", "development", "--auto-approve"]
    assert deployed["env"]["BUNDLE_VAR_copy"] == "_pr7"
    assert deployed["version"] == "0.1.0.dev1"


def test_nothing_that_a_stranger_writes_is_executed(pull_request: PullRequest) -> None:
    assert worked(pull_request.opened)
    found = {path.name for path in pull_request.shop.folder.rglob("*pwned*")}
    assert found == set(FILES)


def test_the_dump_shows_hostile_text_as_it_is(pull_request: PullRequest) -> None:
    dump = pull_request.opened.logs["Dump Context"]
    assert "${{ github.token }}" in dump
    assert "::add-mask::success" in dump


def test_closing_a_pull_request_takes_its_copy_away(pull_request: PullRequest) -> None:
    pull_request.send("synchronize")
    assert COPY in pull_request.shop.world()
    assert worked(pull_request.send("closed")) == {"Destroy Pull Request Copy"}
    assert pull_request.shop.world() == {}
    assert pull_request.shop.calls()[-1]["env"]["BUNDLE_VAR_copy"] == "_pr7"


@pytest.mark.parametrize(
    ("repository", "login"),
    [("mallory/proj", "mallory"), (None, "mallory"), ("acme/proj", "dependabot[bot]")],
)
def test_who_gets_no_identity_gets_no_copy(
    pull_request: PullRequest, repository: str | None, login: str
) -> None:
    calls = len(pull_request.shop.calls())
    assert worked(pull_request.send("opened", repository, login)) == TESTED
    assert worked(pull_request.send("closed", repository, login)) == set()
    assert len(pull_request.shop.calls()) == calls


def test_hostile_files_and_messages_reach_production_without_harm(
    pull_request: PullRequest,
) -> None:
    shop = pull_request.shop
    for environment in ("Testing", "Staging", "Production-plan", "Production"):
        shop.know(environment)
    shop.commit(f"feat: {TITLE}", {"x.txt": "x"})
    outcome = shop.run("push", {"head_commit": {"message": TITLE}})
    assert {"Plan Production", "Deploy Production"} <= worked(outcome)
    assert set(shop.tags()) == {"v0.1.0"}
    assert not (shop.home / "pwned").exists()
