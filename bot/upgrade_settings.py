"""Settings of upgrades: from which templates, and how all projects get the present versions."""

from pydantic import Field

from bot.settings_section import Section


class UpgradeSettings(Section):
    """An upgrade of all projects goes ring by ring: canaries, sandboxes, the rest."""

    canaries: tuple[str, ...] = Field((), description="projects that come first")
    at_once: int = Field(3, ge=1, le=50, description="projects under way at once")
    failures_allowed: int = Field(3, ge=0, description="more of them halt it")
