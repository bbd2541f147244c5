"""A package index on loopback of what the playground's own Python has installed.

Jobs use the real `uv`, which resolves, builds and installs as ever; only the index is ours. A
lock covers every platform and Python, so packages that only others need are described too, empty;
whoever tries to install one gets a 404.
"""

import asyncio
import re
import zipfile
from collections.abc import Iterator
from email.message import Message
from html import escape
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import cast

from aiohttp import web

ELSEWHERE = "9999"
"""The version of what isn't installed here."""


def plain_name(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class PackageIndex:
    """Serves pages, metadata and wheels; a wheel is packed when somebody wants it first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._packing = asyncio.Lock()
        self._installed: dict[str, Distribution] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/simple/{name}/", self.page),
            web.get("/wheels/{file}.metadata", self.metadata),
            web.get("/wheels/{file}", self.wheel),
        ]

    def _find(self, name: str) -> Distribution | None:
        if not self._installed:
            for each in distributions():
                self._installed.setdefault(plain_name(each.name), each)
        return self._installed.get(plain_name(name))

    async def page(self, request: web.Request) -> web.Response:
        """List the one file that a package has."""
        name = request.match_info["name"]
        found = self._find(name)
        file = escape(wheel_name(found) if found else _empty_wheel(name))
        link = f'<a href="/wheels/{file}" data-core-metadata="true">{file}</a>'
        shown = f"<!DOCTYPE html><html><body>{link}</body></html>"
        return web.Response(text=shown, content_type="text/html")

    async def metadata(self, request: web.Request) -> web.Response:
        """Return a wheel's METADATA."""
        name = request.match_info["file"].partition("-")[0]
        found = self._find(name)
        text = found.read_text("METADATA") if found else None
        empty = f"Metadata-Version: 2.1\nName: {plain_name(name)}\nVersion: {ELSEWHERE}\n"
        return web.Response(text=text or empty)

    async def wheel(self, request: web.Request) -> web.StreamResponse:
        """Return a wheel; what isn't installed has none."""
        found = self._find(request.match_info["file"].partition("-")[0])
        if found is None or request.match_info["file"] != wheel_name(found):
            raise web.HTTPNotFound
        path = self._directory / wheel_name(found)
        async with self._packing:
            if not path.exists():
                await asyncio.to_thread(pack, found, path)
        return web.FileResponse(path)


def wheel_name(package: Distribution) -> str:
    """Return the file name of the wheel that a package came in."""
    tags = [tag.split("-") for tag in _wheel_file(package).get_all("Tag", ["py3-none-any"])]
    packed = "-".join(".".join(dict.fromkeys(tag[part] for tag in tags)) for part in range(3))
    return f"{_escaped(package.name)}-{package.version}-{packed}.whl"


def _empty_wheel(name: str) -> str:
    return f"{_escaped(name)}-{ELSEWHERE}-py3-none-any.whl"


def _escaped(name: str) -> str:
    return plain_name(name).replace("-", "_")


def _wheel_file(package: Distribution) -> Message:
    held = Message()
    for line in (package.read_text("WHEEL") or "").splitlines():
        key, _, value = line.partition(": ")
        if value:
            held[key] = value
    return held


def pack(package: Distribution, path: Path) -> None:
    """Make a wheel of an installed package; it isn't compressed, for it goes nowhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    members = dict(_members(package))
    described = next(name for name in members if name.endswith(".dist-info/METADATA"))
    record = described.replace("METADATA", "RECORD")
    with zipfile.ZipFile(half, "w") as archive:
        for name, place in members.items():
            archive.write(place, name)
        archive.writestr(record, "".join(f"{name},,\n" for name in (*members, record)))
    half.replace(path)


def _members(package: Distribution) -> Iterator[tuple[str, Path]]:
    """Yield (name in the wheel, file); console scripts are made anew, other scripts are data."""
    scripts = {entry.name for entry in package.entry_points.select(group="console_scripts")}
    for file in package.files or ():
        place = Path(cast("Path", file.locate()))
        name = file.as_posix()
        ours = file.name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
        if not place.is_file() or name.endswith(".pyc") or (ours and ".dist-info" in name):
            continue
        if not name.startswith("../"):
            yield name, place
        elif "/bin/" in name and file.name not in scripts:
            folder = f"{_escaped(package.name)}-{package.version}.data/scripts"
            yield f"{folder}/{file.name}", place
