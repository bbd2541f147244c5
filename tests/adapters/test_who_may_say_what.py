"""The table of rights in docs/security.md is what happens: each command, said by each person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import Any, cast

import pytest
from doctor_patient import Patient, patient
from documents import read
from rows import NOON, a_spec, an_approval, an_operation

from bot.dispatch import COMMANDS, dispatch
from bot.wiring import build
from commands.command import Request, Services
from playground import cast as people
from provisioning.engine import Engine
from provisioning.errors import SciclopsError, UserError
from provisioning.tables import ProjectRow

__all__ = ["patient"]

PEOPLE = {
    "member": people.SAM.slack,
    "requester": people.ADA.slack,
    "owner": people.GRACE.slack,
    "platform": people.PAT.slack,
}
SAID = {
    "cancel": "cancel {run}",
    "cleanup": "cleanup {run}",
    "comment": "comment {run}",
    "confirm": "confirm {run} 0123456789ab",
    "consent": "consent {run}.data yes",
    "discard": "discard {run}",
    "lock": "lock {project} nobody touches it today",
    "rerun": "rerun 1",
    "retry": "retry {run}",
    "secret": "secret add {project}",
    **{alone: alone for alone in ("new", "list", "link", "unlink", "approvals", "help")},
}
"""What is typed; of other commands the name and the project's."""
ELSEWHERE = ("release", "break-glass")
"""Whose rights are those of gates: tests/fast/test_release_gates.py tries them."""
NOT_THEIRS = re.compile(r"Not done: only |Only |Nobody consents ")
"""How refusals begin that are about who somebody is."""
NUMBERS = count(1)


@dataclass
class Idle:
    """An engine that takes work and does none."""

    started: list[str] = field(default_factory=list)

    def start(self, name: str, operation: str, *, project: str, part: str) -> bool:
        """Note what is to be done."""
        self.started.append(f"{name} {operation} {project} {part}")
        return True


def table() -> Mapping[str, Mapping[str, str]]:
    """Return what the document says: command to person to yes, no, or –."""
    found = re.search(
        r"<!-- rights -->\n(.*?)<!-- /rights -->", read("docs/security.md"), re.DOTALL
    )
    assert found is not None
    head, _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()
    )
    assert head[1:-1] == list(PEOPLE)
    return {row[0].strip("`"): dict(zip(PEOPLE, row[1:-1], strict=True)) for row in rows}


TABLE = table()


@pytest.fixture(scope="module")
def services(patient: Patient) -> Services:
    """Return what commands ask, of a bot that works on nothing."""
    found, engine = build(patient.settings, patient.world.clock).services, cast("Engine", Idle())
    return replace(
        found,
        policy=found.policy.model_copy(update={"authentication": "secret"}),
        checking=replace(found.checking, engine=engine),
        drift=replace(found.drift, engine=engine),
    )


def a_living_project(services: Services) -> Mapping[str, str]:
    """Make a sandbox that Ada has asked for and Grace owns, and its run; return both names."""
    name = f"matrix-{next(NUMBERS)}"
    run = an_operation(f"run-{name}", name, by=PEOPLE["requester"])
    until = date.fromisoformat("2026-12-24")
    spec = a_spec(name, PEOPLE["owner"]).model_copy(update={"sandbox_until": until})
    row: dict[str, Any] = {"name": name, "state": "reserved", "requested_by": run.requested_by}
    project = ProjectRow(**row, spec=spec.model_dump(mode="json"), created_at=NOON)
    run.request = project.spec
    services.store.projects.reserve_and_begin(project, run)
    question = an_approval(f"{run.id}.data", run.id, question="data|gbx1_prod.sales|read")
    question.approvers = ["S0DATAOWN"]
    services.store.approvals.ask(question)
    services.store.operations.end(run.id, "ready")
    services.store.projects.become(name, "ready")
    return {"project": name, "run": run.id}


def refusal(services: Services, command: str, who: str) -> str:
    """Say a command about a project of its own; return the refusal, if it is about who says it."""
    typed = SAID.get(command, f"{command} {{project}}").format(**a_living_project(services))
    request = Request(who, "C0SCICLOPS", tuple(typed.split()), f"{who}:{typed}")
    try:
        dispatch(request, services)
    except UserError as refused:
        return str(refused) if NOT_THEIRS.match(str(refused)) else ""
    except SciclopsError:
        return ""  # a vendor does not know the project: it was asked
    return ""


def test_the_table_has_every_command() -> None:
    assert set(TABLE) == set(COMMANDS), "add a row to docs/security.md, and to SAID what is typed"
    assert {command for command in TABLE if "–" in TABLE[command].values()} == set(ELSEWHERE)


@pytest.mark.parametrize("command", sorted(set(TABLE) - set(ELSEWHERE)))
def test_who_may_say_it_is_as_documented(
    command: str, services: Services, patient: Patient
) -> None:
    patient.world.clock.advance(timedelta(minutes=2))  # Slack's rate limits
    said = {who: refusal(services, command, PEOPLE[who]) for who in PEOPLE}
    assert {who: "no" if why else "yes" for who, why in said.items()} == TABLE[command], said


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_who_has_left_may_say_nothing(command: str, services: Services, patient: Patient) -> None:
    patient.world.clock.advance(timedelta(minutes=2))
    assert refusal(services, command, people.GONE.slack).startswith("Only full members")


def test_an_owner_of_the_data_may_consent(services: Services) -> None:
    assert refusal(services, "consent", people.DORA.slack) == ""
