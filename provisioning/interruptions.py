"""Terraform commands that are killed are taken up again, a few times, before a person is called."""

from collections.abc import Callable

from provisioning.errors import PermanentError

MOST_INTERRUPTIONS = 5
KILLED = "killed"
"""How a command ended that has to be done again."""


def until_not_killed(once: Callable[[int], str], doing: str, left: str, again: str) -> None:
    """Do something, by number, until no kill cuts it off.

    After too many kills `PermanentError` says what was being done and what is left behind, and
    asks to do it `again`.
    """
    for number in range(MOST_INTERRUPTIONS):
        if once(number) != KILLED:
            return
    raise PermanentError(
        f"Terraform was killed {MOST_INTERRUPTIONS} times {doing}{left} Ask the platform team to "
        f"look at the bot's machine, then {again}."
    )
