"""Finds workflow runs that nobody told us of: webhooks that got lost, or no webhooks at all."""

import logging
from dataclasses import dataclass

from provisioning.deployment_ports import Deployments, Unheard, Webhooks
from provisioning.errors import SciclopsError, TemporaryError
from provisioning.following import Following
from provisioning.policy import Policy
from provisioning.store import Filter, Store

log = logging.getLogger(__name__)

PROJECTS_AT_ONCE = 40
"""So many projects are asked about each half minute: 4,800 an hour, of which GitHub counts only
those that have something new."""
WITH_WEBHOOKS = 5
"""With webhooks this only finds what GitHub no longer lists, or thinks that we have."""
TURN = "missed.page"


@dataclass(frozen=True)
class Missed:
    """Level-triggered: whatever is found again changes nothing."""

    following: Following
    webhooks: Webhooks
    deployments: Deployments
    store: Store
    policy: Policy

    def sweep(self) -> None:
        """Read what GitHub could not deliver; ask for new runs: without webhooks nobody tells."""
        if self.policy.webhooks:
            try:
                self._deliveries()
            except SciclopsError as error:
                # It is due again soon; to be tried here would hold up all other sweeps.
                log.info("could not read the App's delivery list: %s", error)
            self._new_runs(WITH_WEBHOOKS)
        else:
            self._new_runs(PROJECTS_AT_ONCE)

    def _deliveries(self) -> None:
        for lost in self.webhooks.missed(self.store.workflow_runs.known):
            if isinstance(lost, Unheard) or self.following.hear(lost) == "foreign":
                self.store.workflow_runs.note_delivery(lost.guid, lost.event)
            else:
                log.info("heard of run %s late, from the delivery list", lost.run.id)

    def _new_runs(self, size: int) -> None:
        """Ask for the runs of so many projects, the next ones at the next time."""
        page = (self.store.memos.get(TURN) or {}).get("page", 0)
        found = self.store.projects.page(Filter(), number=page, size=size)
        for project in found.rows:
            try:
                self._of_project(project.name)
            except SciclopsError as error:
                log.info("could not list the runs of %s: %s", project.name, error)
                if isinstance(error, TemporaryError) and error.after:
                    return  # GitHub wants to be left alone
        is_last = (page + 1) * size >= found.total
        self.store.memos.set(TURN, {"page": 0 if is_last else page + 1})

    def _of_project(self, project: str) -> None:
        for run in self.deployments.recent(project):
            known = self.store.workflow_runs.get(run.id)
            is_news = known is None or known.run.attempt < run.attempt
            if is_news and not self.following.is_history(run):
                self.store.workflow_runs.see(project, run, wake=True)
