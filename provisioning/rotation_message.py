"""What a run's message says of the steps that rotate keys: pure."""

from collections.abc import Collection

from provisioning.rotation import Rotation
from provisioning.text import Fact, Notice, Span, Text, code, link, moment, plain, say


def rotation_output(step: str, rotation: Rotation) -> Text:
    """Say how far a step has come."""
    if step == "applying":
        done, wanted = len(rotation.renewed), len(rotation.environments)
        return say(f"{done} of {wanted} environment{'' if wanted == 1 else 's'}")
    if step == "overlapping" and rotation.waits_for:
        return _awaited(rotation)
    if step == "revoking" and rotation.revoked:
        return say(f"{rotation.revoked} old key{'' if rotation.revoked == 1 else 's'} revoked")
    return ()


def _awaited(rotation: Rotation) -> Text:
    """Name the runs that are waited for, and until when."""
    parts: list[str | Span] = ["for "]
    for number, address in enumerate(rotation.waits_for):
        run = address.rstrip("/").rpartition("/")[2]
        parts += [", " if number else "", link(run, address) if "://" in address else code(run)]
    if rotation.deadline:
        parts += [", at most until ", moment(rotation.deadline)]
    return say(*parts)


def rotation_facts(rotation: Rotation) -> tuple[Fact, ...]:
    """Say whose keys are replaced."""
    return (Fact(label="Keys of", value=say(", ".join(rotation.environments))),)


def replaced(reminder: Notice, environments: Collection[str]) -> Notice:
    """Return a reminder as it reads once all the keys that it names were replaced."""
    named = {plain(line).partition(":")[0] for line in reminder.body}
    if not named <= set(environments):
        return reminder
    line = say("New keys have replaced these: nothing is left to do.")
    return reminder.model_copy(update={"body": (line,), "buttons": (), "footer": ()})
