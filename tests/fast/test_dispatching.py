"""What GitHub is asked for somebody, and what they hear if it did not begin that."""

from collections.abc import Callable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr
from test_deployment_message import stopped_at

from provisioning.dispatching import Dispatching
from provisioning.errors import TemporaryError
from provisioning.store import Store
from provisioning.workflow_run import COMPARISON


class Away:
    """Steps while GitHub does not answer for longer than the engine is patient."""

    def do(self, name: str, effect: Callable[..., Any], /, *args: Any) -> Any:
        """Fail what asks GitHub."""
        if name in ("dispatch", "rerun"):
            raise TemporaryError("GitHub did not answer (could not start the workflow)")
        return effect(*args)


def a_dispatching(**parts: object) -> Dispatching:
    """Return one that has these parts alone."""
    missing = dict.fromkeys((field.name for field in fields(Dispatching)), None)
    return Dispatching(**cast("Any", missing | parts))


def test_who_asked_hears_that_github_was_away_for_too_long(each_store: Store) -> None:
    dispatching = a_dispatching(store=each_store)
    asked = {"project": "ada-7", "run": 7, "by": "U0GRACE"}
    for part in ("dispatch.begin", "dispatch.rerun"):
        each_store.memos.set(f"dispatch:{part}", asked)
        dispatching.workflows()[part](cast("Any", Away()), part)
        told = each_store.messages.get(f"dispatch:{part}:refused")
        assert told is not None
        assert told.recipient == "U0GRACE"
        assert "GitHub did not answer" in str(told.content)


@pytest.mark.parametrize(("step", "whole"), [(COMPARISON, True), ("Deploy", False)])
def test_the_whole_run_is_repeated_only_where_a_new_plan_is_needed(
    each_store: Store, step: str, *, whole: bool
) -> None:
    asked: list[tuple[str, int, bool]] = []

    def rerun(project: str, run: int, _: SecretStr, *, whole: bool) -> None:
        asked.append((project, run, whole))

    def start(name: str, key: str, **_: object) -> None:
        steps = SimpleNamespace(do=lambda _, effect, *args: effect(*args))
        dispatching.workflows()[name](cast("Any", steps), key)

    dispatching = a_dispatching(
        store=each_store,
        engine=SimpleNamespace(start=start),
        dispatches=SimpleNamespace(rerun=rerun),
        linking=SimpleNamespace(login_of=str, token_of=SecretStr),
    )
    each_store.workflow_runs.see("ada-7", stopped_at(step))
    assert dispatching.rerun("7", "1", by="U0GRACE", key="key") == "ada-7"
    assert asked == [("ada-7", 7, whole)]
