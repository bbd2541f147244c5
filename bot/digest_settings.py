"""Settings of the weekly digest for the community."""

from typing import Literal

from pydantic import Field, field_validator

from bot.settings_section import Section
from provisioning.digest_times import WEEKDAYS, DigestTimes, zone

Weekday = Literal[
    "off", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]


class DigestSettings(Section):
    """When the community reads how the bot was used in the week before; "off": never."""

    weekday: Weekday = "monday"
    hour: int = Field(9, ge=0, le=23)
    time_zone: str = Field("UTC", description="e.g. Europe/Berlin")

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if zone(name) is None:
            raise ValueError(
                f"this machine knows no time zone {name!r}; take a name like Europe/Berlin"
            )
        return name

    @property
    def times(self) -> DigestTimes | None:
        """Return when digests are due; None if never."""
        if self.weekday == "off":
            return None
        day = WEEKDAYS.index(self.weekday)
        return DigestTimes(weekday=day, hour=self.hour, time_zone=self.time_zone)
