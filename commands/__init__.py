"""Sub-commands of `/sciclops`: one file each, listed here."""

from commands import (
    approvals,
    break_glass,
    cancel,
    cleanup,
    comment,
    confirm,
    consent,
    deploy,
    discard,
    extend,
    link,
    list,  # noqa: A004 - named like the sub-command
    new,
    release,
    rerun,
    retry,
    runs,
    status,
    unlink,
)
from commands.help import help_for

ALL = (
    new.COMMAND,
    list.COMMAND,
    status.COMMAND,
    link.COMMAND,
    unlink.COMMAND,
    confirm.COMMAND,
    discard.COMMAND,
    comment.COMMAND,
    cancel.COMMAND,
    retry.COMMAND,
    cleanup.COMMAND,
    consent.COMMAND,
    extend.COMMAND,
    deploy.COMMAND,
    runs.COMMAND,
    approvals.COMMAND,
    break_glass.COMMAND,
    release.COMMAND,
    rerun.COMMAND,
)
HELP = help_for(ALL)
