"""Settings of what observers get: metrics and logs."""

from typing import Literal

from pydantic import Field

from bot.settings_section import Section

ADDRESS = r"^$|^(\[[0-9a-fA-F:.]+\]|[^:\s\[\]]+):[0-9]{1,5}$"
METRIC_NAME = r"^$|^[a-zA-Z][a-zA-Z0-9_.]*$"


class MetricsSettings(Section):
    """Where a Datadog agent listens for DogStatsD; empty: nothing is measured."""

    statsd: str = Field("", pattern=ADDRESS, description="host:port, by UDP")
    prefix: str = Field("sciclops", pattern=METRIC_NAME, description="what each name begins with")
    tags: dict[str, str] = Field(default_factory=dict, description="go with every measurement")

    @property
    def address(self) -> tuple[str, int] | None:
        """Return host and port of the agent, if there is one."""
        host, _, port = self.statsd.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None


class LogSettings(Section):
    """How log lines look: for people, or one JSON object each."""

    format: Literal["text", "json"] = "text"
