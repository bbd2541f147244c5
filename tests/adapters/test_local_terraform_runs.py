"""Plan, confirm, apply that plan: with the real Terraform, without any provider."""

import json
import re
import threading
import zipfile
from functools import partial
from pathlib import Path

import pytest
from terraform_workshop import Gate, InThread, Onlooker, Workshop, path_without_terraform

from provisioning.errors import PermanentError
from provisioning.runs import Counts
from provisioning.terraform_root import literal

EACH = 'module.work.terraform_data.each["{}"]'


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_plan_says_what_it_will_do_and_its_apply_does_just_that(workshop: Workshop) -> None:
    workshop.prepare(names=["a", "b", "c"])
    onlooker = Onlooker()
    outcome, plan = workshop.engine.plan("ada", "one", onlooker)
    assert plan is not None
    assert outcome.ending == "succeeded"
    assert plan.counts == outcome.counts == Counts(add=3)
    assert {change.action for change in plan.changes} == {"create"}
    assert {change.address for change in plan.changes} == {EACH.format(n) for n in "abc"}
    assert plan.terraform.startswith("1.")
    assert workshop.engine.addresses("ada") == frozenset()

    onlooker.told.clear()
    applied = workshop.engine.apply("ada", "one", onlooker)
    assert (applied.ending, applied.counts) == ("succeeded", Counts(add=3))
    assert {progress.total for progress in onlooker.told} == {3}
    assert workshop.engine.addresses("ada") == {EACH.format(n) for n in "abc"}
    assert (onlooker.told[-1].done, onlooker.told[-1].total) == (3, 3)
    assert workshop.engine.started("ada") == workshop.engine.addresses("ada")


def test_a_finished_run_answers_the_same_again_and_does_nothing(workshop: Workshop) -> None:
    first = workshop.make()
    later = workshop.another_engine()
    again, plan = later.plan("ada", "one", Onlooker())
    assert plan == first
    applied = later.apply("ada", "one", Onlooker())
    assert (again.ending, applied.ending, applied.counts) == (
        "succeeded",
        "succeeded",
        Counts(add=2),
    )
    assert workshop.planned(run="two").changes == ()


def test_the_same_request_has_the_same_digest_and_another_has_not(workshop: Workshop) -> None:
    workshop.prepare()
    one, two = workshop.planned(run="one"), workshop.planned(run="two")
    assert (one.digest, one.inputs) == (two.digest, two.inputs)
    workshop.prepare(names=["a", "x"])
    other = workshop.planned(run="three")
    assert other.digest != one.digest
    assert other.inputs != one.inputs
    assert not one.covers(other)


def test_outputs_leave_out_what_is_sensitive(workshop: Workshop) -> None:
    assert workshop.engine.outputs("ada") == {}
    workshop.make(password="correct horse")
    assert workshop.engine.outputs("ada") == {"names": ["a", "b"]}


def test_a_plan_that_something_else_has_overtaken_is_stale_and_changes_nothing(
    workshop: Workshop,
) -> None:
    workshop.prepare()
    workshop.planned(run="one")
    workshop.planned(run="two")
    assert workshop.engine.apply("ada", "one", Onlooker()).ending == "succeeded"
    overtaken = workshop.engine.apply("ada", "two", Onlooker())
    assert (overtaken.ending, overtaken.stale) == ("failed", True)
    assert overtaken.diagnostics[0].summary == "Saved plan is stale"


def test_a_discarded_plan_can_never_be_applied(workshop: Workshop) -> None:
    workshop.prepare()
    workshop.planned()
    workshop.engine.discard("ada", "one")
    outcome = workshop.engine.apply("ada", "one", Onlooker())
    assert (outcome.ending, outcome.stale) == ("failed", True)
    assert workshop.engine.addresses("ada") == frozenset()


def test_a_failure_names_the_resource_and_the_reason(workshop: Workshop) -> None:
    workshop.prepare(command="echo the disk is full; exit 3")
    workshop.planned()
    outcome = workshop.engine.apply("ada", "one", Onlooker())
    assert (outcome.ending, outcome.counts, outcome.stale) == ("failed", Counts(add=2), False)
    (told,) = outcome.diagnostics
    assert told.severity == "error"
    assert told.address == "module.work.terraform_data.last[0]"
    assert "the disk is full" in told.detail
    assert not list(workshop.data.rglob("*.tfplan"))


def test_a_root_that_cannot_be_planned_fails_with_terraforms_own_words(workshop: Workshop) -> None:
    files = {"main.tf.json": '{"module":{"work":{"source":"./modules"}}}'}
    workshop.engine.prepare("ada", files)
    outcome, plan = workshop.engine.plan("ada", "one", Onlooker())
    assert (outcome.ending, plan) == ("failed", None)
    assert "Missing required argument" in {told.summary for told in outcome.diagnostics}


def test_a_module_that_is_missing_fails_at_initialisation(workshop: Workshop) -> None:
    files = {"main.tf.json": '{"module":{"work":{"source":"./modules/nowhere"}}}'}
    workshop.engine.prepare("ada", files)
    onlooker = Onlooker()
    outcome, _ = workshop.engine.plan("ada", "one", onlooker)
    assert outcome.ending == "failed"
    assert outcome.diagnostics
    assert onlooker.told == []
    workshop.prepare()
    assert workshop.planned(run="two").counts == Counts(add=2)


def test_what_a_person_typed_is_never_evaluated(workshop: Workshop) -> None:
    typed = ['${file("/etc/hostname")}', "%{if true}x%{endif}", '"; rm -rf /', "a\\nb\u202e"]
    workshop.make(names=typed)
    assert workshop.engine.outputs("ada") == {"names": sorted(typed)}


def test_an_import_id_is_never_evaluated(workshop: Workshop) -> None:
    evil = '${file("/etc/hostname")}%{if'
    workshop.prepare(adopt={EACH.format("a"): literal(evil)})
    assert workshop.engine.adopt("ada", "one", Onlooker()).ending == "succeeded"
    workshop.prepare(adopt={EACH.format("b"): literal(evil)})
    workshop.planned(run="two")
    assert workshop.engine.apply("ada", "two", Onlooker()).ending == "succeeded"
    state = (workshop.data / "projects" / "ada" / "root" / "terraform.tfstate").read_text()
    assert state.count(json.dumps(evil)[1:-1]) == 2


def test_nothing_is_planned_before_it_is_prepared(workshop: Workshop) -> None:
    with pytest.raises(PermanentError, match="no root"):
        workshop.engine.plan("ada", "one", Onlooker())


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a b", "x" * 200])
def test_a_name_that_is_no_folder_is_refused(workshop: Workshop, name: str) -> None:
    with pytest.raises(PermanentError, match="folder"):
        workshop.engine.prepare(name, {})
    with pytest.raises(PermanentError, match="folder"):
        workshop.engine.log("ada", name)


def test_only_the_roots_two_files_may_be_written(workshop: Workshop) -> None:
    with pytest.raises(PermanentError, match="evil"):
        workshop.engine.prepare("ada", {"evil.tf": ""})


def test_the_whole_plan_and_the_log_can_be_read_long_after(workshop: Workshop) -> None:
    assert workshop.engine.describe("ada", "one") == ""
    workshop.make()
    later = workshop.another_engine()
    assert 'module.work.terraform_data.each["a"] will be created' in later.describe("ada", "one")
    assert "Plan: 2 to add" in later.describe("ada", "one")
    log = later.log("ada", "one")
    said = [log.index(words) for words in ("Initializing", "Plan to create", "Creating...")]
    assert said == sorted(said)
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \S", line) for line in log.splitlines())


def test_modules_of_a_waiting_project_stay_as_they_were_until_it_is_prepared_again(
    workshop: Workshop,
) -> None:
    workshop.prepare()
    before = workshop.planned(run="one")
    with (workshop.modules / "main.tf").open("a") as module:
        module.write('resource "terraform_data" "new" {}\n')
    unchanged = workshop.planned(run="two")
    assert (unchanged.inputs, unchanged.counts) == (before.inputs, before.counts)
    workshop.prepare()
    changed = workshop.planned(run="three")
    assert changed.inputs != before.inputs
    assert changed.counts == Counts(add=3)


def test_what_exists_already_is_adopted_and_the_rest_is_covered_by_the_first_plan(
    workshop: Workshop,
) -> None:
    workshop.prepare()
    confirmed = workshop.planned(run="one")
    workshop.prepare(adopt={EACH.format("a"): "id-of-a"})
    rest = workshop.planned(run="two")
    assert rest.counts == Counts(add=1, change=1, adopt=1)
    assert rest.digest != confirmed.digest
    assert confirmed.covers(rest)
    assert workshop.engine.apply("ada", "two", Onlooker()).ending == "succeeded"
    assert workshop.engine.addresses("ada") == {EACH.format(n) for n in "ab"}


def test_leftovers_come_into_the_state_alone_so_that_a_destroy_removes_them(
    workshop: Workshop,
) -> None:
    workshop.prepare(adopt={EACH.format("a"): "id-of-a"})
    assert workshop.engine.adopt("ada", "one", Onlooker()).ending == "succeeded"
    assert workshop.engine.addresses("ada") == {EACH.format("a")}
    assert workshop.engine.adopt("ada", "two", Onlooker()).ending == "succeeded"
    plan = workshop.planned(run="three", destroy=True)
    assert [(each.address, each.action) for each in plan.changes] == [(EACH.format("a"), "delete")]
    assert workshop.engine.apply("ada", "three", Onlooker()).ending == "succeeded"
    assert workshop.engine.addresses("ada") == frozenset()


def test_a_project_is_forgotten_only_when_nothing_is_left_of_it(workshop: Workshop) -> None:
    workshop.make()
    with pytest.raises(PermanentError, match="2 resources of ada"):
        workshop.engine.forget("ada")
    workshop.planned(run="two", destroy=True)
    assert workshop.engine.apply("ada", "two", Onlooker()).counts == Counts(remove=2)
    workshop.engine.forget("ada")
    workshop.engine.forget("ada")
    assert not list((workshop.data / "projects").iterdir())
    assert workshop.engine.started("ada") == frozenset()


def test_a_state_that_terraform_could_not_store_is_stored_before_the_next_plan(
    workshop: Workshop,
) -> None:
    workshop.make(names=["a", "b"])
    root = workshop.data / "projects" / "ada" / "root"
    whole = json.loads((root / "terraform.tfstate").read_text())
    (root / "errored.tfstate").write_text(json.dumps(whole | {"serial": whole["serial"] + 9}))
    (root / "terraform.tfstate").write_text(json.dumps(whole | {"resources": [], "outputs": {}}))
    assert workshop.engine.addresses("ada") == frozenset()
    assert workshop.planned(run="two").changes == ()
    assert len(workshop.engine.addresses("ada")) == 2
    assert not (root / "errored.tfstate").exists()


def test_a_state_that_does_not_fit_stops_the_plan_and_is_kept(workshop: Workshop) -> None:
    workshop.make()
    stranded = workshop.data / "projects" / "ada" / "root" / "errored.tfstate"
    stranded.write_text("{}")
    outcome, plan = workshop.engine.plan("ada", "two", Onlooker())
    assert (outcome.ending, plan) == ("failed", None)
    assert outcome.diagnostics[0].detail
    assert stranded.exists()


def test_two_projects_are_applied_at_the_same_time(workshop: Workshop) -> None:
    gates = {name: Gate(workshop.folder, name) for name in ("ada", "grace")}
    for name, gate in gates.items():
        workshop.prepare(name, gate=str(gate.path))
    planners = [threading.Thread(target=workshop.planned, args=(name,)) for name in gates]
    for thread in planners:
        thread.start()
    for thread in planners:
        thread.join()
    applies: dict[str, InThread] = {}
    for name in gates:
        applies[name] = InThread(partial(workshop.engine.apply, name, "one", Onlooker()))
    for gate in gates.values():
        gate.wait_until_reached()
    for gate in gates.values():
        gate.open()
    assert {apply.result().ending for apply in applies.values()} == {"succeeded"}


def test_terraform_from_the_wheel_works_where_no_binary_is_on_the_path(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, search_path=path_without_terraform(tmp_path))
    plan = workshop.make(names=["a"], command="echo done")
    assert plan.counts == Counts(add=2)
    assert plan.terraform == "1.15.5"
    assert workshop.engine.outputs("ada") == {"names": ["a"]}


def pretend_another_version_made(plan: Path, version: str) -> None:
    """Write another version, as long as the true one, into a saved plan: it is a zip file."""
    with zipfile.ZipFile(plan) as saved:
        parts = {name: saved.read(name) for name in saved.namelist()}
    true = version.encode()
    assert true in parts["tfplan"]
    parts["tfplan"] = parts["tfplan"].replace(true, b"9" + true[1:])
    with zipfile.ZipFile(plan, "w") as altered:
        for name, content in parts.items():
            altered.writestr(name, content)


def test_a_plan_of_another_version_of_terraform_is_stale(workshop: Workshop) -> None:
    workshop.prepare()
    plan = workshop.planned()
    (saved,) = workshop.data.rglob("*.tfplan")
    pretend_another_version_made(saved, plan.terraform)
    outcome = workshop.engine.apply("ada", "one", Onlooker())
    assert (outcome.ending, outcome.stale) == ("failed", True)
    assert f"9{plan.terraform[1:]}" in outcome.diagnostics[0].detail
    assert workshop.engine.addresses("ada") == frozenset()


def test_a_binary_that_is_missing_or_no_terraform_is_named_with_a_remedy(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.prepare()
    for binary in (str(tmp_path / "nowhere"), "/bin/true", "/bin/false"):
        engine = workshop.another_engine(binary=binary)
        with pytest.raises(PermanentError, match="Install Terraform") as refusal:
            engine.plan("ada", "one", Onlooker())
        assert binary in str(refusal.value)


def test_a_folder_of_providers_is_all_that_is_asked_where_one_is_given(tmp_path: Path) -> None:
    mirror = tmp_path / 'providers "of ours"'
    mirror.mkdir()
    workshop = Workshop(tmp_path, options={"plugin_mirror": mirror})
    assert workshop.make().counts == Counts(add=2)
    root = {"terraform": {"required_providers": {"github": {"source": "integrations/github"}}}}
    workshop.engine.prepare("grace", {"main.tf.json": json.dumps(root)})
    outcome, _ = workshop.engine.plan("grace", "one", Onlooker())
    assert outcome.ending == "failed"
    assert "of ours" in outcome.diagnostics[0].detail
