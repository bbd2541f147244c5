"""What the command refuses in a bundle, and in which words."""

from collections.abc import Iterator

import pytest
from bundle_workshop import Workshop, workshop

HEAD = "bundle: {name: odd}\n"
DEV = HEAD + "targets: {development: {mode: development}}\n"
OWN = "/Workspace/Users/${workspace.current_user.userName}/x"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with workshop(tmp_path_factory.mktemp("refusals")) as held:
        yield held


@pytest.fixture
def shop(shared: Workshop) -> Workshop:
    for file in shared.project.rglob("*.yml"):
        file.unlink()
    return shared


def job(body: str) -> str:
    return f"resources: {{jobs: {{j: {body}}}}}\n"


REFUSED = [
    ("", "required field name is not set: bundle.name"),
    (HEAD + "include: [no.yml]\n", "does not match any files"),
    (HEAD + "include: [/etc/x.yml]\n", "includes must be relative"),
    (HEAD + "[", "failed to parse databricks.yml"),
    (HEAD + "targets: {a: {}, b: {}}\n", "please specify target"),
    (HEAD + "targets: {a: {default: true}, b: {default: true}}\n", "multiple targets are marked"),
    (HEAD + "targets: {a: {mode: develop}}\n", "unsupported value 'develop'"),
    (HEAD + "targets: {a: {mode: production}}\n", "must set 'workspace.root_path'"),
    (DEV + "presets: {trigger_pause_status: UNPAUSED}\n", "cannot set trigger pause status"),
    (DEV + 'presets: {name_prefix: "[dev x] "}\n', "should have a name_prefix that contains"),
    (DEV + "workspace: {root_path: /Workspace/Shared/x}\n", "must use a root_path that contains"),
    (DEV + "variables: {catalog: {}}\n", "no value assigned to required variable catalog"),
    (DEV + "variables: {x: {lookup: {cluster_policy: none}}}\n", "failed to resolve cluster_pol"),
    (DEV + "variables: {x: {lookup: {moon: none}}}\n", "lookup of moon is not supported"),
    (DEV + job('{name: "${var.no}"}'), "reference does not exist: ${var.no}"),
    (DEV + job('{name: "${bundle.no}"}'), "reference does not exist: ${bundle.no}"),
    (DEV + job('{name: "${resources.jobs.no.id}"}'), "reference does not exist"),
    (DEV + job("{name: x, max_concurrent_runs: many}"), "resources.jobs.j"),
    (DEV + job("{name: x, colour: red}"), None),
    (DEV + "resources: {moons: {m: {name: x}}}\n", "not supported"),
    (DEV + "permissions: [{level: CAN_FLY, user_name: x}]\n", "invalid permission: CAN_FLY"),
    (DEV + "permissions: [{level: CAN_VIEW}]\n", "exactly one of"),
    (DEV + "run_as: {}\n", "exactly one identity"),
    (HEAD + "targets: {a: {variables: {x: 1}}}\n", "variable x is not defined"),
    (
        HEAD + f"targets: {{a: {{mode: production, workspace: {{root_path: '{OWN}'}}}}}}\n"
        "resources: {pipelines: {p: {name: p, development: true}}}\n",
        "'development: true'",
    ),
    (
        DEV
        + "variables: {x: {default: '${var.y}'}, y: {default: '${var.x}'}}\n"
        + job('{name: "${var.x}"}'),
        "cycle detected",
    ),
]


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_a_bundle_that_is_wrong_is_refused(
    shop: Workshop, text: str, complaint: str | None
) -> None:
    shop.write({"databricks.yml": text})
    said = shop.run("bundle", "validate")
    if complaint is None:
        assert (said.code, "Found 1 warning" in said.out) == (0, True), said.err
        assert "Unexpected field 'colour'" in said.err
        return
    assert (said.code, said.err.startswith("Error: ")) == (1, True), said.out + said.err
    assert complaint in said.err


def test_a_warning_is_an_error_where_everything_must_be_right(shop: Workshop) -> None:
    shop.write({"databricks.yml": DEV + job("{name: x, colour: red}")})
    assert shop.run("bundle", "validate", "--strict").code == 1


def test_targets_and_variables_that_nobody_declared_are_refused(shop: Workshop) -> None:
    shop.write({"databricks.yml": DEV})
    said = shop.run("bundle", "validate", "-t", "prod")
    assert (said.code, said.err) == (
        1,
        "Error: prod: no such target. Available targets: development\n",
    )
    assert "has not been defined" in shop.run("bundle", "validate", "--var", "x=1").err


def test_the_same_key_in_two_files_is_refused(shop: Workshop) -> None:
    shop.write(
        {
            "databricks.yml": DEV + "include: [resources/*.yml]\n",
            "resources/a.yml": job("{name: a}"),
            "resources/b.yml": job("{name: b}"),
        }
    )
    assert "multiple resources" in shop.run("bundle", "validate").err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("bundle", "fly"), "invalid choice: 'fly'"),
        (("bundle", "deploy", "--colour"), "unrecognized arguments: --colour"),
        (("bundle", "run", "nothing"), "no such resource: nothing"),
        (("bundle", "run", "j"), "job is not deployed: j"),
        (("bundle", "run", "e"), "cannot be run"),
        (("bundle", "deploy", "--plan", "none.json"), "failed to read the plan"),
        (("api", "post", "/x", "--json", "["), "error parsing --json"),
        (("bundle", "validate", "--var", "x"), "unexpected flag value"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    shop: Workshop, words: tuple[str, ...], complaint: str
) -> None:
    resources = "resources: {jobs: {j: {name: j}}, experiments: {e: {name: /Workspace/Shared/e}}}\n"
    shop.write({"databricks.yml": DEV + resources})
    said = shop.run(*words)
    assert (said.code, complaint in said.err) == (1, True), said.err


def test_without_a_bundle_there_is_nothing_to_do(shop: Workshop) -> None:
    assert "unable to locate bundle root" in shop.run("bundle", "validate").err


def test_destroying_asks_first(shop: Workshop) -> None:
    shop.write({"databricks.yml": DEV + job("{name: j}")})
    shop.bundle("deploy")
    said = shop.run("bundle", "destroy")
    assert (said.code, "--auto-approve" in said.err) == (1, True)
    assert shop.jobs() == ["[dev ada_7_development] j"]
    shop.bundle("destroy", "development", "--auto-approve")


def test_a_cluster_policy_of_somebody_else_stops_the_deployment(shop: Workshop) -> None:
    policy = next(iter(shop.standin.databricks.workspace("gbx1", "development").policies))
    clusters = f"job_clusters: [{{job_cluster_key: main, new_cluster: {{policy_id: {policy}}}}}]"
    shop.write({"databricks.yml": DEV + job(f"{{name: j, {clusters}}}")})
    said = shop.run("bundle", "deploy")
    assert (said.code, "not authorized to use cluster policy" in said.err) == (1, True), said.err
    assert "cannot create resources.jobs.j" in said.err
