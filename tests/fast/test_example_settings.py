"""The example settings load, mention every setting, and mistakes are told by key and remedy."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from bot.settings import (
    DataSettings,
    Settings,
    StageSettings,
    WorkspaceGroupSettings,
    load,
)
from provisioning.errors import UserError
from provisioning.project import STAGES

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "sciclops.example.toml"
TEXT = EXAMPLE.read_text("utf-8")


def sections(model: type[BaseModel], prefix: str = "") -> dict[str, type[BaseModel]]:
    """Return every table of the settings by its dotted name."""
    found: dict[str, type[BaseModel]] = {prefix: model}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= sections(inner, name)
    return found


def body(section: str) -> str:
    """Return the text of a table of the example."""
    tables = re.split(r"^\[+([\w.]+)\]+$", TEXT, flags=re.MULTILINE)
    return dict(zip(["", *tables[1::2]], tables[0::2], strict=True))[section]


def mentioned(section: str) -> set[str]:
    """Return the keys that the example shows in a table, commented out or not."""
    return set(re.findall(r"^(?:# )?(\w+) = ", body(section), flags=re.MULTILINE))


def load_with(tmp_path: Path, old: str, new: str, **environment: str) -> Settings:
    assert TEXT.count(old) >= 1, old
    file = tmp_path / "sciclops.toml"
    file.write_text(TEXT.replace(old, new, 1), "utf-8")
    return load(file, environment)


def complaint(tmp_path: Path, old: str, new: str, **environment: str) -> str:
    with pytest.raises(UserError) as refused:
        load_with(tmp_path, old, new, **environment)
    return str(refused.value)


def test_the_example_loads_with_four_workspace_groups() -> None:
    settings = load(EXAMPLE, {})
    assert tuple(settings.workspace_groups) == ("gbx1", "gbx2", "gbxphil", "gbxpiil")
    for name, group in settings.workspace_groups.items():
        assert tuple(group.stages) == STAGES
        assert group.title
        assert {stage.catalog.partition("_")[0] for stage in group.stages.values()} == {name}
    workspaces = [
        stage.workspace_id
        for group in settings.workspace_groups.values()
        for stage in group.stages.values()
    ]
    assert len(set(workspaces)) == 16


@pytest.mark.parametrize(("name", "model"), sections(Settings).items())
def test_the_example_mentions_every_setting(name: str, model: type[BaseModel]) -> None:
    shown = mentioned(name)
    for key, field in model.model_fields.items():
        if field.annotation is SecretStr:
            assert f"SCICLOPS__{name}__{key}".upper() in TEXT
        elif name or f"[{key}" not in TEXT:
            assert key in shown, f"{key} in [{name}]"


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("workspace_groups.gbx1", WorkspaceGroupSettings),
        ("workspace_groups.gbx1.stages.development", StageSettings),
        ("data", DataSettings),
    ],
)
def test_repeated_tables_mention_every_setting_once(section: str, model: type[BaseModel]) -> None:
    assert mentioned(section) == set(model.model_fields) - {"stages"}


def test_commented_values_are_the_defaults() -> None:
    for name, model in sections(Settings).items():
        for key, field in model.model_fields.items():
            comment = re.search(rf"^# {key} = (.*)$", body(name), re.MULTILINE)
            if comment and key != "environment":
                value = tomllib.loads(f"key = {comment[1]}")["key"]
                default = field.get_default(call_default_factory=True)
                wanted = str(default) if isinstance(default, Path) else default
                assert value == (list(wanted) if isinstance(wanted, tuple) else wanted), (name, key)


def test_the_example_holds_no_secret_and_is_for_nobody_in_particular() -> None:
    assert not re.search(r"xox[a-z]-\w|xapp-\w|BEGIN|dapi\w", TEXT)
    assert all(len(line) <= 120 for line in TEXT.splitlines())


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ('channel = "C0123456789"', "", "slack.channel",
         "add it to the file, or set SCICLOPS__SLACK__CHANNEL"),
        ('platform = "S0123456789"', "", "roles.platform",
         "add it to the file, or set SCICLOPS__ROLES__PLATFORM"),
        ("[roles]", "[rolls]", "rolls", "check the spelling or remove it"),
        ("app_id = 123456", "app_identity = 1", "github.app_identity", "check the spelling"),
        ("app_id = 123456", 'app_id = "x"', "github.app_id", "valid integer"),
        ('# mode = "socket"', 'mode = "carrier pigeon"', "slack.mode", "'socket' or 'http'"),
        ("# port = 3000", "port = 70000", "slack.port", "less than or equal to 65535"),
        ('# create = "requester"', 'create = "anybody"', "confirmation.create", "second_person"),
        ('# engine = "local" ', 'engine = "hcp" ', "terraform", 'use engine = "local"'),
        ("# operations_at_once = 8", "operations_at_once = 0", "limits.operations_at_once",
         "greater than or equal to 1"),
        ("# workflow_run_days = 90", "workflow_run_days = 30", "limits.workflow_run_days",
         "greater than or equal to 31"),
        ('securable = "gbx1_prod.sales"', "", "data.0.securable", "(add it to the file)"),
        ('levels = ["read"]', 'levels = ["own"]', "data.0.levels.0", "'read' or 'write'"),
        ("[workspace_groups.gbx1.stages.testing]", "[workspace_groups.gbx1.stages.test]",
         "workspace_groups.gbx1", "missing: testing, unknown: test"),
        ('catalog = "gbx1_prod"', "", "workspace_groups.gbx1.stages.production.catalog",
         "add it to the file"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_key_and_remedy(
    tmp_path: Path, old: str, new: str, key: str, remedy: str
) -> None:
    said = complaint(tmp_path, old, new)
    assert any(line.startswith(f"  {key}: ") and remedy in line for line in said.splitlines()), said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, "app_id = 123456", 'colour = "red"\napp_id = "x"')
    assert "2 problem(s)" in said
    assert "github.app_id" in said
    assert "github.colour" in said


def test_a_mistake_never_shows_a_secret(tmp_path: Path) -> None:
    canary = "xoxb-canary-7f3a"
    said = complaint(
        tmp_path, "[roles]", "[rolls]",
        SCICLOPS__SLACK__BOT_TOKEN=canary, SCICLOPS__SLACK__COLOUR=canary,
    )  # fmt: skip
    assert "slack.colour" in said
    assert canary not in said


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    settings = load_with(
        tmp_path, "[slack]", "[slack]",
        SCICLOPS__SLACK__CHANNEL="C1", SCICLOPS__SLACK__BOT_TOKEN="xoxb-1",
        SCICLOPS__GITHUB__APP_ID="7", SCICLOPS__DATABASE_URL="sqlite://", OTHER="x",
    )  # fmt: skip
    assert settings.slack.channel == "C1"
    assert settings.slack.bot_token.get_secret_value() == "xoxb-1"
    assert settings.github.app_id == 7
    assert settings.url() == "sqlite://"


def test_a_variable_that_fits_no_table_is_named(tmp_path: Path) -> None:
    said = complaint(tmp_path, "[slack]", "[slack]", SCICLOPS__DATA__OWNERS="U1")
    assert "SCICLOPS__DATA__OWNERS" in said


def test_a_missing_file_says_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"copy sciclops\.example\.toml"):
        load(tmp_path / "none.toml", {})


@pytest.mark.parametrize("content", [b"[slack", b"a = 1\na = 2", b"\xff"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sciclops.toml"
    file.write_bytes(content)
    with pytest.raises(UserError, match="not valid TOML"):
        load(file, {})


def test_a_folder_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path, {})
