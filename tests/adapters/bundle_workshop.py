"""A rendered project, principals of its stages, and the stand-in `databricks` command, all real."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks_standin import ACCOUNT, Standin, running

from playground.databricks_cli.__main__ import main
from playground.databricks_cli.bin_folder import SOURCE, write_bin
from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.bundle_templates.rendering import render_bundle

STAGES = ("development", "testing", "staging", "production")
CATALOGS = {
    "development": "gbx1_dev",
    "testing": "gbx1_test",
    "staging": "gbx1_stg",
    "production": "gbx1_prod",
}
TARGETS = ",".join(f"{stage}={catalog}" for stage, catalog in CATALOGS.items())
GIVEN = (
    Privilege.USE_SCHEMA,
    Privilege.CREATE_MODEL,
    Privilege.CREATE_TABLE,
    Privilege.EXECUTE,
    Privilege.CREATE_VOLUME,
    Privilege.APPLY_TAG,
)


@dataclass(frozen=True)
class Login:
    """A principal of one stage, with an OAuth secret."""

    stage: str
    number: int
    application_id: str
    secret: str

    def environment(self, host: str) -> dict[str, str]:
        """Return what logs the command in."""
        return {
            "DATABRICKS_HOST": host,
            "DATABRICKS_AUTH_TYPE": "oauth-m2m",
            "DATABRICKS_CLIENT_ID": self.application_id,
            "DATABRICKS_CLIENT_SECRET": self.secret,
        }


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what was printed as JSON."""
        return json.loads(self.out)

    @property
    def actions(self) -> dict[str, str]:
        """Return the actions of a printed plan."""
        return {name: each["action"] for name, each in self.json["plan"].items()}


@dataclass
class Workshop:
    """One project in one folder, and everything to deploy it with."""

    standin: Standin
    folder: Path
    logins: dict[str, Login] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """Return the rendered project."""
        return self.folder / "project"

    def render(self, template: str = "job", **answers: Any) -> None:
        """Render a template of ours, with the bot's answers."""
        told = {"project_name": "ada-7", "targets": TARGETS, "gated_targets": "production"}
        source = SOURCE / "bundle_templates" / template
        for path, data in render_bundle(source, told | answers, BundleContext()).items():
            file = self.project / path.partition("/")[2]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def write(self, files: Mapping[str, str]) -> None:
        """Write a bundle's files by hand."""
        for path, text in files.items():
            file = self.project / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def admit(self, stage: str = "development", role: str = "") -> Login:
        """Return the principal of a stage (or a second one), made as Terraform makes it."""
        key = f"{stage}{role}"
        if key not in self.logins:
            number, application_id, secret = self.standin.project_principal(stage)
            principal = self.standin.databricks.world.principals[number]
            principal.display_name = f"ada-7-{stage}{role}"
            self.logins[key] = Login(stage, number, application_id, secret)
            if not role:
                self._grant(stage, application_id)
        return self.logins[key]

    def _grant(self, stage: str, application_id: str) -> None:
        bot, catalog = self.standin.workspace(stage), CATALOGS[stage]
        bot.schemas.create("ada_7", catalog)
        for kind, name, privileges in (
            ("catalog", catalog, (Privilege.USE_CATALOG,)),
            ("schema", f"{catalog}.ada_7", GIVEN),
        ):
            change = PermissionsChange(principal=application_id, add=list(privileges))
            bot.grants.update(kind, name, changes=[change])

    def host(self, stage: str) -> str:
        """Return the address of a stage's workspace."""
        return self.standin.databricks.hosts[("gbx1", stage)]

    def environment(self, login: Login) -> dict[str, str]:
        """Return all that a job's step gets to see."""
        tools, python = write_bin(self.folder / "bin"), Path(sys.executable)
        return {
            "PATH": f"{tools}:{python.parent}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "VIRTUAL_ENV": str(python.parent.parent),
            "UV_OFFLINE": "1",
            "UV_NO_BUILD_ISOLATION": "1",
            "UV_PYTHON": sys.executable,
            "UV_CACHE_DIR": str(self.folder / "uv"),
        } | login.environment(self.host(login.stage))

    def run(self, *words: str, by: Login | None = None, **extra: str) -> Said:
        """Run the command in this process, which saves it the time to begin."""
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (self.environment(by or self.admit()) | extra).items():
                patch.setenv(name, value)
            patch.chdir(self.project)
            with redirect_stdout(out), redirect_stderr(err):
                code = main(words)
        return Said(code, out.getvalue(), err.getvalue())

    def run_apart(self, *words: str, by: Login | None = None, **extra: str) -> Said:
        """Run the command as a job does: found on PATH, from a bare environment, anywhere."""
        environment = self.environment(by or self.admit()) | extra
        done = subprocess.run(
            ["databricks", *words],
            cwd=self.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            executable=str(self.folder / "bin" / "databricks"),
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def bundle(self, verb: str, stage: str = "development", *more: str, **extra: str) -> Said:
        """Run a command of the bundle by the stage's own principal; it must succeed."""
        said = self.run("bundle", verb, "-t", stage, *more, by=self.admit(stage), **extra)
        assert said.code == 0, said.out + said.err
        return said

    def jobs(self, stage: str = "development") -> list[str]:
        """Return the names of a workspace's jobs."""
        jobs = self.standin.databricks.workspace("gbx1", stage).jobs.values()
        return [each.settings["name"] for each in jobs]

    def gate(self) -> tuple[Login, Login, dict[str, str]]:
        """Return production's deployer and planner, and the variables of its targets."""
        deployer, planner = self.admit("production"), self.admit("production", "-plan")
        variables = {
            "BUNDLE_VAR_deployer": deployer.application_id,
            "BUNDLE_VAR_planner": planner.application_id,
        }
        return deployer, planner, variables


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Run a workshop with a stand-in of its own."""
    folder.joinpath("project").mkdir(parents=True, exist_ok=True)
    for standin in running():
        yield Workshop(standin, folder)


__all__ = ["ACCOUNT", "STAGES", "Login", "Said", "Workshop", "workshop"]
