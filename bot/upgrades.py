"""Puts together what upgrades projects; it belongs to the wiring and builds no adapter."""

from dataclasses import dataclass

from provisioning.fleet import Fleet
from provisioning.offering_parts import OfferingParts
from provisioning.ports import People
from provisioning.requesting import Requesting
from provisioning.sweeps import Sweep
from provisioning.upgrade_ports import TemplateUpgrades
from provisioning.upgrading import LOOK_EVERY, Upgrading
from provisioning.workflows.create_project import CreateProject
from provisioning.workflows.upgrade_project import UpgradeProject


@dataclass(frozen=True)
class Upgrades:
    """What knows which projects are behind, upgrades one, and upgrades all."""

    upgrading: Upgrading
    fleet: Fleet
    workflow: UpgradeProject

    def sweeps(self) -> dict[str, Sweep]:
        """Return what is done from time to time."""
        return {
            "sweep.fleet": (LOOK_EVERY / 2, self.fleet.drive),
            "sweep.upgrades": (LOOK_EVERY, self.upgrading.sweep),
        }


def upgrades_of(
    making: CreateProject, github: TemplateUpgrades, people: People, requesting: Requesting
) -> Upgrades:
    """Put it together from what makes projects."""
    steps, verifying, modules = making.run_steps, making.verifying, making.terraform.modules
    store, policy, clock = steps.store, steps.policy, steps.clock
    upgrading = Upgrading(store, github, verifying.templates, people, policy, clock, modules)
    fleet = Fleet(store, upgrading, requesting, policy, clock)
    offering = OfferingParts(steps, github, verifying, upgrading.look)
    workflow = UpgradeProject(
        steps, making.terraform, making.secrets, making.rules, offering, fleet.ended
    )
    return Upgrades(upgrading, fleet, workflow)
