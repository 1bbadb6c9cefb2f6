"""A secret never reaches a log: not by its field's name, not inside a text, not deep in a value."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec
import pytest

from service_runtime.telemetry.plain import REDACTED, is_secret_name, plain_fields

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Login:
    """A value with a secret in it."""

    user: str
    password: str


class Wire(msgspec.Struct):
    """The same from the wire."""

    user: str
    apiKey: str  # noqa: N815 - as Kubernetes writes its fields


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "bearer_token",
        "password",
        "clientSecret",
        "Authorization",
        "set-cookie",
        "private_key",
        "api_key",
        "credentials",
    ],
)
def test_a_token_like_name_hides_its_value(name: str) -> None:
    """Under such a name no text is written, whatever it is."""
    assert {name: REDACTED} == plain_fields({name: "hunter2"})


@pytest.mark.parametrize(
    "name",
    ["token_file", "tokenPath", "secret_name", "token_reviews", "key", "tokens_per_s", "tokenizer"],
)
def test_a_path_or_a_figure_of_a_secret_is_no_secret(name: str) -> None:
    """Names of files and counts stay readable."""
    assert not is_secret_name(name)
    assert {name: "x"} == plain_fields({name: "x"})


def test_figures_tell_no_secret() -> None:
    """A number under a token-like name stays: it counts something."""
    assert plain_fields({"token": 7, "password": None}) == {"token": 7, "password": None}


@pytest.mark.parametrize(
    "text",
    [
        f"refused: Bearer {JWT}",
        f"Authorization: Token {JWT}",
        f"cannot parse {KEY}",
        f"token was {JWT}",
        "GET https://admin:hunter22@db.example/x",
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEA and then it was cut",
    ],
)
def test_a_secret_inside_a_text_is_hidden(text: str) -> None:
    """What looks like a token, a header or a private key in a message is replaced."""
    told = str(plain_fields({"message": text, "cause": ValueError(text)}))

    assert REDACTED in told
    for secret in ("eyJ", "MIGH", "MHc", "hunter"):
        assert secret not in told


@pytest.mark.parametrize("value", [Login("a", "hunter2"), Wire("a", "hunter2")])
def test_a_secret_deep_in_a_value_is_hidden(value: object) -> None:
    """Values that explain themselves are written by their parts, and each part is looked at."""
    told = plain_fields({"call": {"by": [value]}})

    assert "hunter2" not in json.dumps(told)
    assert "'user': 'a'" in str(told)
