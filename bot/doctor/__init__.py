"""`sciclops doctor`: everything in the settings, checked against the live systems.

Each system's questions are in a module of their own; vendors' are beside their adapters.
"""

from bot.doctor.examination import checks_of, examine
from bot.doctor.report import as_json, as_text, is_healthy
from bot.doctor.running import Result

__all__ = ["Result", "as_json", "as_text", "checks_of", "examine", "is_healthy"]
