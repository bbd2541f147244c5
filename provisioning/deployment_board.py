"""What is shown of deployments: one message for each workflow run, one card for each release."""

from dataclasses import dataclass

from provisioning.deployment_message import deployment_notice, superseded_by
from provisioning.errors import PermanentError
from provisioning.linking import Linking
from provisioning.operation import CREATE
from provisioning.policy import Policy
from provisioning.project import ProjectSpec
from provisioning.release import Release
from provisioning.release_gates import first_asker
from provisioning.release_message import Asked, release_notice
from provisioning.release_news import Arrival, arrival_notice, title_of
from provisioning.store import Followed, Message, Store
from provisioning.text import Notice, Span, bold, code, moment, person, say

MOST_MENTIONED = 12


@dataclass(frozen=True)
class DeploymentBoard:
    """Wants messages to show runs and releases as they stand; showing again changes nothing."""

    store: Store
    linking: Linking
    policy: Policy

    def show_run(self, run: int | str) -> None:
        """Show a workflow run; whoever writes last has looked again afterwards."""
        wanted = self._run_message(run)
        while wanted:
            self.store.messages.show(wanted)
            latest = self._run_message(run)
            if latest == wanted:
                return
            wanted = latest

    def show_release(self, release: str) -> None:
        """Show a release's card; whoever writes last has looked again afterwards."""
        wanted, shown = self._card(release), None
        while wanted != shown:
            self.store.messages.show(wanted)
            wanted, shown = self._card(release), wanted
        self._tell_rejected(self._get(release))

    def name(self, login: str) -> Span:
        """Name a GitHub login: a mention of the person who has linked it, else the login."""
        who = self._person_of(login)
        return person(who) if who else code(login)

    def name_of(self, release: Release) -> str:
        """Return who has decided a release, in plain words."""
        return ", ".join(each.login for each in release.given) or release.decided_login

    def remind(self, release: Release, number: int) -> None:
        """Remind the reviewers in the card's thread: nobody is notified of an edited message."""
        asked = self._asked(self._get(release.id))
        whom = [part for one in asked.people for part in (person(one), " ")]
        words = say(
            *whom,
            "this release still waits: ",
            bold(f"{release.project} · {release.environment}"),
            ". It can be decided until ",
            moment(release.deadline),
            ".",
        )
        self.store.messages.show(
            Message(
                key=f"{release.message}:reminder:{number}",
                channel=self.policy.channel,
                thread_of=release.message,
                content=Notice(
                    summary=f"Still waiting: {release.project} to {release.environment}",
                    body=(words,),
                ),
            )
        )

    def tell_refused(self, release: Release, why: str) -> None:
        """Tell somebody directly that GitHub did not take their decision."""
        lines = (
            say(
                "GitHub did not take your decision on ",
                bold(f"{release.project} · {release.environment}"),
                f": {why}",
            ),
            say("Nothing was released or rejected; the card is open again."),
        )
        self.store.messages.show(
            Message(
                key=f"{release.message}:refused:{release.tries}",
                recipient=release.decided_by,
                content=Notice(summary="GitHub did not take your decision", body=lines),
            )
        )

    def _tell_rejected(self, release: Release) -> None:
        """Tell whoever began a deployment, directly, that it was rejected, by whom and why."""
        followed = self.store.workflow_runs.get(release.run)
        if release.state != "rejected" or followed is None:
            return
        whom = followed.requested_by or self._person_of(followed.run.actor)
        whom = whom or first_asker(self.store, followed)
        if not whom or whom == release.decided_by:
            return
        why = f": {release.comment}" if release.comment else "."
        what = bold(f"{release.project} · {release.environment}")
        words = say("Your deployment ", what, " was rejected by ", self._decider(release), why)
        self.store.messages.show(
            Message(
                key=f"{release.message}:rejected",
                recipient=whom,
                content=Notice(
                    summary=f"{release.project} to {release.environment} was rejected",
                    body=(words,),
                ),
            )
        )

    def cry_out(self, release: Release) -> None:
        """Tell the channel and each owner that glass was broken: who, what and why."""
        owners = self._owners(release.project)
        whom = [part for one in owners for part in (person(one), " ")]
        lines = (
            say(bold("BREAK-GLASS. "), *whom),
            say(
                person(release.decided_by),
                " lets ",
                bold(f"{release.project} · {release.environment}"),
                ", commit ",
                code(release.sha[:8]),
                f", in with {len(release.given)} of {release.card.needed} approvals.",
            ),
            say(bold("Reason: "), release.comment),
        )
        summary = f"BREAK-GLASS: {release.project} to {release.environment} without approvals"
        content = Notice(summary=summary, title=summary, body=lines)
        key = f"{release.message}:glass"
        self.store.messages.show(
            Message(key=key, channel=self.policy.channel, content=content, urgent=True)
        )
        for owner in owners:
            self.store.messages.show(
                Message(key=f"{key}:{owner}", recipient=owner, content=content, urgent=True)
            )

    def _owners(self, project: str) -> tuple[str, ...]:
        row = self.store.projects.get(project)
        return ProjectSpec.model_validate(row.spec).owners if row else ()

    def announce(self, followed: Followed, environments: tuple[str, ...], title: str = "") -> None:
        """Tell the community that a run has reached the last stage, of the first one with emphasis.

        `title` is what it brings, where neither its card nor GitHub's title of the run tells.
        """
        project = self.store.projects.get(followed.project)
        releases = self.store.releases.of_run(followed.run.id)
        released = [one for one in releases if one.state == "approved"]
        plan = released[-1].card.plan if released else None
        arrival = Arrival(
            project=followed.project,
            environment=environments[-1],
            url=project.repository_url if project else "",
            version=plan.version if plan else "",
            title=title_of(followed.run, releases) or title,
            by=self._decider(released[-1]) if released else None,
            is_first=self._is_first_release(followed),
        )
        key = f"announce:deployment:{followed.run.id}"
        channel = self.policy.announcements
        self.store.messages.show(Message(key=key, channel=channel, content=arrival_notice(arrival)))

    def _is_first_release(self, followed: Followed) -> bool:
        """Tell whether this run is the first that has reached the last stage in a project's life.

        A project that was destroyed and one that has its name now are two.
        """
        runs = self.store.operations.of_project(followed.project)
        life = next((one.id for one in runs if one.kind == CREATE), followed.project)
        return self.store.news.first(f"first-release:{life}", str(followed.run.id))

    def _decider(self, release: Release) -> Span:
        return (
            person(release.decided_by) if release.decided_by else self.name(release.decided_login)
        )

    def _run_message(self, run: int | str) -> Message | None:
        followed = self.store.workflow_runs.get(run)
        if followed is None:
            return None
        releases = self.store.releases.of_run(run)
        newer = superseded_by(followed.run, releases)
        others = self.store.workflow_runs.of_project(followed.project) if newer else ()
        newer_run = next((one.run for one in others if one.run.sha.startswith(newer)), None)
        environments = self.environments(followed.project)
        return Message(
            key=f"deployment:{followed.run.id}",
            channel=self.policy.channel,
            content=deployment_notice(followed, releases, environments, self.name, newer_run),
            urgent=followed.run.is_over or bool(followed.run.waiting()),
        )

    def environments(self, project: str) -> tuple[str, ...]:
        """Return the names of a project's environments, in the order of deployment."""
        row = self.store.projects.get(project)
        spec = ProjectSpec.model_validate(row.spec) if row else None
        return tuple(one.name for one in spec.environments()) if spec else ()

    def _card(self, release: str) -> Message:
        row = self._get(release)
        followed = self.store.workflow_runs.get(row.run)
        url = followed.run.url if followed else ""
        return Message(
            key=row.message,
            channel=self.policy.channel,
            content=release_notice(row, self._asked(row), self.name, url),
            urgent=True,
        )

    def _asked(self, release: Release) -> Asked:
        """Return whom to mention: linked reviewers, but not those who began the deployment.

        Who has approved already needs no reminder; a group comes before its members.
        """
        if release.state != "open":
            return Asked()
        followed = self.store.workflow_runs.get(release.run)
        own = followed.run.initiators if followed else frozenset()
        logins = [login for login in release.card.logins if login.lower() not in own]
        group = (release.card.group,) if release.card.group else ()
        done = {approval.person for approval in release.given}
        known = tuple(
            who for login in logins if (who := self._person_of(login)) and who not in done
        )
        others = tuple(
            one.replace(":", " ", 1)
            for one in release.card.reviewers
            if not (one.startswith("user:") and self._person_of(one.partition(":")[2]))
        )
        return Asked(people=(*group, *known[:MOST_MENTIONED]), others=others)

    def _person_of(self, login: str) -> str | None:
        """Return whose a login is: proven, or else vouched for in the settings."""
        vouched = {each.lower(): person for person, each in self.policy.logins.items()}
        return self.linking.person_of(login) or vouched.get(login.lower())

    def _get(self, release: str) -> Release:
        row = self.store.releases.get(release)
        if row is None:
            raise PermanentError(f"There is no release {release}; nothing was shown.")
        return row
