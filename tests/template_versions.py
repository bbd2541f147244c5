"""Versions of a bundle template, published one after the other in a folder of the test's own."""

import shutil
from pathlib import Path

OURS = Path(__file__).parents[1] / "bundle_templates"
REPOSITORY = Path("job/template/{{.project_name}}")
README = REPOSITORY / "README.md.tmpl"
LOGIC = 'src/{{template "package" .}}/daily_counts.py'
CONTESTED = "The logic of the job"
"""How the line begins that every version changes, and that people may change, too."""


class PublishedTemplates:
    """A copy of the templates; each version of `job` changes a line and brings a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.exists():
            shutil.copytree(OURS, folder)

    def publish(self, version: str) -> None:
        """Put another version of the template on offer, as an update of the bot would."""
        logic = self.folder / REPOSITORY / LOGIC
        lines = logic.read_text("utf-8").splitlines(keepends=True)
        lines[0] = f'"""{CONTESTED}, version {version}. It knows plain Python only."""\n'
        logic.write_text("".join(lines), "utf-8")
        note = self.folder / REPOSITORY / "docs" / f"version-{version}.md"
        note.parent.mkdir(exist_ok=True)
        note.write_text(f"# What is new in {version}\n", "utf-8")
        (self.folder / "job" / "VERSION").write_text(f"{version}\n", "utf-8")


def logic_of(project: str) -> str:
    """Return the path of the file that every version changes, in a project's repository."""
    package = project.replace("-", "_")
    return f"src/{package}_job/daily_counts.py"
