"""Can the App's own protection rule hold deployments? Asked with the App's own key."""

from collections.abc import Iterator
from functools import partial

from provisioning.adapters.github.connection import App
from provisioning.adapters.github.diagnosis import SILENCE, SYSTEM, AppDiagnosis
from provisioning.adapters.github.webhooks import RULE_EVENT
from provisioning.diagnosis import Check, Verdict, fine, problem


def rule_checks(app: App) -> Iterator[Check]:
    """Return the check of the rule; that of permissions tells whether the App may answer."""
    ask = partial(rule_event, AppDiagnosis(app))
    yield Check(SYSTEM, "release rule", ask, ("App permissions",), SILENCE)


def rule_event(account: AppDiagnosis) -> Verdict:
    """Tell whether the App subscribes to the event that makes it a protection rule."""
    if RULE_EVENT in account.about("events"):
        return fine(f"the App subscribes to {RULE_EVENT}")
    return problem(
        f"the App does not subscribe to {RULE_EVENT}, so that GitHub offers no rule of it: no "
        "project could be made",
        "Tick “Deployment protection rule” on the App's page > Permissions & events > Subscribe "
        "to events.",
    )
