"""Who lives in the playground: the same people and teams at Slack, GitHub and Databricks."""

from dataclasses import dataclass

ORGANISATION = "acme"
"""The GitHub organisation (its login; numeric id `ORGANISATION_ID`)."""
ORGANISATION_ID = 845100
SLACK_TEAM_ID = "T0ACME"
SLACK_TEAM_DOMAIN = "acme"
DATABRICKS_ACCOUNT_ID = "3f2b8a54-9f0e-4c1d-8a9e-0d5c84510001"


@dataclass(frozen=True)
class Person:
    """One human being and their accounts (`slack` is the user id, `github` the login)."""

    name: str
    slack: str
    github: str
    github_id: int
    email: str
    title: str
    deactivated: bool = False


ADA = Person("Ada Lovelace", "U0ADA", "ada", 1001, "ada@acme.example", "Data scientist (requester)")
GRACE = Person("Grace Hopper", "U0GRACE", "grace", 1002, "grace@acme.example", "Project owner")
ROSA = Person("Rosa Parks", "U0ROSA", "rosa", 1003, "rosa@acme.example", "Reviewer")
DORA = Person("Dora Marquez", "U0DORA", "dora", 1004, "dora@acme.example", "Data owner")
PAT = Person("Pat Summitt", "U0PAT", "pat", 1005, "pat@acme.example", "Platform engineer")
SAM = Person("Sam Stranger", "U0SAM", "sam", 1006, "sam@acme.example", "Works elsewhere")
GONE = Person(
    "Gil Gone", "U0GIL", "gil", 1007, "gil@acme.example", "Left the company", deactivated=True
)
PEOPLE = (ADA, GRACE, ROSA, DORA, PAT, SAM, GONE)

BOT_USER_ID = "U0SCICLOPS"
BOT_ID = "B0SCICLOPS"
APP_ID = "A0SCICLOPS"

CHANNELS = {
    "C0SCICLOPS": "sciclops",
    "C0COMMUNITY": "sciclops-community",
    "C0RANDOM": "random",
}
"""Channel id to name; the bot is a member of the first two only."""

USER_GROUPS = {
    "S0PLATFORM": ("platform-team", (PAT,)),
    "S0DATASCI": ("data-scientists", (ADA, GRACE, ROSA)),
    "S0DATAOWN": ("data-owners", (DORA,)),
    "S0RELEASE": ("release-managers", (PAT, GRACE)),
    "S0GLASS": ("break-glass", (ADA, PAT)),
}
"""Slack user group id to (handle, members)."""

GITHUB_TEAMS = {
    "data-science": (501, (ADA, GRACE, ROSA)),
    "ml-reviewers": (502, (ROSA, GRACE)),
    "platform": (503, (PAT,)),
    "data-governance": (504, (DORA,)),
}
"""Team slug to (numeric id, members). 130 more, `team-001` …, make type-ahead necessary."""

DATABRICKS_GROUPS = {
    "aad-data-science": (ADA, GRACE, ROSA),
    "aad-data-owners": (DORA,),
    "aad-platform": (PAT,),
}
"""Account group display name to members. 130 more, `aad-team-001` …, make type-ahead necessary."""

STAGES = ("development", "testing", "staging", "production")
GROUPS = ("gbx1", "gbx2", "gbxphil", "gbxpiil")
CATALOG_STAGE = {"development": "dev", "testing": "test", "staging": "stg", "production": "prod"}


def catalog(group: str, stage: str) -> str:
    """Return the Unity Catalog catalog of a workspace: `gbx1_dev`."""
    return f"{group}_{CATALOG_STAGE[stage]}"


SHARED_DATA = {
    "sales": ("transactions", "stores", "products"),
    "loyalty": ("households", "cards"),
}
"""Schemas and their tables that exist in every production catalog, to ask access to."""
