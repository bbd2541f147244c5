"""What people and workflow runs do with the keys of a project, where there are keys."""

import asyncio
from dataclasses import dataclass, field

import requests
from conversation import RUN_SECONDS, Conversation
from played_runs import PlayedRunner

from playground.databricks.state import ServicePrincipal
from playground.github.runs import Conclusion, Job, WorkflowRun
from playground.github.world import Environment
from playground.slack.entities import Message
from playground.slack.reading import text_of

Key = tuple[str, str, str]
"""Where to log in, as whom and with what, as a job gets it from GitHub."""


def held_by(environment: Environment) -> Key:
    """Return what a job gets that starts now."""
    names = ("DATABRICKS_HOST", "MGMT_CLIENT_ID", "DATABRICKS_TOKEN")
    host, client, token = (environment.secrets[name].value.decode() for name in names)
    assert environment.secrets["DATABRICKS_TOKEN_MT_SP"].value.decode() == token
    return host, client, token


def status(key: Key) -> int:
    """Log in as a job does, and return the answer's status."""
    host, client, token = key
    answer = requests.post(
        f"{host}/oidc/v1/token",
        data={"grant_type": "client_credentials", "scope": "all-apis"},
        auth=(client, token),
        timeout=10,
    )
    return answer.status_code


@dataclass
class LoggingIn(PlayedRunner):
    """Plays deployments that log in at their end with what they got at their start."""

    logins: list[tuple[str, int]] = field(default_factory=list)

    async def _play(self, run: WorkflowRun, job: Job) -> Conclusion:
        environment = run.repo.environments.get(job.environment) if job.environment else None
        key = held_by(environment) if environment and not environment.reviewers else None
        ended = await super()._play(run, job)
        if key:
            self.logins.append((job.name, await asyncio.to_thread(status, key)))
        return ended


@dataclass
class Keys:
    """The keys of a project, as GitHub and Databricks have them, and what is said of them."""

    talk: Conversation

    def environments(self) -> dict[str, Environment]:
        """Return the environments at GitHub."""
        return self.talk.world.github.repos[self.talk.name].environments

    def principal(self, environment: str = "Testing") -> ServicePrincipal:
        """Return the service principal of an environment."""
        name = f"{self.talk.name}-{environment.lower()}"
        every = self.talk.world.databricks.principals
        return next(one for one in every if one.display_name == name)

    def of(self, environment: str = "Testing") -> Key:
        """Return what GitHub has."""
        return held_by(self.environments()[environment])

    def all(self) -> dict[str, Key]:
        """Return what GitHub has, of every environment."""
        return {name: held_by(one) for name, one in self.environments().items()}

    def are_tidy(self) -> bool:
        """Tell whether each environment has one key that logs in, and no other one."""
        return all(
            [one.value for one in self.principal(name).secrets.values()] == [key[2]]
            and status(key) == 200
            for name, key in self.all().items()
        )

    def log_in(self) -> bool:
        """Tell whether what GitHub has logs in everywhere."""
        return {status(key) for key in self.all().values()} == {200}

    # Saying and reading ---------------------------------------------------------------------

    def messages(self) -> list[Message]:
        """Return the messages of rotations, oldest first."""
        return [one for one in self.talk.run_messages() if "Key rotation" in text_of(one)]

    def rotate(self, stage: str = "") -> int:
        """Type the command; return the number of its message."""
        number = len(self.messages())
        self.talk.ada.type(f"/sciclops rotate {self.talk.name} {stage}".strip())
        return number

    def message(self, number: int, says: str) -> Message:
        """Wait until the message of a rotation says this in its headline."""

        def look() -> Message | None:
            found = self.messages()[number:]
            heading = f"Key rotation · {says}"
            return found[0] if found and heading in text_of(found[0]) else None

        return self.talk.ada.wait_until(look, timeout=RUN_SECONDS)
