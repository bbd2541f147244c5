"""Logs for machines and people: one entry each, what it is about, and no secret in any of them."""

import json
import logging
import sys
import threading
from copy import copy
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

from provisioning.log_context import known
from provisioning.ports import Redactor

QUIET = ("slack_bolt", "slack_sdk", "aiohttp.access", "apscheduler", "databricks.sdk", "urllib3")
"""Their chatter is of no use in production, and some would log request bodies."""

log = logging.getLogger(__name__)


class RedactingFormatter(logging.Formatter):
    """A line for people; those that follow it (tracebacks, or what somebody typed) are indented.

    Every known or likely secret is taken out.
    """

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(threadName)s%(about)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted text."""
        about = " ".join(f"{name}={value}" for name, value in known().items())
        record = _legible(record)
        record.about = f" [{about}]" if about else ""
        return "\n    ".join(self._redact(super().format(record)).splitlines())


class JsonFormatter(logging.Formatter):
    """A JSON object on one line: time, level, logger, thread, message, error and context."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; each text in it is redacted by itself, so that it stays JSON."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName or "",
            "message": _legible(record).getMessage(),
            **known(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            entry["stack"] = record.stack_info
        redacted = {name: self._redact(text) for name, text in entry.items()}
        return json.dumps(redacted, ensure_ascii=False)


def _legible(record: logging.LogRecord) -> logging.LogRecord:
    """Return the record, or one without its values where they do not fit its text."""
    try:
        record.getMessage()
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        record = copy(record)
        record.msg = f"{record.msg} (its values are left out: {type(error).__name__})"
        record.args = ()
    return record


def set_up(
    redact: Redactor, form: Literal["text", "json"] = "text", level: int = logging.INFO
) -> None:
    """Send all logs to standard error, redacted, and with them what nobody has caught."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(JsonFormatter(redact) if form == "json" else RedactingFormatter(redact))
    logging.basicConfig(level=level, handlers=[out], force=True)
    logging.captureWarnings(capture=True)
    # What cannot be formatted at all would be written to the console as it is.
    logging.raiseExceptions = False
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A pool that is full for a moment is no trouble: the connection is made anew next time.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    log.critical("the process ends", exc_info=(kind, error, trace))


def _log_thread(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else "a thread"
    if died.exc_value:
        log.error(
            "%s ended unexpectedly",
            name,
            exc_info=(died.exc_type, died.exc_value, died.exc_traceback),
        )
