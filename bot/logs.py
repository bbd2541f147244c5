"""Logs for machines and people: one line each, and no secret in any of them."""

import logging
import sys

from provisioning.ports import Redactor

QUIET = ("slack_bolt", "slack_sdk", "aiohttp.access", "apscheduler", "databricks.sdk", "urllib3")
"""Their chatter is of no use in production, and some would log request bodies."""


class RedactingFormatter(logging.Formatter):
    """Formats a record, with its traceback, and takes out every known or likely secret."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(threadName)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        return self._redact(super().format(record))


def set_up(redact: Redactor, level: int = logging.INFO) -> None:
    """Send all logs to standard error, redacted."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(RedactingFormatter(redact))
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A pool that is full for a moment is no trouble: the connection is made anew next time.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
