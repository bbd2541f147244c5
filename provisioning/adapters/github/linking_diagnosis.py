"""Can people link their GitHub accounts? Asks GitHub for a code that nobody will enter."""

from collections.abc import Iterator
from functools import partial

from provisioning.adapters.github.connection import App
from provisioning.adapters.github.diagnosis import SILENCE, SYSTEM, AppDiagnosis
from provisioning.adapters.github.identities import DeviceFlow, GitHubIdentities
from provisioning.clock import Clock
from provisioning.diagnosis import Check, Verdict, fine, problem, warning
from provisioning.errors import PermanentError, TemporaryError

ENABLE = "Tick “Enable Device Flow” on the App's page (Settings > Developer settings)."


def linking_checks(app: App, flow: DeviceFlow, clock: Clock) -> Iterator[Check]:
    """Return the checks of the device flow."""
    account = AppDiagnosis(app)
    yield Check(SYSTEM, "client id", partial(client_id, account, flow), ("App key",), SILENCE)
    ask = partial(device_flow, flow, clock)
    yield Check(SYSTEM, "device flow", ask, ("client id",), SILENCE)


def client_id(account: AppDiagnosis, flow: DeviceFlow) -> Verdict:
    """Tell whether the settings' client id is our App's."""
    right = str(account.about("client_id"))
    if not flow.client_id:
        return warning(
            "nobody can link a GitHub account: github.client_id is empty",
            f'Set github.client_id = "{right}" (it is public).',
        )
    if flow.client_id != right:
        return problem(
            f"github.client_id is {flow.client_id}, but this App's is {right}",
            f'Set github.client_id = "{right}".',
        )
    return fine(right)


def device_flow(flow: DeviceFlow, clock: Clock) -> Verdict:
    """Tell whether the App offers the device flow; the code it asks for runs out unused."""
    if not flow.client_id:
        return warning("not looked at: github.client_id is empty", "Set github.client_id.")
    try:
        GitHubIdentities(flow, clock).begin()
    except PermanentError as refused:
        return problem(str(refused), ENABLE)
    except TemporaryError as silent:
        return problem(str(silent), SILENCE)
    return fine("GitHub gives out codes for linking accounts")
