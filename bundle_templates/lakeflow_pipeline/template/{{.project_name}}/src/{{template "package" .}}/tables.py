"""The tables of the pipeline: what they are made of, and what is expected of their rows.

Queries and expectations are plain SQL. Databricks runs them; on a laptop SQLite runs the same texts
on a fixture. So keep to what both understand, or try it in Development.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SOURCE = "orders"
COLUMNS = {"order_id": "string", "ordered_at": "string", "channel": "string", "amount": "double"}
"""What is read of the source, and as what; a value that doesn't fit becomes NULL."""


@dataclass(frozen=True)
class Table:
    """One table. Its query names the source and earlier tables in braces.

    An expectation is a condition by its name. Rows that break one are counted; besides, those of
    `drop` are left out, and those of `fail` stop the run before anything is published.
    """

    name: str
    comment: str
    query: str
    warn: Mapping[str, str] = field(default_factory=dict)
    drop: Mapping[str, str] = field(default_factory=dict)
    fail: Mapping[str, str] = field(default_factory=dict)

    def sql(self, places: Mapping[str, str]) -> str:
        """Return the query with the names that tables have where it runs."""
        return self.query.format_map(places).strip()


CLEAN_ORDERS = Table(
    name="clean_orders",
    comment="Orders that make sense, each once.",
    query="""
        SELECT DISTINCT
            order_id,
            substr(ordered_at, 1, 10) AS day,
            lower(trim(channel)) AS channel,
            amount
        FROM {orders}
    """,
    warn={"channel is known": "channel IN ('store', 'pickup', 'delivery')"},
    drop={
        "order has an id": "order_id IS NOT NULL",
        "order has a day": "day IS NOT NULL AND day LIKE '20__-__-__'",
        "order has a price": "amount IS NOT NULL AND amount > 0",
    },
)

DAILY_SALES = Table(
    name="daily_sales",
    comment="What was sold per day and channel.",
    query="""
        SELECT day, channel, count(*) AS orders, round(sum(amount), 2) AS amount
        FROM {clean_orders}
        GROUP BY day, channel
    """,
    fail={"sales add up": "orders > 0 AND amount > 0"},
)

TABLES = (CLEAN_ORDERS, DAILY_SALES)
"""In an order in which each finds what it reads."""
