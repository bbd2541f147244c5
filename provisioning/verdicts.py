"""Yes or No, and why: what rules decide purely."""

from provisioning.text import Frozen


class Refused(Frozen):
    """No, and why."""

    why: str


class Allowed(Frozen):
    """Yes."""
