"""What is said of a project that is not there: never that there was none, where there was one."""

import pytest
from rows import a_project, an_operation

from provisioning.errors import UserError
from provisioning.living import existing, known, ready
from provisioning.store import Store


@pytest.fixture
def one(store: Store) -> Store:
    """Return a store with one project that is ready."""
    store.projects.reserve_and_begin(a_project(), an_operation())
    store.projects.become("ada-7", "ready")
    return store


@pytest.mark.parametrize("typed", ["Ada-7", "ADA-7", "ada-7,", "Ada-7."])
def test_a_name_that_a_telephone_has_changed_is_asked_back(one: Store, typed: str) -> None:
    with pytest.raises(UserError, match=f"There is no project “{typed}”. Did you mean ada-7?"):
        known(one, typed)


@pytest.mark.parametrize("typed", ["ada", "ada-8", "da-7", "Eve-1"])
def test_no_other_name_is_guessed(one: Store, typed: str) -> None:
    with pytest.raises(UserError) as refused:
        known(one, typed)
    assert "Did you mean" not in str(refused.value)


def test_a_project_that_is_gone_was_there(one: Store) -> None:
    assert ready(one, "ada-7").name == "ada-7"
    one.projects.become("ada-7", "gone")
    for rule in (existing, ready):
        with pytest.raises(UserError, match="ada-7 is gone: /sciclops status ada-7 shows what it"):
            rule(one, "ada-7")
    assert known(one, "ada-7").state == "gone"
