"""What to do about a check of a living project that failed, by the check's name.

A new project has Retry; in one that lives, somebody has changed something by hand.
"""

import re

from provisioning.ports import Finding

SETTINGS = "change it back in the repository's settings at GitHub"
PUT_BACK = (
    "Somebody has changed this by hand: /sciclops reconcile {project} plans it back and asks first."
)
REMEDIES = (
    (
        r"repository is alive",
        f"Unarchive it, with main as its default branch: {SETTINGS}, under General.",
    ),
    (
        r"main descends",
        "Somebody has replaced main's history. Push the old main back, or merge sciclops/template "
        "into it with unrelated histories allowed.",
    ),
    (
        r"sciclops/template is as",
        "Only SciCLOps writes there. Set the branch back to that commit, as the App or an "
        "organisation owner.",
    ),
    (
        r"deploy workflow is the one",
        "Open a pull request that sets `uses:` in .github/workflows/deploy.yml to the one on "
        "offer; the platform team approves it.",
    ),
    (
        r"OIDC subjects",
        "Let the repository use the organisation's default OIDC subject, or let the platform team "
        "correct the federation policies.",
    ),
    (
        r"secret \w+ has a value|has a value of the secret",
        "An owner enters it in a dialog: /sciclops secret set {project}, and its name.",
    ),
    (r"fresh secret|key", "Rotate its keys: /sciclops rotate {project}."),
    (r"has no secret", "Delete them in the Databricks account console."),
    (
        r"holds no Databricks secret",
        f"Delete them: {SETTINGS}, under Environments. Nothing needs them here.",
    ),
)
"""The first whose pattern is in the check's name says what to do."""


def with_remedy(finding: Finding, project: str) -> Finding:
    """Return a finding of a living project that says what to do about it."""
    if finding.passed or not finding.asked or finding.check.endswith("last deployment"):
        return finding
    fitting = (remedy for pattern, remedy in REMEDIES if re.search(pattern, finding.check))
    remedy = next(fitting, PUT_BACK).replace("{project}", project)
    return finding.model_copy(update={"remedy": remedy})
