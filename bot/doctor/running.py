"""Asks every question at once; a silent vendor costs its own checks their deadline, nobody else."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

from provisioning.diagnosis import Check, Verdict, problem, skipped
from provisioning.errors import SciclopsError

AT_ONCE = 16
"""Questions under way at each system: enough for every workspace, below any rate limit."""


@dataclass(frozen=True)
class Result:
    """A check's verdict."""

    system: str
    name: str
    verdict: Verdict


def run(checks: Sequence[Check], seconds: float) -> tuple[Result, ...]:
    """Return the result of every check, in order; each has `seconds` from the moment it is asked.

    A check comes after the checks it needs.
    """
    return asyncio.run(_run(checks, seconds))


async def _run(checks: Sequence[Check], seconds: float) -> tuple[Result, ...]:
    lanes = {check.system: asyncio.Semaphore(AT_ONCE) for check in checks}
    answers: dict[tuple[str, str], asyncio.Task[Verdict]] = {}
    for check in checks:
        needed = {name: answers[check.system, name] for name in check.needs}
        lane = lanes[check.system]
        answers[check.system, check.name] = asyncio.create_task(
            _in_turn(check, needed, lane, seconds)
        )
    await asyncio.gather(*answers.values())
    return tuple(Result(*which, answer.result()) for which, answer in answers.items())


async def _in_turn(
    check: Check,
    needed: dict[str, asyncio.Task[Verdict]],
    lane: asyncio.Semaphore,
    seconds: float,
) -> Verdict:
    for name, answer in needed.items():
        if (await answer).level in ("problem", "skipped"):
            return skipped(f"not looked at: first mend “{name}”")
    async with lane:
        future = asyncio.wrap_future(_in_background(check.ask))
        done, _ = await asyncio.wait({future}, timeout=seconds)
    if not done:
        return problem(f"no answer within {seconds:g} s", check.silence)
    error = future.exception()
    return future.result() if error is None else _of_error(error)


def _of_error(error: BaseException) -> Verdict:
    if isinstance(error, SciclopsError):
        return problem(str(error), "See above, and try again.")
    # Its text might hold anything, so it isn't shown.
    return problem(
        f"the check itself broke ({type(error).__name__})",
        "Please report this: the bot should have known this situation.",
    )


def _in_background(ask: Callable[[], Verdict]) -> Future[Verdict]:
    """Ask in a thread that nobody waits for: the program ends although a vendor is silent."""
    future: Future[Verdict] = Future()

    def work() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            future.set_exception(error)

    Thread(target=work, name="doctor", daemon=True).start()
    return future
