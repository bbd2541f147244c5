"""What is measured, in our own words: counters, timings and events with a closed list of labels."""

from datetime import datetime, timedelta
from typing import Literal, Protocol

from provisioning.text import Frozen

Severity = Literal["info", "success", "warning", "error"]


class Labels(Frozen):
    """By what a measurement may be filtered; empty ones are left out.

    None of them is what somebody typed freely: each value more is a time series more.
    """

    project: str = ""
    kind: str = ""
    stage: str = ""
    environment: str = ""
    template: str = ""
    workflow_version: str = ""
    outcome: str = ""
    attempt: str = ""
    gate: str = ""
    command: str = ""
    way: str = ""


class Event(Frozen):
    """Something worth a mark on a dashboard; `subject` groups events that belong together."""

    title: str
    text: str
    at: datetime
    severity: Severity = "info"
    subject: str = ""


class Metrics(Protocol):
    """Where measurements go. Nobody waits for it, and it never raises: what is lost is lost."""

    def count(self, name: str, labels: Labels) -> None:
        """Count one more of these."""

    def time(self, name: str, took: timedelta, labels: Labels) -> None:
        """Note how long something took."""

    def event(self, event: Event, labels: Labels) -> None:
        """Note that something happened."""
