"""Schemas that hold tables go with a destroy, once the state says that they may; not before."""

import pytest
from made_project import MARKER, SPEC, Project, VendorWorld
from terraform_workshop import Onlooker

from playground.databricks.state import Securable
from provisioning.terraform_root import root_files

SCHEMA = "gbx1_dev.ada_7"


def put_a_table(served: VendorWorld) -> None:
    """Let Development's schema hold a table."""
    securables = served.databricks.world.securables
    kept: Securable = securables["SCHEMA", SCHEMA]
    table = Securable(**{**kept.__dict__, "kind": "TABLE", "full_name": f"{SCHEMA}.sales"})
    securables["TABLE", table.full_name] = table


@pytest.mark.timeout(300)
def test_letting_go_changes_nothing_but_schemas_and_then_all_of_it_goes(
    served: VendorWorld,
) -> None:
    project = Project(served).make()
    put_a_table(served)
    held = served.workspaces.held(SPEC, ())
    assert [(one.kind, one.name, one.inside) for one in held] == [
        ("table", f"{SCHEMA}.sales", True)
    ]
    terraform, watch = project.terraform, Onlooker()
    terraform.prepare(SPEC.name, root_files(SPEC, MARKER, served.context, {}, removes=True))
    confirmed = terraform.plan(SPEC.name, "confirmed", watch, destroy=True)[1]
    schemas = [
        one for one in terraform.addresses(SPEC.name) if one.endswith("databricks_schema.this")
    ]
    let_go = terraform.plan(SPEC.name, "let-go", watch, only=schemas)[1]
    assert confirmed is not None
    assert let_go is not None
    changed = [(one.resource_type, one.action) for one in let_go.changes]
    assert changed == [("databricks_schema", "update")] * len(SPEC.environments())
    assert terraform.apply(SPEC.name, "let-go", watch).ending == "succeeded"
    assert terraform.apply(SPEC.name, "confirmed", watch).stale
    again = terraform.plan(SPEC.name, "again", watch, destroy=True)[1]
    assert again is not None
    assert confirmed.covers(again)
    assert terraform.apply(SPEC.name, "again", watch).ending == "succeeded"
    assert ("SCHEMA", SCHEMA) not in served.databricks.world.securables
    assert served.github.repos[SPEC.name].archived
    assert served.workspaces.held(SPEC, ()) == ()
