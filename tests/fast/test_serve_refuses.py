"""Without its secrets the bot does not start, and says which variables are missing."""

from pathlib import Path

import pytest

from bot.serve import missing_secrets, refuse_without_tokens
from bot.settings import Settings, load
from provisioning.errors import UserError

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"
COMPLETE = {
    "SCICLOPS__SLACK__BOT_TOKEN": "xoxb-1",
    "SCICLOPS__SLACK__APP_TOKEN": "xapp-1",
    "SCICLOPS__DATABRICKS__CLIENT_SECRET": "secret",
}


def settings(**different: str) -> Settings:
    return load(EXAMPLE, COMPLETE | different)


def test_with_all_its_secrets_it_starts() -> None:
    assert missing_secrets(settings()) == ()


@pytest.mark.parametrize("variable", list(COMPLETE))
def test_each_missing_secret_is_named(variable: str) -> None:
    with pytest.raises(UserError, match=variable) as refused:
        refuse_without_tokens(settings(**{variable: ""}))
    others = [name for name in COMPLETE if name != variable]
    assert not any(name in str(refused.value) for name in others)


def test_a_token_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="xoxb-"):
        refuse_without_tokens(settings(SCICLOPS__SLACK__BOT_TOKEN="xapp-1"))


def test_http_needs_the_signing_secret_instead_of_the_app_token() -> None:
    http = {"SCICLOPS__SLACK__MODE": "http", "SCICLOPS__SLACK__APP_TOKEN": ""}
    with pytest.raises(UserError, match="SIGNING_SECRET"):
        refuse_without_tokens(settings(**http))
    assert missing_secrets(settings(**http, SCICLOPS__SLACK__SIGNING_SECRET="abc")) == ()


def test_state_in_postgresql_needs_its_address() -> None:
    with pytest.raises(UserError, match="STATE_URL"):
        refuse_without_tokens(settings(SCICLOPS__TERRAFORM__STATE="pg"))
