"""What is said to who comes too early offers only what is possible."""

from typing import Any

import pytest
from test_run_message import a_run

from provisioning.operation import CANCELLABLE, OPEN, Facts, Trouble
from provisioning.operation_kinds import RECONCILE, UNTOUCHED, left_behind
from provisioning.refusals import busy
from provisioning.run_message import run_notice
from provisioning.text import plain


@pytest.mark.parametrize("phase", [*CANCELLABLE, "waiting"])
def test_what_can_be_cancelled_may_be_waited_for_or_cancelled(phase: str) -> None:
    assert "Wait for its end or cancel it, and ask again." in busy(a_run(phase))


@pytest.mark.parametrize("phase", [*OPEN, "revoking", "verifying", "undeploying"])
def test_what_cannot_be_cancelled_is_waited_for(phase: str) -> None:
    assert "Wait for its end, and ask again." in busy(a_run(phase))


@pytest.mark.parametrize(
    ("touched", "says"), [(False, UNTOUCHED), (True, "a part of it may be planned back already")]
)
def test_a_failed_reconciliation_speaks_of_no_clean_up(*, touched: bool, says: str) -> None:
    facts: dict[str, Any] = {"made": True, "touched": touched}
    failed = a_run("failed", **facts).model_copy(update={"kind": RECONCILE.name})
    trouble = Trouble(step="Applying", what="No.", left_behind=left_behind(failed))
    told = failed.model_copy(update={"facts": Facts(trouble=trouble, **facts)})
    notice = run_notice(told)
    said = " ".join([notice.summary, *map(plain, notice.body)])
    assert says in said
    assert "clean up" not in said.lower()
    assert [button.label for button in notice.buttons] == ["Retry"]
