"""What a run's message says of a secret: its name, its places and times, never its value. Pure."""

from collections.abc import Collection, Iterator

from provisioning.operation import Operation
from provisioning.project_secrets import SecretWork
from provisioning.text import Button, Fact, Span, Text, bold, code, moment, say

ENTER = "Enter Value"
NEVER_KEPT = "SciCLOps keeps no value: it is written to GitHub and Databricks and forgotten."


def secret_facts(work: SecretWork) -> tuple[Fact, ...]:
    """Say which secret it is and where."""
    return (
        Fact(label="Secret", value=say(code(work.name))),
        Fact(label="Stages", value=say(listed(each.capitalize() for each in work.stages))),
    )


def secret_body(operation: Operation) -> Iterator[Text]:
    """Say what is missing while a value is waited for, written, or was written."""
    work = operation.facts.secret
    if work is None or operation.phase not in ("entering", "storing", "done"):
        return
    if work.trouble:
        yield say(bold("The value was not stored everywhere: "), work.trouble)
    if operation.phase == "entering":
        waits = f"{listed(work.lacking)} wait{'s' * (len(work.lacking) == 1)} for a value"
        yield say(f"{waits}, which an owner enters in a dialog. {NEVER_KEPT}")
    elif operation.phase == "storing":
        yield say(f"The value is written to {listed(work.storing)}.")
    elif work.written:
        yield say(code(work.name), f" is stored in {listed(work.written)}. {NEVER_KEPT}")


def secret_buttons(operation: Operation) -> Iterator[Button]:
    """Offer to enter the value where one is waited for."""
    work = operation.facts.secret
    if work is not None and operation.phase == "entering":
        words = ("secret", "set", operation.project, work.name)
        yield Button(label=ENTER, words=words, style="primary")


def stored_output(work: SecretWork) -> Text:
    """Say which environments have the value, and since when."""
    parts: list[str | Span] = []
    for name, at in work.written.items():
        parts += [", " if parts else "", f"{name} ", moment(at)]
    return say(*parts)


def listed(names: "Collection[str] | Iterator[str]") -> str:
    """Join names as people do: `Testing, Staging and Production`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
