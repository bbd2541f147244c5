"""What the documents show to be typed, so that tests can try it out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "bundle_templates/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
TRIED = {
    "back up SQLite": ("docs/operating.md", "Backups", 0),
    "back up PostgreSQL": ("docs/operating.md", "Backups", 1),
    "restore SQLite": ("docs/operating.md", "Restoring", 0),
    "restore PostgreSQL": ("docs/operating.md", "Restoring", 1),
    "restore Terraform": ("docs/operating.md", "Restoring", 2),
    "make the platform repository": ("docs/connecting.md", "Linking people's accounts", 0),
}
"""Blocks that some test runs as they stand there: document, heading, number below it."""


@dataclass(frozen=True)
class Block:
    """A block of code: where it is, and what it says."""

    document: str
    heading: str
    number: int
    language: str
    text: str

    @property
    def place(self) -> tuple[str, str, int]:
        """Return where it is."""
        return self.document, self.heading, self.number

    @property
    def lines(self) -> list[str]:
        """Return its lines, without comments and empty ones."""
        stripped = (re.sub(r"(^|\s+)# .*$", "", line).strip() for line in self.text.splitlines())
        return [line for line in stripped if line]


def read(document: str) -> str:
    """Return a document's text."""
    return (ROOT / document).read_text("utf-8")


def blocks(document: str) -> Iterator[Block]:
    """Return a document's blocks of code, fenced or indented, in order."""
    heading, number = "", 0
    pattern = r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<fenced>.*?)^```$"
    pattern += r"|(?<=\n\n)(?P<indented>(?:    [^\n]*\n)+)"
    for found in re.finditer(pattern, read(document), re.MULTILINE | re.DOTALL):
        if found["heading"] is not None:
            heading, number = found["heading"], 0
            continue
        text = found["fenced"] if found["fenced"] is not None else found["indented"]
        yield Block(document, heading, number, found["language"] or "", text)
        number += 1


def words_in_line(document: str) -> list[str]:
    """Return what a document marks as code within its sentences and tables."""
    outside = re.sub(r"^```.*?^```$", "", read(document), flags=re.MULTILINE | re.DOTALL)
    return [found.replace("\\|", "|") for found in re.findall(r"`([^`\n]+)`", outside)]


def tried(name: str) -> str:
    """Return the text of a block that a test runs."""
    document, heading, number = TRIED[name]
    places = {block.place: block.text for block in blocks(document)}
    return places[document, heading, number]
