"""The logic of the report. It knows plain Python only, so tests need no Spark and no workspace."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Any

PERIOD = timedelta(days=7)
COLUMNS = ("period_end", "channel", "orders", "amount", "amount_before", "growth")


@dataclass(frozen=True)
class Line:
    """What one channel sold in the period that ends with a day, and in the one before."""

    period_end: date
    channel: str
    orders: int
    amount: float
    amount_before: float

    @property
    def growth(self) -> float | None:
        """Return by which part the amount grew; None if there was nothing before."""
        if not self.amount_before:
            return None
        return round(self.amount / self.amount_before - 1, 4)

    def row(self) -> tuple[object, ...]:
        """Return the line as a row of the report's table."""
        return tuple(getattr(self, column) for column in COLUMNS)


def report(sales: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Sum up sales per channel; the last day that has any ends the period.

    Sales are rows of day, channel, orders and amount. Those without a valid day are left out; a
    number that is missing is nought.
    """
    rows = [(day, row) for row in sales if (day := _day(row["day"]))]
    if not rows:
        return []
    end = max(day for day, _ in rows)
    orders: dict[str, int] = defaultdict(int)
    amounts: dict[str, float] = defaultdict(float)
    before: dict[str, float] = defaultdict(float)
    for day, row in rows:
        channel = str(row["channel"])
        if day > end - PERIOD:
            orders[channel] += int(row["orders"] or 0)
            amounts[channel] += float(row["amount"] or 0)
        elif day > end - 2 * PERIOD:
            before[channel] += float(row["amount"] or 0)
    return [
        Line(end, channel, orders[channel], round(amounts[channel], 2), round(before[channel], 2))
        for channel in sorted({*amounts, *before})
    ]


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def to_csv(lines: Iterable[Line]) -> str:
    """Return the report for a spreadsheet."""
    text = io.StringIO()
    output = csv.writer(text, lineterminator="\n")
    output.writerow(COLUMNS)
    output.writerows(line.row() for line in lines)
    return text.getvalue()


def to_html(title: str, lines: Iterable[Line]) -> str:
    """Return the report as a page that needs nothing else, e.g. to be mailed."""
    lines = list(lines)
    until = f"7 days until {lines[0].period_end}" if lines else "Nothing has been sold yet."
    head = "".join(f"<th>{name}</th>" for name in ("channel", "orders", "amount", "growth"))
    body = "\n".join(
        f"<tr><td>{escape(line.channel)}</td><td>{line.orders:,}</td>"
        f"<td>{line.amount:,.2f}</td><td>{_percent(line.growth)}</td></tr>"
        for line in lines
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)}</title>
<style>
body {{ font-family: sans-serif; margin: 2rem; }}
th, td {{ border-bottom: 1px solid #ddd; padding: 0.4rem 1rem; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{until}</p>
<table>
<tr>{head}</tr>
{body}
</table>
</body>
</html>
"""


def _percent(growth: float | None) -> str:
    return "new" if growth is None else f"{growth:+.1%}"
