"""`/sciclops check <project>`: look at the vendors whether all is as it was asked for, and works.

Who may see projects may check them: nothing is changed, and what is told is no secret.
"""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell
from provisioning.errors import UserError
from provisioning.text import quoted

AS_FILE = "--json"


def check(request: Request, services: Services) -> Answer:
    """Begin the check: `check <project> [--json]`; its result comes directly."""
    project = required_word(request, "project", "its name")
    options = request.words[2:]
    if others := [word for word in options if word != AS_FILE]:
        raise UserError(f"There is no {quoted(others[0])} here; there is only {AS_FILE}.")
    as_file = AS_FILE in options
    services.checking.begin(project, by=request.who, key=request.key, as_file=as_file)
    result = "a file" if as_file else "the result"
    return tell(f"GitHub and Databricks are asked about {project}; I send you {result} directly.")


COMMAND = Command(
    "check",
    "check <project> [--json]",
    "Check that everything of a project is as it should be, with remedies.",
    Role.USER,
    check,
)
