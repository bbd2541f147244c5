"""What a run knows of itself: the `github` context, a job's environment and its OIDC claims."""

from dataclasses import dataclass
from typing import cast

from playground.actions.workflow import Source
from playground.github.runs import WorkflowRun
from playground.github.world import Json, World


@dataclass(frozen=True)
class RunFacts:
    """The facts of one attempt of a run, read off when it begins."""

    world: World
    run: WorkflowRun
    caller: Source

    @property
    def repository(self) -> str:
        """The repository's full name."""
        return f"{self.world.organisation.login}/{self.run.repo.name}"

    def github(self) -> Json:
        """Return the `github` context as far as it is known before a job has a machine."""
        run, root = self.run, self.world.root
        held: Json = {
            "repository": self.repository,
            "repository_id": str(run.repo.id),
            "repository_owner": self.world.organisation.login,
            "repository_owner_id": str(self.world.organisation.id),
            "repository_visibility": run.repo.visibility,
            "repositoryUrl": f"git://github.com/{self.repository}.git",
            "run_id": str(run.id),
            "run_number": str(run.number),
            "run_attempt": str(run.attempt),
            "event": run.payload,
            "event_name": run.event,
            "server_url": root,
            "api_url": f"{root}/api/v3",
            "graphql_url": f"{root}/api/graphql",
            "retention_days": "90",
            "workflow": self.caller.name,
            "workflow_ref": workflow_ref(self.world, self.caller),
            "workflow_sha": self.caller.sha,
        }
        return held | self._people() | self._refs()

    def _people(self) -> Json:
        user = self.world.find_user(self.run.actor)
        number = user.id if user else self.world.organisation.id + 1
        triggering = self.run.triggering_actor or self.run.actor
        return {
            "actor": self.run.actor,
            "actor_id": str(number),
            "triggering_actor": triggering,
        }

    def _refs(self) -> Json:
        ref, pull = self.run.ref, self.run.payload.get("pull_request")
        shown = cast("dict[str, Json]", pull) if isinstance(pull, dict) else {}
        return {
            "ref": ref,
            "ref_name": ref.split("/", 2)[-1],
            "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
            "ref_protected": bool(self.run.repo.rulesets) and ref.startswith("refs/heads/"),
            "sha": self.run.sha,
            "head_ref": str(shown.get("head", {}).get("ref", "")),
            "base_ref": str(shown.get("base", {}).get("ref", "")),
        }

    def inputs(self) -> Json:
        """Return the `inputs` of a dispatched run, as their types say."""
        on = self.caller.content.get("on")
        dispatch = on.get("workflow_dispatch") if isinstance(on, dict) else None
        declared = dispatch.get("inputs") if isinstance(dispatch, dict) else None
        specs = cast("dict[str, Json]", declared or {})
        return {
            name: value == "true" if specs.get(name, {}).get("type") == "boolean" else value
            for name, value in self.run.inputs.items()
        }

    def environment(self) -> dict[str, str]:
        """Return the GITHUB_… variables of every step."""
        held = self.github()
        del held["event"], held["workflow"], held["repositoryUrl"]
        held["ref_protected"] = "true" if held["ref_protected"] else "false"
        shown = {f"GITHUB_{name.upper()}": str(value) for name, value in held.items()}
        return shown | {"SHA_REF": self.run.sha}  # act's name for what becomes GITHUB_SHA

    def claims(self, leaf: Source, environment: str) -> Json:
        """Return what an OIDC token says of a job of the workflow `leaf`."""
        held = self.github()
        for name in ("event", "server_url", "api_url", "graphql_url", "retention_days"):
            del held[name]
        del held["repositoryUrl"], held["triggering_actor"], held["ref_name"]
        held["ref_protected"] = "true" if held["ref_protected"] else "false"
        held["job_workflow_ref"] = workflow_ref(self.world, leaf)
        held["job_workflow_sha"] = leaf.sha
        held["runner_environment"] = "github-hosted"
        return held | ({"environment": environment} if environment else {})


def workflow_ref(world: World, source: Source) -> str:
    """Return how GitHub names a workflow file at a ref."""
    return f"{world.organisation.login}/{source.repo.name}/{source.path}@{source.ref}"
