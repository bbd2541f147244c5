"""What is wrong with a template itself, wherever it came from: its author has to mend it."""

from provisioning.errors import PermanentError


class TemplateError(PermanentError):
    """A template cannot be rendered; the message names its file and line."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"template {file}:{line}: {what}")
        self.file = file
        self.line = line
        self.what = what


class RefusedError(Exception):
    """The language refuses a value or a text; whoever knows file and line says where."""
