"""A sweep runs once at a time in a process, and nothing that became due meanwhile is forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import wait_until

from provisioning.errors import TemporaryError
from provisioning.sweeps import OneAtATime


def test_who_comes_while_a_sweep_hangs_goes_at_once_and_it_is_done_once_more() -> None:
    began: list[int] = []
    answered = threading.Event()

    def ask_a_vendor() -> None:
        began.append(1)
        assert answered.wait(30)

    sweep = OneAtATime(ask_a_vendor)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sweep)
        wait_until(lambda: bool(began))
        for _ in range(5):
            sweep()
        assert len(began) == 1
        answered.set()
        first.result(30)
    assert len(began) == 2
    sweep()
    assert len(began) == 3


def test_a_sweep_that_fails_is_done_again_when_it_is_due() -> None:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise TemporaryError("away")

    sweep = OneAtATime(fail)
    for _ in range(2):
        with pytest.raises(TemporaryError, match="away"):
            sweep()
    assert len(tries) == 2
