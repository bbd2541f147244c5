"""Terraform's providers in the playground, seen from the process that starts them."""

import asyncio
import contextlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from playground.children import Child, Children
from playground.faults import Faults
from playground.terraform.parent import Verdict
from playground.terraform.served import PROVIDERS
from provisioning.clock import Clock

START_SECONDS = 30


class ProvidersDeadError(RuntimeError):
    """The provider process is not there."""


@dataclass
class _Failure:
    resource_type: str
    times: int
    verdict: Verdict


class TerraformProviders:
    """The resident provider process: both providers, attached by `TF_REATTACH_PROVIDERS`.

    It acts on the vendors that a provider block names (`base_url`, `host`), with the App's and the
    service principal's credentials given here. It asks us for the time, so that logins follow a
    clock that is moved, and before every apply which fault it meets: those of `hold`, `fail` and
    `delay`, then the door "terraform", where a fault's pattern is matched with
    `APPLY <resource type>`.
    When our process dies, so does it; when it dies, `start` brings it back on the same ports.
    """

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        *,
        github_app: tuple[str, str, str],
        databricks_client: tuple[str, str],
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._settings: dict[str, Any] = {
            "github_app": github_app,
            "databricks_client": databricks_client,
        }
        self._ports: dict[str, int] = {}
        self._process: Child | None = None
        self._reading: asyncio.Task[None] | None = None
        self._failures: list[_Failure] = []
        self._delays: dict[str, float] = {}
        self._held: set[str] = set()
        self.applying = asyncio.Event()
        """Set as soon as the process has begun an apply since it was started."""

    async def start(self) -> str:
        """Start the process; return the value for TF_REATTACH_PROVIDERS."""
        await self.stop()
        process = await Children.start("playground.terraform")
        self._process = process
        self.applying.clear()
        await self._write(process, self._settings | {"ports": self._ports})
        async with asyncio.timeout(START_SECONDS):
            self._ports = (await self._read(process))["ports"]
        self._reading = asyncio.create_task(self._listen(process))
        return self.reattach

    async def stop(self) -> None:
        """End the process, if it runs; it keeps no state that could be lost."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()
        if self._reading is not None:
            await self._reading

    @property
    def pid(self) -> int:
        """The process id, for tests that stall or kill it."""
        if self._process is None:
            raise ProvidersDeadError("the provider process was not started")
        return self._process.pid

    @property
    def reattach(self) -> str:
        """The value for TF_REATTACH_PROVIDERS."""
        entries = {
            source.address: {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": self.pid,
                "Test": True,
                "Addr": {"Network": "tcp", "String": f"127.0.0.1:{self._ports[source.address]}"},
            }
            for source in PROVIDERS
        }
        return json.dumps(entries)

    def fail(
        self, resource_type: str, times: int, message: str, *, after_effect: bool = False
    ) -> None:
        """Make the next applies of a type (`*`: of any) fail with this diagnostic.

        With `after_effect` the vendor acts first and Terraform does not hear of it.
        """
        self._failures.append(_Failure(resource_type, times, Verdict(0, message, after_effect)))

    def delay(self, resource_type: str, seconds: float) -> None:
        """Make every apply of a type (`*`: of any) take this much longer, until cleared."""
        self._delays[resource_type] = seconds

    def hold(self, resource_type: str) -> None:
        """Let every apply of a type (`*`: of any) wait until cleared."""
        self._held.add(resource_type)

    def clear(self) -> None:
        """Switch all of them off; applies that are held go on, delayed ones wait to the end."""
        self._failures.clear()
        self._delays.clear()
        self._held.clear()

    def _verdict(self, resource_type: str) -> Verdict:
        if self._held & {resource_type, "*"}:
            return Verdict(held=True)
        seconds = self._delays.get(resource_type, self._delays.get("*", 0))
        for failure in self._failures:
            if failure.resource_type in (resource_type, "*"):
                failure.times -= 1
                if failure.times <= 0:
                    self._failures.remove(failure)
                return replace(failure.verdict, seconds=seconds)
        return self._at_the_door(resource_type) or Verdict(seconds)

    def _at_the_door(self, resource_type: str) -> Verdict | None:
        fault = self._faults.take("terraform", "APPLY", resource_type)
        if fault is None:
            return None
        if fault.kind == "delay":
            return Verdict(fault.seconds)
        return Verdict(0, f"injected fault: {fault.kind} {fault.status}", fault.after_effect)

    async def _write(self, process: Child, words: dict[str, Any]) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(words).encode() + b"\n")
        await process.stdin.drain()

    async def _read(self, process: Child) -> dict[str, Any]:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise ProvidersDeadError("the provider process ended; its reason is on stderr")
        words: dict[str, Any] = json.loads(line)
        return words

    async def _listen(self, process: Child) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            words = json.loads(line)
            if words["ask"] == "now":
                answer: Any = self._clock.now().isoformat()
            else:
                answer = asdict(self._verdict(words["about"]))
                self.applying.set()
            with contextlib.suppress(ConnectionError):  # it was killed while it waited
                await self._write(process, {"id": words["id"], "answer": answer})
