"""One job on one machine: act in host mode, in folders and with variables of its own."""

import asyncio
import json
import shutil
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from playground.actions import keeper
from playground.actions.event_stream import EventStream
from playground.actions.rewriting import OUTPUTS_FILE, Result
from playground.github.runs import Conclusion
from playground.github.world import Json

LONGEST_LINE = 64 * 1024 * 1024
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
LABELS = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04")
UV = {
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_NO_CONFIG": "1",
    "UV_NO_PROGRESS": "1",
    "UV_LINK_MODE": "hardlink",
    "UV_NO_EDITABLE": "1",  # an editable build needs one more package, which we don't have
}
"""`UV_DEFAULT_INDEX`, which makes uv find packages without a network, is a job's door."""


NO_TERMINAL = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
    "NO_COLOR": "1",
    "TERM": "dumb",
}
"""act gives steps a terminal, which GitHub's have none of: nothing must ask or page there."""


class NoActError(FileNotFoundError):
    """There is no act in this interpreter's environment."""


@dataclass
class Order:
    """What act is to run: `files` by their path below the job's folder.

    `local` maps what `uses` names (`owner/name@ref`) to a folder, absolute or below the job's.
    """

    event: str
    payload: Json
    caller: str
    actor: str
    files: dict[str, str]
    local: dict[str, str]
    environment: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    path: tuple[Path, ...] = ()


def environment_bin() -> Path:
    """Return where this interpreter's environment has its programs."""
    return Path(sysconfig.get_path("scripts"))


def act() -> Path:
    """Return the act of this interpreter's environment."""
    found = shutil.which("act", path=str(environment_bin()))
    if found is None:
        raise NoActError("There is no `act` beside this Python: install the extra `playground`.")
    return Path(found)


class Machine:
    """A job's folder and process; `stop` interrupts it as GitHub's Cancel does."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._process: asyncio.subprocess.Process | None = None
        self.stopped = False

    async def work(self, order: Order, stream: EventStream) -> Result:
        """Run the job to its end and return how it ended; nothing of it is left on the machine."""
        try:
            await asyncio.to_thread(self._lay_out, order)
            stream.begin()
            complaint = await self._execute(order, stream)
            return self._result(stream, complaint)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, self._folder, True))

    def stop(self) -> None:
        """Ask act to stop; steps that run on a cancellation still do."""
        self.stopped = True
        pipe = self._process.stdin if self._process else None
        if pipe is not None and not pipe.is_closing():
            pipe.write(b"s")

    def _lay_out(self, order: Order) -> None:
        for name in ("home", "tmp", "work"):
            (self._folder / name).mkdir(parents=True)
        self._folder.chmod(0o700)
        written = {
            "event.json": json.dumps(order.payload),
            "env.yml": json.dumps(order.environment | self._own()),
            "secrets.yml": json.dumps(order.secrets),
            "vars.yml": json.dumps(order.variables),
        }
        for name, text in (written | order.files).items():
            place = self._folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def _own(self) -> dict[str, str]:
        cache = {"UV_CACHE_DIR": str(self._cache / "uv"), "UV_PYTHON": sys.executable}
        return UV | cache | {OUTPUTS_FILE: str(self._folder / "outputs.json")}

    def _command(self, order: Order) -> list[str]:
        folder = self._folder
        command = [str(act()), order.event, "--json", "--directory", str(folder / "caller")]
        command += ["--workflows", order.caller, "--eventpath", str(folder / "event.json")]
        command += ["--env-file", str(folder / "env.yml"), "--var-file", str(folder / "vars.yml")]
        command += ["--secret-file", str(folder / "secrets.yml"), "--actor", order.actor]
        command += ["--action-cache-path", str(folder / "work")]
        command += ["--no-cache-server", "--no-skip-checkout"]
        for label in LABELS:
            command += ["--platform", f"{label}=-self-hosted"]
        for used, place in order.local.items():
            command += ["--local-repository", f"{used}={folder / place}"]
        return command

    async def _execute(self, order: Order, stream: EventStream) -> str:
        """Run act below its keeper; return what act complained of outside its events."""
        places = [str(place) for place in (*order.path, environment_bin())]
        environment = {
            "PATH": ":".join((*places, *SYSTEM_PATH)),
            "HOME": str(self._folder / "home"),
            "TMPDIR": str(self._folder / "tmp"),
            "LANG": "C.UTF-8",
        } | NO_TERMINAL
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            keeper.__file__,
            *self._command(order),
            cwd=self._folder,
            env=environment,
            limit=LONGEST_LINE,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if self.stopped:
            self.stop()
        try:
            return await self._listen(self._process, stream)
        finally:
            await self._clear(self._process)

    async def _listen(self, process: asyncio.subprocess.Process, stream: EventStream) -> str:
        output, errors = process.stdout, process.stderr
        if output is None or errors is None:
            raise RuntimeError("the pipes were asked for")
        complaint = asyncio.create_task(errors.read())
        async for line in output:
            stream.take(line)
        return (await complaint).decode(errors="replace")

    async def _clear(self, process: asyncio.subprocess.Process) -> None:
        """Close the keeper's input, on which it kills what is left, and wait for its end."""
        if process.stdin is not None:
            process.stdin.close()
            with suppress(ConnectionError):
                await process.stdin.wait_closed()
        await asyncio.shield(process.wait())

    def _result(self, stream: EventStream, complaint: str) -> Result:
        ended: Conclusion = stream.result or "failure"
        if self.stopped and ended != "success":
            ended = "cancelled"
            stream.say("##[error]The operation was canceled.")
        elif stream.result is None:
            stream.say(f"##[error]{complaint.strip()}")
        stream.end(ended)
        return Result(ended, self._outputs())

    def _outputs(self) -> dict[str, str]:
        try:
            found = json.loads((self._folder / "outputs.json").read_text())
        except (OSError, ValueError):
            return {}
        return {str(name): str(value) for name, value in (found or {}).items()}
