"""What the message of an upgrade says beyond that of any run: pure."""

from collections.abc import Iterator

from provisioning.text import Fact, Span, Text, bold, code, link, say
from provisioning.versions import Upgrade

MOST_NAMED = 8
"""So many contested files are named."""


def versions(upgrade: Upgrade) -> Iterator[Fact]:
    """Say which version of the template follows which one.

    It is the same one where what is new are the files of a change that are not merged yet.
    """
    if upgrade.version:
        arrow = f"{upgrade.before} → " if upgrade.before not in ("", upgrade.version.name) else ""
        yield Fact(label="Version", value=say(f"{arrow}{upgrade.version.name}"))


def ended(upgrade: Upgrade) -> Iterator[Text]:
    """Say what came of it, and what is left to do for people."""
    if upgrade.modules:
        yield say("The infrastructure is as the present Terraform modules make it.")
    if upgrade.needless:
        yield say("main has all of the template's present version. There is nothing to merge.")
        return
    page = link(f"pull request {upgrade.pull}", upgrade.url)
    if not upgrade.is_conflict:
        merged = "It is merged with what you have changed, and yours once you merge it."
        yield say("The new version is in ", page, f". {merged}")
        return
    files: list[str | Span] = []
    for number, path in enumerate(upgrade.contested[:MOST_NAMED]):
        files += [", " if number else "", code(path)]
    more = len(upgrade.contested) - MOST_NAMED
    yield say(
        bold("Git could not merge it by itself. "),
        "Both you and the template have changed ",
        *(files or ["the same file"]),
        f" and {more} more" if more > 0 else "",
        ". ",
        page,
        " is a draft and says how to merge by hand. Nothing was changed on main.",
    )
