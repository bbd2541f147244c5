"""What somebody typed, as words of which none is a secret: from here on they may be stored."""

from bot.dispatch import COMMANDS
from provisioning.ports import Redactor


def typed_words(text: str, redact: Redactor) -> tuple[str, ...]:
    """Return the words typed after the command; Slack escapes `&`, `<` and `>` in them."""
    text = redact(text)
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, character)
    words = tuple(text.split())
    command = COMMANDS.get(words[0].lower()) if words else None
    return command.keeps(words) if command else words
