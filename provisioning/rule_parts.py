"""The steps that let our App's rule hold the gated environments, where it is the gate."""

from dataclasses import dataclass

from provisioning.deployment_ports import RuleGate
from provisioning.engine import Steps
from provisioning.run_steps import RunSteps


@dataclass(frozen=True)
class RuleParts:
    """The steps; each environment has one of its own, and enabling twice changes nothing."""

    run_steps: RunSteps
    rule: RuleGate

    def enable(self, steps: Steps, run: str) -> None:
        """Hold every gated environment before there is any code to deploy to it."""
        for name in steps.do("find what the rule holds", self.ruled, run):
            steps.do(f"enable the rule of {name}", self.hold, run, name)

    def ruled(self, run: str) -> tuple[str, ...]:
        """Return the environments that the rule holds; none with GitHub's reviewers as the gate."""
        spec = self.run_steps.load(run).spec
        return tuple(each.name for each in self.run_steps.policy.ruled(spec))

    def hold(self, run: str, name: str) -> None:
        """Enable the rule on one environment."""
        self.rule.enable(self.run_steps.load(run).project, name)
