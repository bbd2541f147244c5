"""Do the settings agree with each other? What their types cannot say; no vendor is asked."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import urlsplit

from bot.settings import Settings
from provisioning.diagnosis import Check, Verdict, fine, problem, warning
from provisioning.errors import UserError
from provisioning.sealing import MAKE_ONE, keys_of

SYSTEM = "Settings"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def settings_checks(settings: Settings) -> Iterator[Check]:
    """Return the checks on the settings themselves."""
    for name, ask in (
        ("naming", naming),
        ("sandboxes", sandboxes),
        ("workspaces", workspaces),
        ("requestable data", requestable_data),
        ("gated stages", gated_stages),
        ("release gate", release_gate),
        ("encryption", encryption),
        ("seal keys", seal_keys),
    ):
        yield Check(SYSTEM, name, partial(ask, settings))


def naming(settings: Settings) -> Verdict:
    """Tell whether the pattern of names is a pattern."""
    try:
        re.compile(settings.naming.pattern)
    except re.error as wrong:
        return problem(
            f"naming.pattern is no regular expression: {wrong}",
            "Correct naming.pattern (Python's syntax).",
        )
    return fine(settings.naming.explanation)


def sandboxes(settings: Settings) -> Verdict:
    """Tell whether the proposed life of a sandbox fits into the longest."""
    limits = settings.limits
    if limits.sandbox_days_default <= limits.sandbox_days_maximum:
        return fine(f"{limits.sandbox_days_default} days, at most {limits.sandbox_days_maximum}")
    return problem(
        f"sandboxes would be proposed {limits.sandbox_days_default} days but may live at most "
        f"{limits.sandbox_days_maximum}",
        "Lower limits.sandbox_days_default or raise limits.sandbox_days_maximum.",
    )


def workspaces(settings: Settings) -> Verdict:
    """Tell whether each stage is a workspace of its own, with a catalog of its own."""
    stages = [s for group in settings.workspace_groups.values() for s in group.stages.values()]
    twice = [
        *_repeated("workspace_id", (str(stage.workspace_id) for stage in stages)),
        *_repeated("host", (stage.host.rstrip("/").lower() for stage in stages)),
        *_repeated("catalog", (stage.catalog.lower() for stage in stages)),
    ]
    if not twice:
        return fine(f"{len(stages)} in {len(settings.workspace_groups)} groups")
    return problem(
        f"used by several stages: {', '.join(twice)}",
        "Give each stage in [workspace_groups] a workspace and a catalog of its own; a stage "
        "protects nothing when another one shares them.",
    )


def requestable_data(settings: Settings) -> Verdict:
    """Tell whether each securable lies in the catalog of a stage and is listed once."""
    catalogs = {
        stage.catalog.lower()
        for group in settings.workspace_groups.values()
        for stage in group.stages.values()
    }
    names = [entry.securable.lower() for entry in settings.data]
    lost = [name for name in names if name.split(".")[0] not in catalogs or name.count(".") > 2]
    if wrong := [*lost, *_repeated("securable", names)]:
        return problem(
            f"nobody could be granted {', '.join(wrong)}",
            "In [[data]], `securable` is catalog, catalog.schema or catalog.schema.table, the "
            "catalog is one of a stage in [workspace_groups], and each is listed once.",
        )
    return fine(f"{len(names)} securables may be requested")


def gated_stages(settings: Settings) -> Verdict:
    """Tell whether somebody has to release Production."""
    gated = settings.deployment.gated_stages
    if "production" in gated:
        return fine(", ".join(gated))
    return warning(
        "nobody has to release Production: every merge is deployed there",
        'Name "production" in deployment.gated_stages, unless that is what you want.',
    )


def release_gate(settings: Settings) -> Verdict:
    """Tell whether the gate can enforce what is asked of it."""
    deployment = settings.deployment
    if objection := settings.gate_objection:
        return problem(objection, "Change [deployment], [roles] or [github] as it says.")
    if deployment.gate == "reviewer":
        return fine("GitHub's required reviewers; one approval lets a deployment in")
    return fine(f"the App's own rule; approvals needed: {deployment.approvals_needed}")


def encryption(settings: Settings) -> Verdict:
    """Tell whether everything secret travels encrypted."""
    github, groups = settings.github, settings.workspace_groups
    places = {
        "slack.api_url": settings.slack.api_url,
        "github.api_url": github.api_url,
        "github.oidc_issuer": github.oidc_issuer,
    }
    for name, group in groups.items():
        places[f"workspace_groups.{name}.account_host"] = group.account_host
        for stage, workspace in group.stages.items():
            places[f"workspace_groups.{name}.stages.{stage}.host"] = workspace.host
    wrong = [key for key, address in places.items() if not _is_safe(address)]
    if not wrong:
        return fine("every address is https, or on this machine")
    return problem(f"no https address: {', '.join(wrong)}", "Start these settings with https://.")


def seal_keys(settings: Settings) -> Verdict:
    """Tell whether people's GitHub tokens can be sealed, so that accounts can be linked."""
    variable = "SCICLOPS__SECURITY__SEAL_KEYS"
    make = f"Make a key with `{MAKE_ONE}`, set {variable}, and keep a copy in a safe place."
    try:
        keys = keys_of(settings.security.seal_keys.get_secret_value())
    except UserError as bad:
        return problem(str(bad), make)
    if not keys:
        return warning("nobody can link a GitHub account: there is no key to seal tokens", make)
    if len(set(keys)) < len(keys):
        return problem("a key is listed twice", f"List each key once in {variable}.")
    older = len(keys) - 1
    return fine(f"1 key seals{f', {older} older ones open' if older else ''}")


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in LOOPBACK)


def _repeated(what: str, values: Iterable[str]) -> list[str]:
    return [f"{what} {value}" for value, times in Counter(values).items() if times > 1]
