"""Which paths a rendering may have: harmless on every system and inside the project, always."""

import re
import unicodedata
from collections.abc import Iterable

MAXIMUM_SEGMENT = 200
MAXIMUM_PATH = 1000

_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
# What git and the file systems of macOS and Windows would take for `.git`.
_GIT = re.compile(r"\.git|git~[0-9]+")


def objection(path: str) -> str:
    """Say why a rendered path is refused, or nothing when it is fine."""
    if len(path.encode("utf-8", "replace")) > MAXIMUM_PATH:
        return "is too long"
    if path.startswith("/"):
        return "is absolute"
    return next((why for part in path.split("/") if (why := _segment_objection(part))), "")


def _segment_objection(part: str) -> str:
    if part in ("", ".", ".."):
        return f"has the segment {part!r}"
    if any(unicodedata.category(char)[0] in "CZ" and char != " " for char in part):
        return "has an invisible character"
    if _FORBIDDEN.search(part):
        return 'has one of < > : " | ? * \\'
    if part != part.strip(" ") or part.endswith("."):
        return "has a segment that begins or ends with a space, or ends with a dot"
    if len(part.encode()) > MAXIMUM_SEGMENT:
        return f"has a segment of more than {MAXIMUM_SEGMENT} bytes"
    return _reserved(part)


def _reserved(part: str) -> str:
    folded = fold(part)
    if _GIT.fullmatch(folded):
        return "has a segment that git keeps for itself"
    if _DEVICE.fullmatch(folded):
        return "has the name of a device"
    return ""


def fold(path: str) -> str:
    """Return what file systems that ignore case and composition compare."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def collision(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return two paths that cannot exist side by side on every file system."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        folded = fold(path)
        clash = files.get(folded) or folders.get(folded)
        if clash:
            return clash, path
        files[folded] = path
        for folder in _ancestors(path):
            clash = files.get(fold(folder)) or folders.setdefault(fold(folder), path)
            if clash != path and _different_folder(clash, folder):
                return clash, path
    return None


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _different_folder(clash: str, folder: str) -> bool:
    """Tell whether a path does not lie in the very folder, but in one that folds to it."""
    return not clash.startswith(folder + "/")
