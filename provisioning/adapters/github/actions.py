"""GitHub Actions of the projects: runs, what holds them, what they plan, and decisions on them.

Sources: docs.github.com/rest/actions (workflow-runs, workflow-jobs, artifacts), /rest/deployments,
/rest/commits (compare). Installation tokens look; people's own tokens decide and dispatch.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import requests
from github import GithubException
from pydantic import SecretStr

from provisioning.adapters.github.commits import comparison
from provisioning.adapters.github.connection import LARGEST_PAGE, TIMEOUT_SECONDS, Connection
from provisioning.adapters.github.plans import newest_plan, read_plan
from provisioning.adapters.github.sightings import job_of, run_of
from provisioning.deployment_ports import (
    Look,
    PendingEnvironment,
    Review,
    TokenRefusedError,
    TooLateError,
    Verdict,
)
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.release import Comparison, ReleasePlan
from provisioning.workflow_run import WORKFLOW, WorkflowJob, WorkflowRun

Json = Any

MOST_COMMITS = 20
LOG_LINES = 40
FILE = quote(WORKFLOW.rpartition("/")[2])
NEWEST = 30
"""So many runs, newest first, are looked through for one of ours."""
DECISIONS = ("approved", "rejected")
"""GitHub also lists what a rule of an App has only remarked, as `pending`."""
AMBIGUOUS = timedelta(seconds=15)
"""So long after a dispatch whose answer was lost GitHub's list may lack its run."""
NOT_FROM_YOU = "it takes none from you: you are not among its reviewers, or the run is your own."


class GitHubActions:
    """Implements the ports `Deployments`, `Gate` and `Dispatches`; safe for several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._organisation = connection.app.organisation
        self._recent: dict[str, tuple[str, tuple[WorkflowRun, ...]]] = {}

    # ------------------------------------------------------------------ looking

    def look(self, project: str, run: int) -> Look | None:
        """Return a run as it is now, or None if it is gone."""
        path = f"{self._repository(project)}/actions/runs/{run}"
        with self._connection.doing(f"look at the workflow run {run}"):
            found = self._connection.get_again(path)
            if found is None:
                return None
            seen = run_of(found, project)
            if seen.path != WORKFLOW:
                return Look(run=seen)
            jobs = tuple(map(job_of, self._listed(f"{path}/jobs", "jobs", "filter=latest&")))
            waits = found["status"] in ("waiting", "queued", "in_progress", "requested", "pending")
            # What is decided between these two looks must not count as decided before it was asked.
            reviews = self._connection.get_again(f"{path}/approvals") or []
            pending = self._connection.get_again(f"{path}/pending_deployments") if waits else []
        return Look(
            run=seen.model_copy(update={"jobs": jobs}),
            pending=tuple(map(_pending, pending or [])),
            reviews=tuple(_review(one) for one in reviews if one["state"] in DECISIONS),
        )

    def recent(self, project: str) -> tuple[WorkflowRun, ...]:
        """Return the latest runs of the project's deploy workflow, newest first, without jobs."""
        path = f"{self._repository(project)}/actions/workflows/{FILE}/runs?per_page={NEWEST}"
        tag, known = self._recent.get(project, ("", ()))
        with self._connection.doing(f"list the workflow runs of {project}"):
            tag, found = self._connection.get_if_changed(path, tag)
        if found is None and tag:
            return known
        runs = (run_of(run, project) for run in (found or {}).get("workflow_runs", ()))
        recent = tuple(run for run in runs if run.path == WORKFLOW)
        self._recent[project] = (tag, recent)
        return recent

    def under_way(self, project: str) -> tuple[WorkflowRun, ...]:
        """Return the runs of any workflow of the project that are not over, without jobs."""
        path = f"{self._repository(project)}/actions/runs?per_page={LARGEST_PAGE}"
        with self._connection.doing(f"list what is under way in {project}"):
            found = self._connection.get_again(path) or {}
        runs = (run_of(run, project) for run in found.get("workflow_runs", ()))
        return tuple(run for run in runs if not run.is_over)

    def plan(self, project: str, run: WorkflowRun, environment: str) -> ReleasePlan | None:
        """Return the plan that this attempt has made for a gated environment, if it has."""
        name = f"plan-{environment}"
        path = f"{self._repository(project)}/actions/runs/{run.id}/artifacts?name={quote(name)}"
        with self._connection.doing(f"read the plan of the workflow run {run.id}"):
            listed = (self._connection.get(path) or {}).get("artifacts", [])
            artifact = newest_plan(listed, run, environment)
            if artifact is None:
                return None
            content = self._download(artifact["archive_download_url"])
        plan = read_plan(content)
        return plan if plan and plan.commit == run.sha else None

    def released(self, project: str, environment: str) -> str:
        """Return the commit that was deployed to an environment last, or an empty string."""
        repository = self._repository(project)
        where = f"environment={quote(environment)}&per_page={LARGEST_PAGE}"
        with self._connection.doing(f"look for the last deployment to {environment}"):
            for deployment in self._connection.get(f"{repository}/deployments?{where}") or []:
                path = f"{repository}/deployments/{deployment['id']}/statuses?per_page=10"
                states = {status["state"] for status in self._connection.get(path) or []}
                if "success" in states:
                    return str(deployment["sha"])
        return ""

    def commits(self, project: str, base: str, head: str) -> Comparison | None:
        """Return the commits that `head` has and `base` lacks; without a base the head alone."""
        repository = self._repository(project)
        with self._connection.doing(f"compare commits of {project}"):
            if not base:
                found = self._connection.get(f"{repository}/commits/{quote(head)}")
                return comparison("", 1, [found], "") if found else None
            path = f"{repository}/compare/{quote(base)}...{quote(head)}"
            compared = self._connection.get(path)
            if compared is None:
                return None
            commits = compared["commits"][-MOST_COMMITS:]
            if not commits:
                commits = [self._connection.get(f"{repository}/commits/{quote(head)}")]
        return comparison(base, compared["ahead_by"], commits, compared["html_url"])

    def log_end(self, project: str, job: WorkflowJob) -> str:
        """Return the last lines of a job's log, or an empty string; not redacted."""
        url = (
            f"{self._connection.app.api_url}{self._repository(project)}/actions/jobs/{job.id}/logs"
        )
        with self._connection.doing(f"read the log of the job {job.id}"):
            text = self._download(url).decode("utf-8", "replace")
        lines = [_without_time(line) for line in text.splitlines() if line.strip()]
        return "\n".join(lines[-LOG_LINES:])

    def reviewer_logins(self, reviewers: tuple[str, ...]) -> frozenset[str]:
        """Return the logins behind `team:<slug>` and `user:<login>`, always asked live."""
        logins: set[str] = set()
        for reviewer in reviewers:
            kind, _, name = reviewer.partition(":")
            if kind == "user":
                logins.add(name)
                continue
            path = f"/orgs/{self._organisation}/teams/{quote(name, safe='')}/members"
            with self._connection.doing(f"list the team {name}"):
                logins |= {member["login"] for member in self._connection.pages(path)}
        return frozenset(logins)

    # ------------------------------------------------------------------ deciding and beginning

    def decide(
        self, project: str, run: int, environment: str, verdict: Verdict, token: SecretStr
    ) -> None:
        """Approve or reject as the person whose token it is."""
        path = f"{self._repository(project)}/actions/runs/{run}/pending_deployments"
        with self._connection.doing(f"look at what the workflow run {run} waits for"):
            pending = self._connection.get(path) or []
        ids = [one["environment"]["id"] for one in pending if _named(one) == environment]
        if not ids:
            raise TooLateError("Nothing waits for this decision any more.")
        body = {
            "environment_ids": ids,
            "state": "approved" if verdict.approved else "rejected",
            "comment": verdict.comment,
        }
        try:
            self._connection.as_person(token, "POST", path, body)
        except GithubException as error:
            if error.status == 422:
                raise self._not_taken(path, environment, error) from error
            raise self._of_person(error, "decide on this deployment") from error
        except requests.exceptions.RequestException as error:
            raise TemporaryError("GitHub did not answer (could not decide)") from error

    def _not_taken(self, path: str, environment: str, error: GithubException) -> UserError:
        """Return what GitHub's one answer to every wrong decision means this time."""
        with self._connection.doing("look at what waits"):
            pending = self._connection.get(path) or []
        if environment in map(_named, pending):
            return UserError(f"{NOT_FROM_YOU} GitHub says: {_said(error)}")
        return TooLateError("Nothing waits for this decision any more.")

    def dispatch(
        self, project: str, ref: str, inputs: Mapping[str, str], token: SecretStr | None
    ) -> int:
        """Begin the deploy workflow, as a person or as our App; return the run's id.

        Where GitHub's answer was lost, its list tells, but only after a while.
        """
        if known := self._with_correlation(project, inputs["correlation"]):
            return known
        path = f"{self._repository(project)}/actions/workflows/{FILE}/dispatches"
        body = {"ref": ref, "inputs": dict(inputs), "return_run_details": True}
        try:
            answer = self._post(token, path, body)
        except GithubException as error:
            if error.status >= 500:
                raise TemporaryError(f"GitHub answered {error.status}", after=AMBIGUOUS) from error
            raise self._of_person(error, f"{inputs['action']} {ref} of {project}") from error
        except requests.exceptions.RequestException as error:
            why = "GitHub did not answer (could not start the workflow)"
            raise TemporaryError(why, after=AMBIGUOUS) from error
        if answer and answer.get("workflow_run_id"):
            return int(answer["workflow_run_id"])
        if known := self._with_correlation(project, inputs["correlation"]):
            return known
        raise TemporaryError("GitHub has not begun the workflow yet", after=AMBIGUOUS)

    def rerun(
        self,
        project: str,
        run: int,
        token: SecretStr | None,
        attempt: int | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """Run again what failed or the whole run, as that person, or as our App without a token."""
        path = f"{self._repository(project)}/actions/runs/{run}"
        with self._connection.doing(f"look at the workflow run {run}"):
            found = self._connection.get(path)
        if found is None:
            raise UserError("GitHub does not know this run any more.")
        if found["status"] != "completed" or attempt not in (None, found["run_attempt"]):
            return
        try:
            name = "rerun" if whole else "rerun-failed-jobs"
            self._post(token, f"{path}/{name}", {})
        except GithubException as error:
            raise self._of_person(error, "rerun this") from error
        except requests.exceptions.RequestException as error:
            raise TemporaryError("GitHub did not answer (could not rerun)") from error

    def _post(self, token: SecretStr | None, path: str, body: Json) -> Json:
        """Send what a person wants as that person, and everything else as our App."""
        if token is None:
            return self._connection.write("POST", path, body)
        return self._connection.as_person(token, "POST", path, body)

    def cancel(self, project: str, run: int) -> None:
        """Cancel a run, as our App; one that is over is fine."""
        path = f"{self._repository(project)}/actions/runs/{run}/cancel"
        with self._connection.doing(f"cancel the workflow run {run}"):
            try:
                self._connection.write("POST", path)
            except GithubException as error:
                if error.status not in (404, 409):
                    raise

    # ------------------------------------------------------------------ parts

    def _of_person(self, error: GithubException, what: str) -> Exception:
        """Return what GitHub's answer to a person means: a rate limit of theirs is no refusal."""
        if later := self._connection.later(error, what):
            return later
        if error.status == 401:
            again = "GitHub no longer takes your link; type `/sciclops link` again."
            return TokenRefusedError(again)
        if error.status in (403, 404):
            return UserError(f"GitHub does not let you {what}: {_said(error)}")
        return UserError(f"GitHub refused to {what}: {_said(error)}")

    def _with_correlation(self, project: str, correlation: str) -> int | None:
        """Return the run that a dispatch has begun already: its title names the request."""
        runs = self.recent(project)
        return next((run.id for run in runs if correlation and correlation in run.title), None)

    def _listed(self, path: str, key: str, query: str = "") -> Iterable[Json]:
        number, size = 1, 100
        while True:
            page = self._connection.get_again(f"{path}?{query}per_page={size}&page={number}")
            entries = page[key] if page else []
            yield from entries
            if len(entries) < size:
                return
            number += 1

    def _download(self, url: str) -> bytes:
        """Return what is behind a redirect to a signed address, which gets no token of ours."""
        headers = {"Authorization": f"Bearer {self._connection.token}"}
        first = requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        if first.status_code in (404, 410):
            return b""
        if first.is_redirect:
            first = requests.get(first.headers["Location"], timeout=TIMEOUT_SECONDS)
        if first.status_code >= 500 or first.status_code == 429:
            raise TemporaryError(f"GitHub answered {first.status_code} to a download")
        if not first.ok:
            raise PermanentError(f"GitHub answered {first.status_code} to a download")
        return first.content

    def _repository(self, project: str) -> str:
        return f"/repos/{self._organisation}/{quote(project, safe='')}"


def _named(pending: Json) -> str:
    return str(pending["environment"]["name"])


def _pending(pending: Json) -> PendingEnvironment:
    reviewers = tuple(
        f"team:{one['reviewer']['slug']}"
        if one["type"] == "Team"
        else f"user:{one['reviewer']['login']}"
        for one in pending["reviewers"]
    )
    return PendingEnvironment(name=_named(pending), reviewers=reviewers)


def _review(review: Json) -> Review:
    return Review(
        environments=tuple(one["name"] for one in review["environments"]),
        approved=review["state"] == "approved",
        login=review["user"]["login"],
        comment=review["comment"] or "",
    )


def _without_time(line: str) -> str:
    """Drop the timestamp that every line of a log begins with."""
    stamp, _, rest = line.partition(" ")
    return rest if stamp.endswith("Z") and "T" in stamp else line


def _said(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    errors = data.get("errors") or ()
    details = [errors] if isinstance(errors, str) else [str(one) for one in errors]
    return "; ".join([str(data.get("message", error.status)), *details])
