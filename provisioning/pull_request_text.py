"""What the pull request of an upgrade says at GitHub, in Markdown: pure."""

from provisioning.operation import Operation
from provisioning.project import template_title
from provisioning.versions import Upgrade

MOST_FILES = 40
"""So many contested files are named."""
BY_HAND = """\
**Git could not merge this by itself.** {name} and the template have both changed:

{files}

Nothing is merged yet: this is a draft until somebody has merged by hand, in a clone:

```
git fetch origin
git switch sciclops/upgrade
git merge origin/sciclops/template
# resolve the conflicts, then
git add --all && git commit --no-edit
git push
```

Then press “Ready for review” here. Merge {base} in the same way if it has moved on."""
CLEAN = """\
Git has merged it with what you have changed: your edits are kept, and what you see below is what
the template adds. Review it like any other change."""
HOW = """\
Merge it with a merge commit or squash it, as you like; the next version is merged from here. If you
close it, `/sciclops upgrade {name}` opens it again. The branch `sciclops/template` holds what the
template alone renders; please leave it to SciCLOps."""


def title_of(operation: Operation) -> str:
    """Return the title."""
    version = _upgrade(operation).version
    name = version.name if version else ""
    return f"Upgrade to version {name} of the template “{template_title(operation.spec.template)}”"


def message_of(operation: Operation) -> str:
    """Return the message of a commit that brings the version."""
    return f"{title_of(operation)}\n\n{operation.marker}"


def body_of(operation: Operation) -> str:
    """Return the text below the title."""
    upgrade = _upgrade(operation)
    before = f" This project has version {upgrade.before}." if upgrade.before else ""
    begin = f"SciCLOps offers this project a new version of its template.{before}"
    return "\n\n".join([begin, _merging(operation, upgrade), HOW.format(name=operation.project)])


def _merging(operation: Operation, upgrade: Upgrade) -> str:
    if not upgrade.is_conflict:
        return CLEAN
    named = upgrade.contested[:MOST_FILES]
    lines = [f"* `{_harmless(path)}`" for path in named]
    if (more := len(upgrade.contested) - len(named)) > 0:
        lines.append(f"* and {more} more")
    files = "\n".join(lines) or "* a file that one has removed or renamed"
    return BY_HAND.format(name=operation.project, files=files, base="`origin/main`")


def _harmless(path: str) -> str:
    """Return a path that cannot end the code it stands in."""
    return "".join(" " if char in "`\r\n" else char for char in path)


def _upgrade(operation: Operation) -> Upgrade:
    return operation.facts.upgrade or Upgrade()
