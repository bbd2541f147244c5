"""Secrets leave the text, everything a person needs to read stays."""

import base64
import json

import pytest

from provisioning.redaction import REDACTED, SecretRedactor, cut_middle

PEM_BODY = "\n".join(
    "MIIEpAIBAAKCAQEAx1Zk0vXq7cq2v0m3Yp9a5b6c7d8e9f0A1B2C3D4E5F6G7H8I" + str(n) for n in range(5)
)
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOmFjbWUvYWRhIn0.c2lnbmF0dXJlLXZhbHVl"

CANARIES = {
    "GitHub personal token": "ghp_CanaryCanaryCanaryCanaryCanary0001",
    "GitHub installation token": "ghs_CanaryCanaryCanaryCanaryCanary0002",
    "GitHub OAuth token": "gho_CanaryCanaryCanaryCanaryCanary0003",
    "GitHub fine-grained token": "github_pat_11CANARY00_CanaryCanaryCanary",
    "Slack bot token": "xoxb-1111-2222-CanaryCanary",
    "Slack rotating token": "xoxe.xoxb-1-CanaryCanaryCanary",
    "Slack app token": "xapp-1-A0CANARY-3333-canarycanary",
    "Databricks token": "dapi0123456789abcdef0123456789abcdef-2",
    "Databricks OAuth secret": "dose0123456789abcdef0123456789abcdef",
    "JSON web token": JWT,
    "AWS access key id": "AKIACANARYCANARY0001",
    "Azure client secret": "abc8Q~CanaryCanaryCanaryCanaryCanaryCan",
}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
@pytest.mark.parametrize(
    "sentence",
    [
        "{}",
        "the provider said: invalid credential {}, try again",
        '      + value = "{}"',
        '{{"detail":"bad {} here"}}',
        "https://host.example/path?x={}&y=1",
        "<{}>",
        "two {0} and {0}",
    ],
)
def test_a_credential_that_shows_what_it_is_disappears_wherever_it_stands(
    canary: str, sentence: str
) -> None:
    text = sentence.format(canary)
    assert canary in text
    redacted = SecretRedactor()(text)
    assert canary not in redacted
    assert canary[8:20] not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter", "hunter"),
        ("Password: hunter", "hunter"),
        ('  + password = "two words"', "two words"),
        ("client_secret: 9f2kd83kd02k", "9f2kd83kd02k"),
        ('{"client_secret": "9f2kd83kd02k", "x": 1}', "9f2kd83kd02k"),
        ('{\\"api_key\\":\\"9f2kd83kd02k\\"}', "9f2kd83kd02k"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
        ("ARM_ACCESS_KEY=abc/def+ghi==", "abc/def+ghi=="),
        ("GITHUB_TOKEN=0123456789abcdef", "0123456789abcdef"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("authorization: token 0123abcd", "0123abcd"),
        ("AUTHORIZATION: basic eDpnaHM=", "eDpnaHM="),
        ('"Authorization":["Bearer abcdefghijklmnopqr"]', "abcdefghijklmnopqr"),
        ("sent Bearer abcdefghijklmnopqr to it", "abcdefghijklmnopqr"),
        ("postgres://bot:p@ss-w0rd@db.example/state", "p@ss-w0rd"),
        ("https://x-access-token:abc123@github.com/acme/ada", "abc123"),
        ("https://abcdefghijklmnopqrstuv@github.com/acme", "abcdefghijklmnopqrstuv"),
        ("curl --token 0123abcd https://x.example", "0123abcd"),
        ("GET /file?sig=A1b2C3d4E5&se=2026", "A1b2C3d4E5"),
        ("https://hooks.slack.com/services/T0/B0/abcdefgh", "abcdefgh"),
    ],
)
def test_a_secret_that_is_named_as_one_disappears(text: str, secret: str) -> None:
    redacted = SecretRedactor()(text)
    assert secret not in redacted
    assert REDACTED in redacted


def test_a_private_key_disappears_as_text_and_inside_json() -> None:
    redact = SecretRedactor()
    assert redact(f"before\n{PEM}\nafter") == f"before\n{REDACTED}\nafter"
    assert json.loads(redact(json.dumps({"key": PEM, "next": "kept"})))["next"] == "kept"
    assert PEM_BODY[:20] not in redact(json.dumps({"key": PEM}))


def test_a_private_key_without_its_end_disappears_too() -> None:
    cut = PEM[:200]
    redacted = SecretRedactor()(f"log: {cut}")
    assert PEM_BODY[:20] not in redacted
    assert redacted.startswith("log: ")


def test_a_certificate_is_public_and_stays() -> None:
    certificate = PEM.replace("RSA PRIVATE KEY", "CERTIFICATE")
    assert SecretRedactor()(certificate) == certificate


@pytest.mark.parametrize(
    "innocent",
    [
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit e83c5163316f89bfbde7d9ab23ca2e25604af290 on main",
        '      + application_id = "3f2b8a54-9f0e-4c1d-8a9e-0d5c84510001"',
        '      + id = "5512034718200341"',
        "      + policy_id               = (known after apply)",
        "      + token_audience = (sensitive value)",
        "      + client_secret  = (sensitive value)",
        "      - password       = null",
        '  + resource "databricks_secret_scope" "project" {',
        '  + resource "databricks_secret_acl" "runner" {',
        "  # module.production.databricks_secret_acl.runner will be created",
        '      + scope = "ada-7-production"',
        "      spark.password = {{secrets/ada-7/password}}",
        "permissions: id-token: write, contents: read",
        "Error: invalid token: expected a number",
        "Secret: permission denied",
        'subject = "repo:acme@845100/ada-7@991:environment:Production"',
        "https://adb-123.azuredatabricks.net:443/path?o=1",
        "https://github.com/acme/ada-7",
        "mail ada@acme.example, see https://docs.example/x@v1.2",
        "ssh://git@github.com/acme/ada-7",
        "1 to add, 0 to change, 0 to destroy.",
        "accounts/3f2b8a54-9f0e-4c1d-8a9e-0d5c84510001/servicePrincipals/9/ruleSets/default",
        "provider h1:Yq0xJ1rK1bOJq4hC7Wl3n8aZ1u5tX9dV0sB2kP6mQeE=",
        "Creation complete after 0s [id=dc34afb0-3e11-5295-27fe-5a8d98ae3b49]",
    ],
)
def test_what_is_no_secret_stays_readable(innocent: str) -> None:
    assert SecretRedactor()(innocent) == innocent


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery",
        json.dumps({"a": "correct horse battery"}),
        "x?y=correct%20horse%20battery",
        base64.b64encode(b"correct horse battery").decode(),
    ],
)
def test_a_known_secret_disappears_in_every_spelling(text: str) -> None:
    assert REDACTED in SecretRedactor(["correct horse battery"])(text)


def test_a_known_secret_with_quotes_disappears_inside_json() -> None:
    secret = 'an "odd" \\ secret ü'
    redacted = SecretRedactor([secret])(json.dumps({"a": secret}))
    assert json.loads(redacted) == {"a": REDACTED}


def test_every_line_of_a_known_key_disappears_even_alone() -> None:
    redact = SecretRedactor([PEM])
    for line in PEM_BODY.splitlines():
        assert line not in redact(f"| {line} |")


def test_short_known_values_do_not_shred_the_text() -> None:
    assert SecretRedactor(["dev", ""])("the dev environment") == "the dev environment"


def test_redacting_again_changes_nothing() -> None:
    redact = SecretRedactor(["correct horse battery"])
    everything = "\n".join(
        [*CANARIES.values(), PEM, "password=x", "Authorization: Bearer abc", "a://b:c@d"]
    )
    once = redact(everything)
    assert redact(once) == once


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_a_secret_cut_between_two_pieces_is_hidden_too(size: int) -> None:
    redact = SecretRedactor(["first line of secret\nsecond line of it"])
    text = "\n".join(
        [
            "before",
            "first line of secret",
            "second line of it",
            *CANARIES.values(),
            PEM,
            'password = "hunter two"',
            "after",
        ]
    )
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    streamed = "".join(redact.stream(pieces))
    assert streamed == redact(text)
    assert not any(canary in streamed for canary in [*CANARIES.values(), PEM_BODY[:30], "hunter"])
    assert streamed.startswith("before\n")
    assert streamed.endswith("after")


def test_the_stream_gives_harmless_lines_at_once() -> None:
    stream = SecretRedactor().stream(iter(["one\n", "two\n", "three"]))
    assert next(stream) == "one\n"


def test_a_text_too_long_loses_its_middle_and_says_how_much() -> None:
    text = "a" * 50 + "b" * 900 + "c" * 50
    short = cut_middle(text, 100)
    assert short.startswith("a" * 50)
    assert short.endswith("c" * 50)
    assert "900 characters left out" in short
    assert cut_middle("short", 100) == "short"


UNITS = ("a.", "a-", "a+", "token=", "-----BEGIN X-----", "a://b:", "eyJa.")


@pytest.mark.parametrize("unit", UNITS)
def test_a_hostile_text_costs_no_more_than_a_harmless_one(unit: str) -> None:
    """Backtracking would take minutes; the suite's time limit stops it."""
    text = unit * (200_000 // len(unit))
    assert len(SecretRedactor(["correct horse"])(text)) <= len(text) * 2 + 100
