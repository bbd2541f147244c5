"""A repository's pull requests and workflow runs, as GitHub's own page has them.

Whoever looks acts as their GitHub account; what GitHub refuses is said, as it says it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from playground.cast import PEOPLE
from playground.github.calls import Refusal
from playground.github.pulls import PullRequest, latest_reviews
from playground.github.runs import Job, WorkflowRun
from playground.github.server import GitHub
from playground.github.world import Repository
from playground.page.address import Address
from playground.page.html import Html, classes, tag
from playground.page.reader import Reader
from playground.slack.entities import Json, NotPossible

MOST_RUNS = 15
MOST_PULLS = 15
SIGNS = {
    "queued": "○",
    "waiting": "◷",
    "in_progress": "◐",
    "success": "✓",
    "failure": "✕",
    "cancelled": "⊘",
    "skipped": "—",
}
LOG_SHOWN = 20_000
ARCHIVED = "This repository is archived: it can be read, and nobody changes it any more."


def login_of(viewer: str) -> str:
    """Return the GitHub login of a person of the cast."""
    return next((one.github for one in PEOPLE if one.slack == viewer), "")


def repository_view(github: GitHub, at: Address, reader: Reader) -> Html:
    """Return the pull requests and runs of the address's repository."""
    repo = github.repos[at.name]
    login = login_of(at.viewer)
    pulls = list(repo.pulls.values())[::-1][:MOST_PULLS]
    runs = github.runs(at.name)[::-1][:MOST_RUNS]
    shown_pulls = [_pull(repo, one, reader) for one in pulls] or tag("p", "There is none.")
    shown_runs = [_run(github, at, one, reader) for one in runs]
    return tag(
        "div",
        tag("p", ARCHIVED, class_="calm") if repo.archived else _who(login),
        _panel("Pull requests", None if repo.archived else _proposal(at.name), shown_pulls),
        _panel("Workflow runs", None, shown_runs or tag("p", "Nothing has run yet.")),
        class_="world",
    )


def _who(login: str) -> Html:
    words = (
        ("Here you are ", tag("b", login), " at GitHub.") if login else ("You have no account.",)
    )
    return tag("p", *words, class_="calm")


def _panel(title: str, first: Html | None, rest: Iterable[Html] | Html) -> Html:
    return tag("section", tag("h2", title), first, rest, class_="panel")


# Pull requests ------------------------------------------------------------------------------


def _proposal(repository: str) -> Html:
    """Return the form that proposes a change of one file."""
    fields = [
        _hidden("repository", repository),
        _typed("Title", "title", "feat: say hello"),
        _typed("File", "path", "notes/hello.md"),
        tag(
            "label", "Content", tag("textarea", "Hello.\n", name="content", rows="2", class_="text")
        ),
        tag("button", "Open Pull Request", type="submit", class_="button primary"),
    ]
    head = tag("summary", tag("b", "Propose a change"))
    form = tag("form", fields, class_="grid-form", data_lab="propose", id=f"propose-{repository}")
    return tag("details", head, form, class_="leaf", data_key=f"propose|{repository}")


def _pull(repo: Repository, pull: PullRequest, reader: Reader) -> Html:
    repository = repo.name
    state = "merged" if pull.merged_at else pull.state
    reviews = ", ".join(
        f"{login} {review.state.lower().replace('_', ' ')}"
        for login, review in latest_reviews(pull).items()
    )
    about = f"#{pull.number} {pull.head} → {pull.base} by {pull.author}"
    buttons = []
    if state == "open" and not repo.archived:
        buttons = [
            _act("approve-pull", "Approve", repository, pull.number),
            _act("merge-pull", "Merge", repository, pull.number),
            _act("close-pull", "Close", repository, pull.number),
        ]
    return tag(
        "div",
        tag("div", tag("b", pull.title), " ", tag("span", state, class_=f"tag state {state}")),
        tag("div", about, " · ", reader.time(_stamp(pull.updated_at.timestamp())), class_="muted"),
        tag("div", f"Reviews: {reviews}", class_="muted") if reviews else None,
        tag("div", buttons, class_="row-form") if buttons else None,
        class_="leaf pull",
    )


# Runs ---------------------------------------------------------------------------------------


def _run(github: GitHub, at: Address, run: WorkflowRun, reader: Reader) -> Html:
    state = str(run.conclusion or run.status)
    about = f"{run.event} · {run.ref.removeprefix('refs/heads/')} · {run.sha[:8]} · {run.actor}"
    attempt = f" · attempt {run.attempt}" if run.attempt > 1 else ""
    name = run.workflow.rpartition("/")[2]
    head = tag(
        "summary",
        tag("span", SIGNS.get(state, "○"), class_=f"sign-value {state}", aria_hidden="true"),
        tag("b", run.title or name),
        tag("span", state.replace("_", " "), class_=f"tag state {state}"),
        tag("span", f"{about}{attempt}", class_="muted"),
        reader.time(_stamp(run.created_at.timestamp())),
    )
    waiting = [job for job in run.present_jobs if job.status == "waiting"]
    parts = [
        graph(run.present_jobs),
        *(_review_form(at.name, run, job, _reviewers(github, at.name, job)) for job in waiting),
        *map(_review_line, _reviews(run)),
        None if github.repos[at.name].archived else _run_buttons(at.name, run),
        *(_log(run, job) for job in run.present_jobs if job.log),
    ]
    opened = run.status != "completed"
    key = f"run|{run.id}"
    return tag(
        "details", head, parts, class_="leaf run", data_key=key, id=f"run-{run.id}", open=opened
    )


def graph(jobs: Sequence[Job]) -> Html:
    """Return the jobs in columns: each stands right of what it needs."""
    depth: dict[str, int] = {}
    for place, job in enumerate(jobs):
        before = [depth[name] for name in job.needs if name in depth]
        depth[job.name] = max(before) + 1 if before else (0 if job.needs else min(place, 0))
    columns: dict[int, list[Job]] = {}
    for job in (one for one in jobs if one.conclusion != "skipped"):
        columns.setdefault(depth[job.name], []).append(job)
    shown = [
        tag("div", [_job(job) for job in columns[column]], class_="graph-column")
        for column in sorted(columns)
    ]
    return tag("div", shown, class_="graph", role="list", aria_label="Jobs")


def _job(job: Job) -> Html:
    state = str(job.conclusion or job.status)
    took = ""
    if job.started_at and job.completed_at:
        took = f"{(job.completed_at - job.started_at).total_seconds():.0f} s"
    return tag(
        "div",
        tag("span", SIGNS.get(state, "○"), class_="graph-sign", aria_hidden="true"),
        tag("span", job.name.rpartition(" / ")[2], class_="graph-name"),
        tag("span", state.replace("_", " "), class_="graph-state"),
        tag("span", took, class_="muted") if took else None,
        class_=classes("graph-job", state),
        role="listitem",
    )


def _reviewers(github: GitHub, repository: str, job: Job) -> str:
    found = github.repos[repository].environment(job.environment)
    names = []
    for kind, number in found.reviewers if found else ():
        team, user = github.world.team_by_id(number), github.world.user_by_id(number)
        if kind == "Team" and team:
            names.append(f"team {team.slug}")
        elif user:
            names.append(user.login)
    return ", ".join(names)


def _review_form(repository: str, run: WorkflowRun, job: Job, reviewers: str) -> Html:
    words = f"{job.environment} waits for {reviewers or 'its rule'}"
    return tag(
        "form",
        _hidden("repository", repository),
        _hidden("run", str(run.id)),
        _hidden("environment", job.environment),
        tag("b", words),
        _typed("Comment", "comment", ""),
        tag("label", tag("select", _choices(), name="verdict", class_="text")),
        tag("button", "Review Deployment", type="submit", class_="button"),
        class_="row-form",
        data_lab="review-deployment",
        id=f"review-{run.id}-{job.environment}",
    )


def _choices() -> list[Html]:
    return [
        tag("option", "Approve and deploy", value="approved"),
        tag("option", "Reject", value="rejected"),
    ]


def _reviews(run: WorkflowRun) -> list[str]:
    return [
        f"{one.login} {one.state} {one.environment}{f': {one.comment}' if one.comment else ''}"
        for one in run.reviews
    ]


def _review_line(words: str) -> Html:
    return tag("p", words, class_="muted")


def _run_buttons(repository: str, run: WorkflowRun) -> Html:
    if run.status != "completed":
        return _act("cancel-run", "Cancel Run", repository, run.id)
    return _act("rerun", "Re-run All Jobs", repository, run.id)


def _log(run: WorkflowRun, job: Job) -> Html:
    head = tag("summary", tag("code", job.name), tag("span", f"{len(job.log.splitlines())} lines"))
    key = f"log|{run.id}|{run.attempt}|{job.id}"
    body = tag("pre", job.log[-LOG_SHOWN:], tabindex="0")
    return tag("details", head, body, class_="leaf", data_key=key)


# Parts --------------------------------------------------------------------------------------


def _act(deed: str, label: str, repository: str, number: int) -> Html:
    return tag(
        "button",
        label,
        type="button",
        class_="button small",
        data_lab=deed,
        data_repository=repository,
        data_number=str(number),
    )


def _hidden(name: str, value: str) -> Html:
    return tag("input", type="hidden", name=name, value=value)


def _typed(label: str, name: str, value: str) -> Html:
    box = tag(
        "input", name=name, value=value, class_="text", autocomplete="off", spellcheck="false"
    )
    return tag("label", label, box)


def _stamp(seconds: float) -> str:
    return str(seconds)


# Doing --------------------------------------------------------------------------------------


class AtGitHub:
    """What one person does on the repository's page."""

    def __init__(self, github: GitHub, viewer: str) -> None:
        self._github = github
        self._login = login_of(viewer)

    @property
    def known(self) -> dict[str, Callable[[Json], Awaitable[Json]]]:
        """Return the deeds by name."""
        return {
            "propose": self._refusable(self._propose),
            "approve-pull": self._refusable(self._approve),
            "merge-pull": self._refusable(self._merge),
            "close-pull": self._refusable(self._close),
            "review-deployment": self._refusable(self._review),
            "cancel-run": self._refusable(self._cancel),
            "rerun": self._refusable(self._rerun),
        }

    def _refusable(self, doing: Callable[[Json], str]) -> Callable[[Json], Awaitable[Json]]:
        async def done(sent: Json) -> Json:
            if not self._login:
                raise NotPossible("this person has no GitHub account")
            try:
                return {"said": doing(sent)}
            except Refusal as refusal:
                raise NotPossible(f"GitHub says: {_said(refusal)}") from refusal
            except (KeyError, LookupError) as gone:
                raise NotPossible("that is not there any more") from gone

        return done

    def _propose(self, sent: Json) -> str:
        repository, title = str(sent["repository"]), str(sent["title"]).strip()
        path = str(sent["path"]).strip().strip("/")
        if not title or not path or ".." in path.split("/"):
            raise NotPossible("a change has a title and the path of a file")
        number = len(self._github.repos[repository].pulls) + 1
        branch = f"{self._login}-{number}"
        files = {path: str(sent["content"]).replace("\r\n", "\n")}
        self._github.push(self._login, repository, files, title, branch)
        pull = self._github.open_pull_request(self._login, repository, branch, title)
        return f"Opened pull request #{pull.number}."

    def _approve(self, sent: Json) -> str:
        number = int(str(sent["number"]))
        self._github.review_pull_request(self._login, str(sent["repository"]), number)
        return f"Approved #{number}."

    def _merge(self, sent: Json) -> str:
        number = int(str(sent["number"]))
        self._github.merge_pull_request(self._login, str(sent["repository"]), number)
        return f"Merged #{number}."

    def _close(self, sent: Json) -> str:
        number = int(str(sent["number"]))
        self._github.close_pull_request(self._login, str(sent["repository"]), number)
        return f"Closed #{number}."

    def _review(self, sent: Json) -> str:
        self._github.review_deployment(
            self._login,
            int(str(sent["run"])),
            str(sent["environment"]),
            approved=sent["verdict"] == "approved",
            comment=str(sent.get("comment") or "").strip() or "Reviewed on GitHub",
        )
        return f"You have {sent['verdict']} {sent['environment']}."

    def _cancel(self, sent: Json) -> str:
        self._github.cancel_run(self._login, int(str(sent["number"])))
        return "Cancelled."

    def _rerun(self, sent: Json) -> str:
        self._github.rerun(self._login, int(str(sent["number"])))
        return "Running again."


def _said(refusal: Refusal) -> str:
    errors = refusal.body.get("errors")
    details = [str(one) for one in errors] if isinstance(errors, list) else []
    return "; ".join([str(refusal.body["message"]), *details])
