"""The list of what waits: no two of its buttons look alike, and each types its own release."""

from test_release import a_release

from commands.approvals import buttons


def test_a_project_is_named_with_its_environment_where_more_of_it_waits() -> None:
    one = a_release(id="rel-1", project="ada-7", environment="gbx1-Production")
    two = a_release(id="rel-2", project="ada-7", environment="gbx2-Production")
    other = a_release(id="rel-3", project="ada-8")
    made = buttons([one, two, other])
    approving = {each.label: each.words[1] for each in made if each.words[-1] == "approve"}
    assert approving == {
        "Approve ada-7 · gbx1-Production · aaaaaaaa": "rel-1",
        "Approve ada-7 · gbx2-Production · aaaaaaaa": "rel-2",
        "Approve ada-8": "rel-3",
    }
    assert len({each.label for each in made}) == len(made)
