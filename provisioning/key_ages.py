"""How old the projects' keys are, which Databricks knows, and what happens to those that are due.

Sweeps over all keys, some projects each: owners are told, each week again, or a rotation is begun.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from provisioning.clock import Clock
from provisioning.errors import SciclopsError, UserError
from provisioning.known_secrets import KnownSecrets
from provisioning.policy import Policy
from provisioning.ports import SecretFacts, Workspaces
from provisioning.project import STAGES, ProjectSpec
from provisioning.requesting import Requesting
from provisioning.rotation import ALL, Key, renewing, times_due
from provisioning.secret_parts import principal_of
from provisioning.store import Filter, Message, Store
from provisioning.tables import ProjectRow
from provisioning.text import OURSELVES, Button, Notice, Text, bold, code, moment, person, say

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=6)
"""How often Databricks is asked about all keys."""
LOOKED = "keys.looked"
"""When the present round began, and the page of projects that is next; none after the last one."""
PAGE = 20
"""So many projects are looked at in one sweep: few sweeps run at once, and others are due, too."""
OWN = "docs/operating.md says how, under “Rotating keys”; the bot cannot do it itself."


@dataclass(frozen=True)
class KeyAges:
    """Asks and tells; doing it again changes nothing."""

    store: Store
    workspaces: Workspaces
    requesting: Requesting
    policy: Policy
    clock: Clock

    def keys(self, project: ProjectRow) -> tuple[Key, ...]:
        """Return the key of each environment of a project, as Databricks knows it now."""
        described: Mapping[str, Any] = project.outputs.get("environments") or {}
        found = []
        for environment in self.policy.identities(ProjectSpec.model_validate(project.spec)):
            if environment.name in described:
                principal = principal_of(environment, described[environment.name])
                held = self.workspaces.secrets(principal)
                key = KnownSecrets(self.store).key_of(project.name, environment.name, held)
                if key is not None:
                    found.append(Key(environment=environment, secret=key))
        return tuple(found)

    def sweep(self) -> None:
        """Look at the next keys; at all of them every few hours."""
        begun, page = self._round()
        if page is None:
            return
        projects = self.store.projects.page(Filter(state="ready"), number=page, size=PAGE)
        more = self.policy.authentication == "secret" and (page + 1) * PAGE < projects.total
        # Noted before: a sweep that takes long is overtaken by the next one.
        known = {"at": begun.isoformat(), "page": page + 1 if more else None}
        self.store.memos.set(LOOKED, known)
        if page == 0:
            self._look_at_own()
        for project in projects.rows if self.policy.authentication == "secret" else ():
            try:
                self._look(project)
            except SciclopsError as error:
                log.warning("could not look at the keys of %s: %s", project.name, error)

    def _round(self) -> tuple[datetime, int | None]:
        """Return when the present round began, and which page of projects is next, if any."""
        looked, now = self.store.memos.get(LOOKED), self.clock.now()
        if looked is None:
            return now, 0
        begun, page = datetime.fromisoformat(looked["at"]), looked.get("page")
        return (now, 0) if page is None and now - begun >= LOOK_EVERY else (begun, page)

    def _look_at_own(self) -> None:
        """Remind the platform team of the bot's own secret; nobody but people can replace it."""
        try:
            secrets = self.workspaces.own_secrets()
        except SciclopsError as error:
            log.warning("could not look at the bot's own secret: %s", error)
            return
        now = self.clock.now()
        times = times_due(secrets[-1], self.policy.rotate_after, now) if secrets else 0
        if times:
            self._remind(secrets[-1], times, now)

    def _remind(self, secret: SecretFacts, times: int, now: datetime) -> None:
        key = f"own-key-due:{secret.id}:{times}"
        if self.store.messages.get(key) is None:
            summary = f"The bot's own secret at Databricks is {days(now - secret.made_at)} old"
            line = say(person(self.policy.platform_group), ": please replace it. ", OWN)
            content = Notice(summary=summary, title=summary, body=(line,))
            channel = self.policy.channel
            self.store.messages.show(Message(key=key, channel=channel, content=content))

    def _look(self, project: ProjectRow) -> None:
        now, after = self.clock.now(), self.policy.rotate_after
        keys = self.keys(project)
        self._note(project, keys)
        due = [key for key in keys if key.times_due(after, now)]
        if not due:
            return
        if self.policy.rotation == "automatic":
            self._rotate(project, due)
            due = [key for key in due if key.times_due(after, now) > 1]
        for stage in STAGES:
            if of_stage := [key for key in due if key.environment.stage == stage]:
                self._tell(project, stage, of_stage)

    def _note(self, project: ProjectRow, keys: tuple[Key, ...]) -> None:
        """Note which key is due first: lists cannot ask Databricks about every project."""
        after = self.policy.rotate_after
        first = min(keys, key=lambda key: key.due_at(after), default=None)
        at = first.due_at(after) if first else None
        name = first.environment.name if first else ""
        self.store.health.key_due(project.name, at, name)

    def _rotate(self, project: ProjectRow, due: Iterable[Key]) -> None:
        """Begin a rotation of these very keys, once."""
        ids = sha256(" ".join(sorted(key.secret.id for key in due)).encode()).hexdigest()
        try:
            self.requesting.begin(
                "rotate_keys",
                ProjectSpec.model_validate(project.spec),
                by=OURSELVES,
                key=f"rotate:{project.name}:{ids}",
                facts=renewing(key.environment.name for key in due),
            )
        except UserError as busy:
            log.info("not rotating the keys of %s yet: %s", project.name, busy)

    def _tell(self, project: ProjectRow, stage: str, due: list[Key]) -> None:
        """Tell each owner directly: once when keys are due, and each week while they stay so."""
        now, after = self.clock.now(), self.policy.rotate_after
        oldest = min(due, key=lambda key: key.due_at(after))
        times = oldest.times_due(after, now)
        state = "overdue for rotation" if times > 1 else "due for rotation"
        notice = Notice(
            summary=f"Keys of {project.name} · {stage.capitalize()} are {state}",
            title=f"{project.name} · {stage.capitalize()} · keys {state}",
            body=tuple(_line(key, now) for key in due),
            buttons=(
                Button(
                    label="Rotate Now",
                    words=("rotate", project.name, stage),
                    style="primary",
                ),
            ),
            footer=say("All stages at once: ", code(f"/sciclops rotate {project.name} {ALL}")),
        )
        for owner in ProjectSpec.model_validate(project.spec).owners:
            key = f"{reminders_of(project.name)}{oldest.secret.id}:{times}:{owner}"
            if self.store.messages.get(key) is None:
                self.store.messages.show(Message(key=key, recipient=owner, content=notice))


def reminders_of(project: str) -> str:
    """Return how the keys begin of what a project's owners are told about its keys."""
    return f"keys-due:{project}:"


def _line(key: Key, now: datetime) -> Text:
    expires = key.secret.expires_at
    ends = "; it never expires"
    if expires is not None:
        ends = "; it expired " if expires <= now else "; it expires "
    when = (moment(expires),) if expires is not None else ()
    return say(bold(key.environment.name), f": {days(key.age(now))} old", ends, *when, ".")


def days(age: timedelta) -> str:
    """Return an age in whole days."""
    return f"{age.days} day{'' if age.days == 1 else 's'}"
