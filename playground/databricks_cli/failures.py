"""How the command refuses: one line after `Error: `, exit code 1."""


class CliError(Exception):
    """What went wrong, in the words that a person reads."""
