"""What somebody hears who asked for a deployment that GitHub did not begin."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast

from provisioning.dispatching import Dispatching
from provisioning.errors import TemporaryError
from provisioning.store import Store


class Away:
    """Steps while GitHub does not answer for longer than the engine is patient."""

    def do(self, name: str, effect: Callable[..., Any], /, *args: Any) -> Any:
        """Fail what asks GitHub."""
        if name in ("dispatch", "rerun"):
            raise TemporaryError("GitHub did not answer (could not start the workflow)")
        return effect(*args)


def test_who_asked_hears_that_github_was_away_for_too_long(each_store: Store) -> None:
    parts = dict.fromkeys((field.name for field in fields(Dispatching)), None)
    dispatching = Dispatching(**cast("Any", parts | {"store": each_store}))
    asked = {"project": "ada-7", "run": 7, "by": "U0GRACE"}
    for part in ("dispatch.begin", "dispatch.rerun"):
        each_store.memos.set(f"dispatch:{part}", asked)
        dispatching.workflows()[part](cast("Any", Away()), part)
        told = each_store.messages.get(f"dispatch:{part}:refused")
        assert told is not None
        assert told.recipient == "U0GRACE"
        assert "GitHub did not answer" in str(told.content)
