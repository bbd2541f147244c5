"""A table of the settings file."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the settings file; unknown keys are refused, so that typing errors surface."""

    model_config = ConfigDict(extra="forbid", frozen=True)
