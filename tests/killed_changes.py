"""The kinds of operations that change a living project, to be killed: see `killed_kinds.py`."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar, Literal

from conversation import ANSWER_SECONDS
from giving_secrets import give
from killed_kinds import APPLY, WAITING, doubled_principals, plans_left, untidy_keys
from kills import Answers, Killed
from template_versions import CONTESTED, PublishedTemplates, logic_of

from playground import cast
from playground.slack.entities import Message
from playground.slack.reading import text_of

NUMBERS = count(1)
TEAM = [("Team", 502)]
ROSA = [("User", cast.ROSA.github_id)]
REVIEWERS = {"team:ml-reviewers": TEAM, "user:rosa": ROSA}
"""Who reviews: what is chosen in the form, and what GitHub has then."""


class Changed(Killed):
    """Somebody else reviews deployments to Production from now on."""

    name = "change_project"
    ends = "· Change · Changed"
    requests = 250
    answers: ClassVar[Answers] = {WAITING: ("ada", APPLY)}

    def prepare(self) -> None:
        """Choose whoever does not review yet."""
        present = self._reviewers()
        self.chosen = next(one for one, reviewers in REVIEWERS.items() if reviewers != present)

    def begin(self) -> None:
        """Change the form."""
        ada = self.talk.ada
        ada.type(f"/sciclops change {self.talk.name}")
        ada.wait_for_view("keeps its name", timeout=ANSWER_SECONDS)
        ada.fill({"reviewers": [self.chosen]})
        errors = ada.submit()
        assert errors is None, errors

    def messages(self) -> list[Message]:
        """Return the messages of changes."""
        return [one for one in super().messages() if "· Change ·" in text_of(one)]

    def faults(self) -> Iterator[str]:
        """GitHub knows the new reviewers, and nothing else has changed."""
        if self._reviewers() != REVIEWERS[self.chosen]:
            yield f"reviewers are {self._reviewers()}"
        yield from untidy_keys(self.talk)
        yield from doubled_principals(self.talk)
        yield from plans_left(self.talk)

    def _reviewers(self) -> list[tuple[str, int]]:
        environments = self.talk.world.github.repos[self.talk.name].environments
        return environments["Production"].reviewers


class KilledSecret(Killed):
    """Something happens to a secret of the project's own, which is new in each trial."""

    answers: ClassVar[Answers] = {
        WAITING: ("ada", APPLY),
        "Waiting for the value": ("ada", "Enter Value"),
    }
    gives_up_after = timedelta(minutes=5)

    def prepare(self) -> None:
        """Choose a name and a value."""
        number = next(NUMBERS)
        self.secret, self.value = f"KILLED_{number}", f"canary-{number}-5be1d0c9f7"

    def pressed(self, label: str) -> None:
        """Enter the value, for all stages."""
        if label == "Enter Value":
            self.talk.view_says("Enter value")
            self.talk.ada.fill({"value": self.value, "stages": list(cast.STAGES)})
            errors = self.talk.ada.submit()
            assert errors is None, errors

    def messages(self) -> list[Message]:
        """Return the messages of secrets."""
        return [one for one in super().messages() if "· Secret ·" in text_of(one)]

    def held(self) -> dict[str, set[str | None]]:
        """Return what each stage has at GitHub and Databricks; None where there is no value."""
        environments = self.talk.world.github.repos[self.talk.name].environments
        held: dict[str, set[str | None]] = {}
        for stage in cast.STAGES:
            sealed = environments[stage.capitalize()].secrets.get(self.secret)
            scopes = self.talk.world.databricks.workspace("gbx1", stage).scopes
            scope = scopes.get(f"{self.talk.name}-{stage}.{self.secret}")
            secret = scope.secrets.get(self.secret) if scope else None
            held[stage] = {
                sealed.value.decode() if sealed else None,
                secret.value.decode() if secret else None,
            }
        return held

    def faults(self) -> Iterator[str]:
        """Every stage has the value at both vendors, and the bot has it nowhere."""
        for stage, values in self.held().items():
            if values != {self.value}:
                yield f"{stage} has {values}"
        yield from self.kept()
        yield from untidy_keys(self.talk)

    def kept(self) -> Iterator[str]:
        """Return the bot's files that have the value."""
        files = [one for one in (self.talk.world.directory / "bot").rglob("*") if one.is_file()]
        for file in [*files, self.talk.world.bot.log]:
            if self.value.encode() in file.read_bytes():
                yield f"{file.name} has the value"


class SecretAdded(KilledSecret):
    """A place is planned and made, then the value is entered."""

    name = "add_secret"
    ends = "· Secret · Done"
    requests = 250
    project: ClassVar[Literal["kept", "taken", "new"]] = "taken"
    """A project may have twenty secrets, fewer than there are trials: each has its own project."""

    def begin(self) -> None:
        """Type the command, and submit the dialog as it is."""
        self.talk.ada.type(f"/sciclops secret add {self.talk.name} {self.secret}")
        self.talk.view_says("Add secret")
        errors = self.talk.ada.submit()
        assert errors is None, errors


class SecretSet(KilledSecret):
    """A secret gets another value."""

    name = "set_secret"
    ends = "· Secret · Done"
    requests = 40
    runs_terraform = False

    def prepare(self) -> None:
        """Give the project a secret with a value, once."""
        super().prepare()
        self.secret = "REPLACED"
        if "REPLACED" not in self._names():
            give(self.talk, self.secret, "the-first-value-77ab")

    def begin(self) -> None:
        """Type the command, and enter the value."""
        self.talk.ada.type(f"/sciclops secret set {self.talk.name} {self.secret}")
        self.pressed("Enter Value")

    def _names(self) -> set[str]:
        environments = self.talk.world.github.repos[self.talk.name].environments
        return set(environments["Testing"].secrets)


class SecretRemoved(KilledSecret):
    """A secret goes, with its values."""

    name = "remove_secret"
    ends = "· Secret removal · Removed"
    requests = 200

    def prepare(self) -> None:
        """Give the project a secret."""
        super().prepare()
        give(self.talk, self.secret, self.value)

    def begin(self) -> None:
        """Type the command."""
        self.talk.ada.type(f"/sciclops secret remove {self.talk.name} {self.secret}")

    def faults(self) -> Iterator[str]:
        """No stage has it any more."""
        for stage, values in self.held().items():
            if values != {None}:
                yield f"{stage} has {values}"
        environments = self.talk.world.github.repos[self.talk.name].environments
        if f"{self.secret}_SCOPE" in environments["Production"].variables:
            yield "the variable is left"
        yield from self.kept()
        yield from untidy_keys(self.talk)


class Upgraded(Killed):
    """A new version of the template is offered as a pull request; nobody merges it."""

    name = "upgrade_template"
    ends = "Upgrade · Done"
    requests = 60
    runs_terraform = False

    def prepare(self) -> None:
        """Put another version on offer, in the folder that the playground's settings name."""
        self.version = f"1.{next(NUMBERS)}.0"
        PublishedTemplates(Path(self.talk.world.choices.templates)).publish(self.version)

    def begin(self) -> None:
        """Type the command."""
        self.talk.ada.type(f"/sciclops upgrade {self.talk.name}")

    def messages(self) -> list[Message]:
        """Return the messages of upgrades."""
        return [one for one in super().messages() if "· Upgrade ·" in text_of(one)]

    def faults(self) -> Iterator[str]:
        """One pull request is open, with this version; main is as it was."""
        github = self.talk.world.github
        pulls = github.repos[self.talk.name].pulls.values()
        offered = [one for one in pulls if one.state == "open"]
        if [self.version in one.title for one in offered] != [True]:
            yield f"open are {[one.title for one in offered]}"
        logic = github.files(self.talk.name)[logic_of(self.talk.name)].decode()
        if f"{CONTESTED}, version" in logic:
            yield "main was changed"


CHANGES: tuple[type[Killed], ...] = (Changed, SecretAdded, SecretSet, SecretRemoved, Upgraded)
