"""The deployed name of the model, and what is called after it."""

from dataclasses import dataclass
from hashlib import sha256

LONGEST_ENDPOINT = 63


@dataclass(frozen=True)
class ModelName:
    """`catalog.schema.name`: the bundle passes it, with the prefix that a copy has.

    Everything else is called after it, so that copies never touch each other's tables.
    """

    catalog: str
    schema: str
    name: str

    @classmethod
    def parse(cls, full: str) -> "ModelName":
        """Read a full name; raises `ValueError` for another."""
        parts = full.split(".")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{full!r} is not of the form catalog.schema.name")
        return cls(*parts)

    @property
    def full(self) -> str:
        """Return the three parts again."""
        return f"{self.catalog}.{self.schema}.{self.name}"

    def source(self, table: str) -> str:
        """Return a table that all copies read, quoted for SQL."""
        return _quoted(self.catalog, self.schema, table)

    def table(self, purpose: str) -> str:
        """Return a table of this model's own, quoted for SQL."""
        return _quoted(self.catalog, self.schema, f"{self.name}_{purpose}")

    @property
    def endpoint(self) -> str:
        """Return the name of the model's serving endpoint: long names end with a checksum."""
        name = self.name.replace("_", "-")
        if len(name) <= LONGEST_ENDPOINT:
            return name
        return f"{name[: LONGEST_ENDPOINT - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def _quoted(*parts: str) -> str:
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)
