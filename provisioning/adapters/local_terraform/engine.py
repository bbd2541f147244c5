"""The engine `local`: Terraform as detached processes on this machine.

It keeps nothing in memory that matters: everything is read from the run's folder, so any later
process continues where this one stopped.
"""

import json
import logging
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from provisioning.adapters.local_terraform import plans
from provisioning.adapters.local_terraform.events import Story, readable
from provisioning.adapters.local_terraform.places import (
    INITIALISED,
    Places,
    private_folder,
    read_or_empty,
    write_private,
)
from provisioning.adapters.local_terraform.state_locks import STATE, LocalStateLocks
from provisioning.adapters.local_terraform.toolbox import Installation, Toolbox
from provisioning.adapters.local_terraform.tracking import Tracker, Unseen
from provisioning.adapters.local_terraform.workspaces import collided, sole_creator
from provisioning.errors import PermanentError
from provisioning.ports import Watch
from provisioning.redaction import cut_middle
from provisioning.runs import Diagnostic, Outcome, Plan

log = logging.getLogger(__name__)

ROOT_FILES = ("main.tf.json", "terraform.tfvars.json")
STRANDED_STATE = "errored.tfstate"
"""Where Terraform leaves a state that its backend did not take."""

NOT_APPLYABLE = "plan is not applyable"
"""What Terraform 1.11 says of a refresh that would change nothing."""

WRITE_THE_STATE = ("apply", "adopt", "dependencies", "recover-state")
"""Jobs whose death may leave a state that is cut off."""

COLLISIONS = 50
SECONDS_TO_GIVE_WAY = 0.1
"""Between tries to choose a workspace: `terraform workspace select` itself waits for nobody."""

LONGEST_TEXT = 400_000
"""Characters of a plan or a log that are worth reading; more is cut out of the middle."""


class LocalTerraform:
    """Implements `provisioning.ports.Terraform`; may be used from several threads."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._places = Places(installation.data)
        self._tools = Toolbox(installation, self._places)
        self._locks = LocalStateLocks(installation)
        self._redact = installation.redact

    def prepare(self, project: str, files: Mapping[str, str]) -> None:
        """Make these the root's generated files, with the modules as they are now beside them."""
        root = private_folder(self._places.root(project))
        if unknown := set(files) - set(ROOT_FILES):
            raise PermanentError(f"{', '.join(sorted(unknown))} is no file of a root; not written")
        self._places.link_modules(self._installation.modules, project)
        if self._tools.backend:
            write_private(root / "backend.tf.json", self._tools.backend)
        for name, text in files.items():
            write_private(root / name, text)

    def plan(
        self,
        project: str,
        run: str,
        watch: Watch,
        *,
        destroy: bool = False,
        only: Sequence[str] = (),
    ) -> tuple[Outcome, Plan | None]:
        """Plan the project's root; the plan is None unless the outcome is "succeeded"."""
        folder, file = self._places.run(project, run), self._plan_file(project, run)
        tracker = self._tracker(project, run, "plan")
        if tracker.is_new():
            if obstacle := self._make_ready(project, run, watch):
                return obstacle, None
            write_private(private_folder(folder) / "inputs", self._inputs(project))
        command = self._tools.lines.plan(
            file, parallelism=self._installation.parallelism, destroy=destroy, only=only
        )
        outcome = self._locks.naming_the_holder(project, tracker.run([command], watch))
        if outcome.ending != "succeeded":
            file.unlink(missing_ok=True)
            return outcome, None
        return outcome, self._saved_plan(project, run, outcome)

    def apply(self, project: str, run: str, watch: Watch) -> Outcome:
        """Apply the saved plan of this run; afterwards the plan file is gone.

        An outcome with `stale` says that nothing was changed and that a new plan is needed.
        """
        file = self._plan_file(project, run)
        tracker = self._tracker(project, run, "apply")
        if tracker.is_new() and not file.exists():
            return GONE
        command = self._tools.lines.apply(file, parallelism=self._installation.parallelism)
        kept = self._kept_plan(project, run)
        outcome = tracker.run([command], watch, kept.changes if kept else ())
        file.unlink(missing_ok=True)
        return self._locks.naming_the_holder(project, outcome)

    def adopt(self, project: str, run: str, watch: Watch) -> Outcome:
        """Take what the root's `import` blocks name into the state, and change nothing else."""
        tracker = self._tracker(project, run, "adopt")
        if tracker.is_new() and (obstacle := self._make_ready(project, run, watch)):
            return obstacle
        if not self._imports(project) and tracker.is_new():
            return Outcome(ending="succeeded")
        commands = [
            self._tools.lines.import_(address, identifier)
            for address, identifier in self._unadopted(project).items()
        ]
        if commands or not tracker.is_new():
            self._places.note_adopted(project, run, self._imports(project))
            outcome = tracker.run(commands, watch)
            if outcome.ending != "succeeded":
                return outcome
        return self._note_dependencies(project, run, watch)

    def _note_dependencies(self, project: str, run: str, watch: Watch) -> Outcome:
        """Note what depends on what: an import does not, and a destroy would begin anywhere."""
        tracker = self._tracker(project, run, "dependencies")
        outcome = tracker.run([self._tools.lines.note_dependencies()], Unseen(watch))
        told = (f"{each.summary} {each.detail}" for each in outcome.diagnostics)
        nothing_to_note = any(NOT_APPLYABLE in each for each in told)
        return Outcome(ending="succeeded") if nothing_to_note else outcome

    def adopted(self, project: str) -> frozenset[str]:
        """Return the addresses that any run of the project has begun to adopt."""
        return self._places.adopted(project)

    def discard(self, project: str, run: str) -> None:
        """Delete the saved plan of this run, so that it can never be applied."""
        self._plan_file(project, run).unlink(missing_ok=True)

    def forget_run(self, project: str, run: str) -> None:
        """Delete everything of a run that only looked, its plan above all."""
        shutil.rmtree(self._places.run(project, run), ignore_errors=True)

    def describe(self, project: str, run: str) -> str:
        """Return the whole plan for people to read, secrets redacted; empty if there is none."""
        return read_or_empty(self._places.run(project, run) / "plan.txt")

    def log(self, project: str, run: str) -> str:
        """Return the run's log for people to read, secrets redacted."""
        logs = (self._tracker(project, run, job).log() for job in self._jobs(project, run))
        return cut_middle(readable("".join(logs)), LONGEST_TEXT)

    def outputs(self, project: str) -> dict[str, object]:
        """Return the root's outputs that are not sensitive."""
        printed = self._ask_state(project, self._tools.lines.output())
        outputs = json.loads(printed) if printed else {}
        return {
            name: output["value"] for name, output in outputs.items() if not output["sensitive"]
        }

    def addresses(self, project: str) -> frozenset[str]:
        """Return the addresses of the resources in the state, without data sources."""
        printed = self._ask_state(project, self._tools.lines.state_list())
        return frozenset(line for line in printed.splitlines() if plans.is_managed(line))

    def started(self, project: str) -> frozenset[str]:
        """Return the addresses whose creation any run of the project has begun, finished or not."""
        stories = (self._story(run) for run in self._places.runs(project))
        return frozenset(address for story in stories for address in story.begun())

    def forget(self, project: str) -> None:
        """Delete the project's root, state and runs; nothing may be left in the state."""
        if remaining := self.addresses(project):
            raise PermanentError(
                f"{len(remaining)} resources of {project} are still in Terraform's state, e.g. "
                f"{min(remaining)}; nothing was deleted. Destroy them first"
            )
        if self._is_busy(project):
            raise PermanentError(f"Terraform still runs for {project}; cancel it first")
        self._drop_workspace(project)
        if self._places.project(project).exists():
            shutil.rmtree(self._places.project(project))

    # ------------------------------------------------------------------ getting ready

    def _make_ready(self, project: str, run: str, watch: Watch) -> Outcome | None:
        """Make the root fit to be planned; return how that failed, or None."""
        unseen = Unseen(watch)
        self._mend_state(project)
        return self._initialise(project, run, unseen) or self._recover_state(project, run, unseen)

    def _recover_state(self, project: str, run: str, watch: Watch) -> Outcome | None:
        """Store a state that Terraform could not store at the end of an apply."""
        stranded = self._places.root(project) / STRANDED_STATE
        if not stranded.exists():
            return None
        tracker = self._tracker(project, run, "recover-state")
        outcome = tracker.run([self._tools.lines.push_state(stranded)], watch)
        if outcome.ending != "succeeded":
            return outcome
        stranded.unlink()
        return None

    def _mend_state(self, project: str) -> None:
        """Put the backup in the place of a state that a kill has cut off.

        Terraform empties the file before it writes it again, after each resource. Its backup is the
        state before that command. What is gone since is found gone; what was made since, be it in
        the place of something older, is unknown, so that it is adopted.
        """
        state = self._places.root(project) / STATE
        if not state.exists() or _is_whole(state) or self._is_busy(project):
            return
        log.warning("the state of %s was cut off; its backup takes its place", project)
        backup, mended = state.with_name(f"{STATE}.backup"), state.with_suffix(".mended")
        shutil.copy(state, state.with_suffix(".torn"))
        if not (backup.exists() and _is_whole(backup)):
            state.unlink()
            return
        write_private(mended, backup.read_text())
        if begun := self._last_story(project).begun():
            self._tools.drop_from_state(mended, begun)
        mended.replace(state)

    def _last_story(self, project: str) -> Story:
        """Return what the command has begun to make that was at the state last."""
        told = (one for run in self._places.runs(project) for one in run.glob("*/events.jsonl"))
        at_the_state = (one for one in told if one.parent.name in WRITE_THE_STATE)
        last = max(at_the_state, key=lambda events: events.stat().st_mtime, default=None)
        story = Story()
        if last and last.parent.name == "apply":
            story.read(last.read_bytes())
        return story

    def _is_busy(self, project: str) -> bool:
        return any(
            self._tracker(project, run.name, job).is_running()
            for run in self._places.runs(project)
            for job in self._jobs(project, run.name)
        )

    def _initialise(self, project: str, run: str, watch: Watch) -> Outcome | None:
        root = self._places.root(project)
        if not (root / ROOT_FILES[0]).exists():
            raise PermanentError(
                f"{project} has no root to plan; nothing was run. Prepare it first"
            )
        key = self._tools.initialisation_key(root)
        stamp = root / INITIALISED
        if read_or_empty(stamp) == key and (root / ".terraform").exists():
            return None
        commands = {"init": self._tools.lines.init()}
        if self._tools.backend:
            self._tools.reach_remote_state()
            commands["workspace"] = self._tools.lines.choose_workspace(project)
        for name, command in commands.items():
            outcome = self._get_ready(project, run, f"{name}-{key[:12]}", command, watch)
            if outcome.ending != "succeeded":
                return outcome
        write_private(stamp, key)
        return None

    def _get_ready(
        self, project: str, run: str, job: str, command: Sequence[str], watch: Watch
    ) -> Outcome:
        if not job.startswith("workspace"):
            return self._tracker(project, run, job, choose_workspace=False).run([command], watch)
        with sole_creator(self._installation.state_url):
            for number in range(COLLISIONS):
                tracker = self._tracker(project, run, f"{job}.{number}", choose_workspace=False)
                outcome = tracker.run([command], watch)
                if not collided(outcome):
                    break
                threading.Event().wait(SECONDS_TO_GIVE_WAY)
        return outcome

    def _drop_workspace(self, project: str) -> None:
        if self._tools.backend:
            self._tools.drop_workspace(project)

    # ------------------------------------------------------------------ reading

    def _saved_plan(self, project: str, run: str, outcome: Outcome) -> Plan:
        """Return the plan's meaning; it is read once and kept without any value in it."""
        folder = self._places.run(project, run)
        if kept := self._kept_plan(project, run):
            return kept
        shown = json.loads(self._show(project, run, machine=True))
        text = self._redact(self._show(project, run, machine=False))
        write_private(folder / "plan.txt", cut_middle(text, LONGEST_TEXT))
        plan = Plan(
            digest=plans.digest(shown),
            inputs=read_or_empty(folder / "inputs"),
            counts=outcome.counts,
            changes=plans.changes(shown),
            seconds=outcome.seconds,
            terraform=shown["terraform_version"],
            drifted=plans.drifted(shown),
        )
        write_private(folder / "plan.json", plan.model_dump_json())
        return plan

    def _kept_plan(self, project: str, run: str) -> Plan | None:
        kept = read_or_empty(self._places.run(project, run) / "plan.json")
        return Plan.model_validate_json(kept) if kept else None

    def _show(self, project: str, run: str, *, machine: bool) -> str:
        words = self._tools.lines.show(self._plan_file(project, run), machine=machine)
        return self._tools.ask(words, self._places.root(project), project)

    def _ask_state(self, project: str, words: Sequence[str]) -> str:
        """Ask about the project's state; empty where there is none."""
        if self._tools.backend:
            return self._tools.ask_remote_state(words, project)
        root = self._places.root(project)
        self._mend_state(project)
        if not (root / STATE).exists():
            return ""
        return self._tools.ask(words, root, project)

    def _unadopted(self, project: str) -> dict[str, str]:
        imports, known = self._imports(project), self.addresses(project)
        return {address: imports[address] for address in imports if address not in known}

    def _imports(self, project: str) -> dict[str, str]:
        root = json.loads(read_or_empty(self._places.root(project) / ROOT_FILES[0]) or "{}")
        return {
            block["to"]: block["id"].replace("$${", "${").replace("%%{", "%{")
            for block in root.get("import", [])
        }

    def _inputs(self, project: str) -> str:
        root = self._places.root(project)
        return plans.inputs_digest(
            {name: (root / name).read_text() for name in ROOT_FILES if (root / name).exists()},
            terraform=self._tools.binary.version,
            provider_lock=read_or_empty(root / ".terraform.lock.hcl"),
            modules=(root / "modules").readlink().name,
        )

    def _story(self, run_folder: Path) -> Story:
        story = Story()
        events = run_folder / "apply" / "events.jsonl"
        if events.exists():
            story.read(events.read_bytes())
        return story

    def _tracker(
        self, project: str, run: str, job: str, *, choose_workspace: bool = True
    ) -> Tracker:
        return Tracker(
            folder=self._places.run(project, run) / job,
            root=self._places.root(project),
            environment=lambda: self._tools.environment(project if choose_workspace else ""),
            grace=self._installation.grace.total_seconds(),
            redact=self._redact,
        )

    def _jobs(self, project: str, run: str) -> list[str]:
        folder = self._places.run(project, run)
        jobs = list(folder.glob("*/job.json"))
        return [path.parent.name for path in sorted(jobs, key=lambda path: path.stat().st_mtime)]

    def _plan_file(self, project: str, run: str) -> Path:
        return self._places.run(project, run) / "plan.tfplan"


def _is_whole(state: Path) -> bool:
    """Tell whether a state file can be read to its end."""
    try:
        return isinstance(json.loads(state.read_text()), dict)
    except ValueError:
        return False


GONE = Outcome(
    ending="failed",
    stale=True,
    diagnostics=(
        Diagnostic(
            severity="error",
            summary="The saved plan is gone",
            detail="It was discarded or applied before. Nothing was changed; plan again.",
        ),
    ),
)
