"""State in PostgreSQL, with a real server: several projects, several machines."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from databases import PostgreSQL
from terraform_workshop import Onlooker, Workshop
from waiting import wait_until

from provisioning.errors import PermanentError, TemporaryError
from provisioning.runs import Counts

EACH = 'module.work.terraform_data.each["{}"]'


@pytest.fixture
def state_url(postgresql: PostgreSQL) -> str:
    return f"{postgresql.new_database()}?sslmode=disable"


def machine(folder: Path, state_url: str) -> Workshop:
    folder.mkdir(exist_ok=True)
    return Workshop(folder, options={"state_url": state_url})


def test_state_in_a_database_is_seen_from_another_machine(tmp_path: Path, state_url: str) -> None:
    here, there = (machine(tmp_path / name, state_url) for name in ("here", "there"))
    assert there.engine.addresses("ada") == frozenset()
    here.make()
    assert there.engine.addresses("ada") == {EACH.format(name) for name in "ab"}
    assert there.engine.outputs("ada") == {"names": ["a", "b"]}
    assert there.engine.outputs("grace") == {}
    there.prepare()
    assert there.planned(run="elsewhere").changes == ()
    assert not list(tmp_path.rglob("terraform.tfstate.d"))


def test_projects_that_begin_at_once_do_not_collide(tmp_path: Path, state_url: str) -> None:
    workshop = machine(tmp_path / "here", state_url)
    names = [f"project-{number}" for number in range(4)]
    plans: dict[str, Counts] = {}

    def begin(name: str) -> None:
        workshop.prepare(name)
        plans[name] = workshop.planned(name).counts

    threads = [threading.Thread(target=begin, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plans == dict.fromkeys(names, Counts(add=2))


def test_who_meets_the_lock_for_new_workspaces_tries_again(tmp_path: Path, state_url: str) -> None:
    workshop = machine(tmp_path / "here", state_url)
    workshop.prepare("ada")
    with psycopg.connect(state_url, autocommit=True) as other, ThreadPoolExecutor(1) as thread:
        other.execute("select pg_advisory_lock(-1)")
        planning = thread.submit(workshop.planned, "ada")
        wait_until(lambda: [*tmp_path.rglob("workspace-*.0/ended.json")], 30)
        other.execute("select pg_advisory_unlock(-1)")
        assert planning.result().counts == Counts(add=2)


def test_an_empty_project_leaves_nothing_in_the_database(tmp_path: Path, state_url: str) -> None:
    workshop = machine(tmp_path / "here", state_url)
    workshop.make()
    with pytest.raises(PermanentError, match="2 resources"):
        workshop.engine.forget("ada")
    workshop.planned(run="two", destroy=True)
    assert workshop.engine.apply("ada", "two", Onlooker()).ending == "succeeded"
    workshop.engine.forget("ada")
    workshop.make(run="three")


def test_a_server_that_is_away_is_a_matter_of_time(tmp_path: Path) -> None:
    away = "postgresql://sciclops@127.0.0.1:1/state?sslmode=disable"
    workshop = machine(tmp_path / "here", away)
    workshop.prepare()
    with pytest.raises(TemporaryError):
        workshop.engine.addresses("ada")
