"""Where everything of the engine lies: private folders, one per project and one per run.

home/  terraform.rc  state-reader/
modules/<hash of the content>/...
projects/<project>/root/{main.tf.json, terraform.tfvars.json, modules -> …, terraform.tfstate}
projects/<project>/runs/<run>/{plan.tfplan, plan.json, plan.txt, init-…/, plan/, apply/}
"""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from provisioning.errors import PermanentError

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._:-]{0,127}")


class Places:
    """The folders below one data folder; nobody but us may read them."""

    def __init__(self, data: Path) -> None:
        self._data = data.absolute()

    def home(self) -> Path:
        """Return an empty home, so that nobody's personal configuration has a say."""
        return private_folder(self._data / "home")

    def cli_configuration(self, plugin_mirror: Path | None) -> Path:
        """Return Terraform's own configuration file, written anew."""
        lines = ["disable_checkpoint = true"]
        if plugin_mirror:
            place = json.dumps(str(plugin_mirror.absolute()))
            lines.append(f"provider_installation {{\n  filesystem_mirror {{ path = {place} }}\n}}")
        path = private_folder(self._data) / "terraform.rc"
        write_private(path, "\n".join(lines) + "\n")
        return path

    def state_reader(self) -> Path:
        """Return a root that knows no resources, only where states are kept."""
        return private_folder(self._data / "state-reader")

    def project(self, project: str) -> Path:
        """Return a project's folder, which may not exist yet."""
        return self._data / "projects" / _safe(project)

    def root(self, project: str) -> Path:
        """Return a project's root, which may not exist yet."""
        return self.project(project) / "root"

    def run(self, project: str, run: str) -> Path:
        """Return a run's folder, which may not exist yet."""
        return self.project(project) / "runs" / _safe(run)

    def runs(self, project: str) -> tuple[Path, ...]:
        """Return the folders of all runs of a project."""
        folder = self.project(project) / "runs"
        return tuple(sorted(folder.iterdir())) if folder.exists() else ()

    def note_adopted(self, project: str, run: str, addresses: Iterable[str]) -> None:
        """Note what a run has begun to adopt, beside what it has noted before."""
        noted = private_folder(self.run(project, run)) / ADOPTED
        known = read_or_empty(noted).splitlines()
        write_private(noted, "\n".join(dict.fromkeys([*known, *addresses])))

    def adopted(self, project: str) -> frozenset[str]:
        """Return what any run of a project has noted."""
        noted = (read_or_empty(run / ADOPTED) for run in self.runs(project))
        return frozenset(address for each in noted for address in each.splitlines())

    def link_modules(self, source: Path, project: str) -> str:
        """Give the root the modules as they are now, under `modules`; return their hash.

        They are copied once per content: updating the bot changes nothing under a waiting project.
        """
        version = _content_hash(source)
        target = private_folder(self._data / "modules") / version
        if not target.exists():
            draft = target.with_name(f"{version}.{uuid.uuid4().hex}")
            shutil.copytree(source, draft, ignore=shutil.ignore_patterns(*UNVERSIONED))
            try:
                draft.rename(target)
            except OSError:  # somebody else was faster
                shutil.rmtree(draft)
        self._point_modules_to(Path("../../../modules") / version, self.root(project))
        return version

    def _point_modules_to(self, target: Path, root: Path) -> None:
        link = root / "modules"
        if link.is_symlink() and link.readlink() == target:
            return
        # Terraform notes where a link led and would not look again.
        (root / INITIALISED).unlink(missing_ok=True)
        shutil.rmtree(root / ".terraform" / "modules", ignore_errors=True)
        fresh = root / f"modules.{uuid.uuid4().hex}"
        fresh.symlink_to(target)
        fresh.rename(link)


INITIALISED = ".initialised"
"""The mark of a root that was initialised; it holds what for."""

ADOPTED = "adopted"
"""The file of a run that names the addresses it has begun to adopt, one a line."""

UNVERSIONED = (".terraform", ".terraform.lock.hcl", "__pycache__", "*.pyc")


def private_folder(path: Path) -> Path:
    """Return the folder, made with its parents where it was missing, for us alone."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Put a file in place whole, readable by us alone."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.rename(path)


def read_or_empty(path: Path) -> str:
    """Return the text of a file, empty where there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _safe(name: str) -> str:
    if not NAME.fullmatch(name):
        raise PermanentError(f"{name!r} cannot name a folder; nothing was done")
    return name


def _content_hash(source: Path) -> str:
    whole = hashlib.sha256()
    for file in _files(source):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        whole.update(f"{file.relative_to(source)}\n{content}\n".encode())
    return whole.hexdigest()[:16]


def _files(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if path.is_file() and not any(
            Path(part).match(pattern) for part in parts for pattern in UNVERSIONED
        ):
            yield path
