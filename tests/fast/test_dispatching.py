"""What GitHub is asked for somebody, and what they hear if it did not begin that."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr
from test_deployment_message import stopped_at

from provisioning.clock import MovableClock
from provisioning.dispatching import Dispatching
from provisioning.errors import TemporaryError, UserError
from provisioning.store import Store
from provisioning.workflow_run import COMPARISON


class Away:
    """Steps while GitHub does not answer for longer than the engine is patient."""

    def do(self, name: str, effect: Callable[..., Any], /, *args: Any) -> Any:
        """Fail what asks GitHub."""
        if name in ("dispatch", "rerun"):
            raise TemporaryError("GitHub did not answer (could not start the workflow)")
        return effect(*args)


@dataclass
class Repeating:
    """GitHub that may be asked to repeat attempts of runs."""

    asked: list[tuple[int | None, bool]] = field(default_factory=list)

    def rerun(
        self, project: str, run: int, token: SecretStr, attempt: int | None, *, whole: bool
    ) -> None:
        """Note which attempt is to be repeated, and whether from its beginning."""
        del project, run, token
        self.asked.append((attempt, whole))


@pytest.mark.parametrize(("step", "whole"), [(COMPARISON, True), ("Deploy", False)])
def test_a_rerun_is_of_the_attempt_that_had_failed_whatever_has_happened_since(
    each_store: Store, step: str, *, whole: bool
) -> None:
    each_store.workflow_runs.see("ada-7", stopped_at(step))
    begun: list[str] = []
    engine = SimpleNamespace(start=lambda _, dispatch, **_named: begun.append(dispatch))
    linking = SimpleNamespace(login_of=lambda _: "grace-h", token_of=lambda _: SecretStr("t"))
    steps = SimpleNamespace(do=lambda _, effect, *args: effect(*args))
    github = Repeating()
    dispatching = Dispatching(
        each_store, cast("Any", engine), cast("Any", github), cast("Any", linking), MovableClock()
    )
    for key in ("click:1", "click:2"):
        dispatching.rerun("7", "1", by="U0GRACE", key=key)
    each_store.workflow_runs.see("ada-7", stopped_at(step).model_copy(update={"attempt": 2}))
    for dispatch in begun:
        dispatching.workflows()["dispatch.rerun"](cast("Any", steps), dispatch)
    assert github.asked == [(1, whole), (1, whole)]
    with pytest.raises(UserError, match="begun again since"):
        dispatching.rerun("7", "1", by="U0GRACE", key="click:3")


def test_who_asked_hears_that_github_was_away_for_too_long(each_store: Store) -> None:
    parts = dict.fromkeys((part.name for part in fields(Dispatching)), None)
    dispatching = Dispatching(**cast("Any", parts | {"store": each_store}))
    asked = {"project": "ada-7", "run": 7, "by": "U0GRACE"}
    for part in ("dispatch.begin", "dispatch.rerun"):
        each_store.memos.set(f"dispatch:{part}", asked)
        dispatching.workflows()[part](cast("Any", Away()), part)
        told = each_store.messages.get(f"dispatch:{part}:refused")
        assert told is not None
        assert told.recipient == "U0GRACE"
        assert "GitHub did not answer" in str(told.content)
