"""Signatures of webhooks: Twilio's own vectors, and agreement with its library on anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from outreach.providers.twilio_signature import sign, valid

URL = "https://clinic.example/hooks/twilio/inbound"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.sampled_from(["Body", "From", "To", "A", "b", "é", ""])


def test_twilios_own_vectors_are_valid_and_altered_ones_are_not(shared: Callable[[str], Path]) -> None:
    known = json.loads(shared("vectors/twilio-signatures.json").read_text())
    token: str = known["token"]
    for vector in known["vectors"]:
        params = [(name, value) for name, value in vector.get("params", [])]
        body, url, signature = vector.get("body"), vector["url"], vector["signature"]
        assert valid([token], url, params, signature, body), vector["name"]
        assert valid(["another", token], url, params, signature, body), "the second token counts too"
        assert not valid(["another"], url, params, signature, body)
        assert not valid([token], url + "x", params, signature, body)
        assert not valid([token], url, [*params, ("Extra", "1")], signature, body and body + " ")


@pytest.mark.parametrize(
    ("tokens", "signature"),
    [
        (["t"], None),
        (["t"], ""),
        (["t"], "no base64 ☃"),
        (["t"], "\ud800"),
        ([], sign("", URL, [])),
        ([""], sign("", URL, [])),
    ],
    ids=["none", "empty", "not ASCII", "half a surrogate", "no token", "empty token"],
)
def test_nonsense_is_not_valid_and_never_an_error(tokens: list[str], signature: str | None) -> None:
    assert not valid(tokens, URL, [], signature)
    assert not valid(tokens, URL, [], signature, body="{}")


@pytest.mark.parametrize("url", ["", "nonsense", "http://[", "http://a:b/", "https://x:99999/"])
def test_a_url_that_is_none_is_never_an_error(url: str) -> None:
    assert not valid(["t"], url, [("a", "b")], "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")


class Form(dict[str, str]):
    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


@settings(deadline=None)
@given(token=st.text("abc123", min_size=1, max_size=8), pairs=st.lists(st.tuples(NAMES, TEXT), max_size=6))
def test_our_signature_is_the_librarys_on_any_form(token: str, pairs: list[tuple[str, str]]) -> None:
    library: Any = RequestValidator(token)
    signature = library.compute_signature(URL, Form(pairs))
    assert sign(token, URL, pairs) == signature
    assert valid([token], URL, pairs, signature)
    assert valid([token], URL, pairs[::-1], signature), "the order of arrival does not matter"


@settings(deadline=None)
@given(
    url=st.sampled_from([URL, "https://clinic.example:443/a?b=c", "http://x.example:80/", "https://x.example:8443/é"]),
    signed_as=st.sampled_from(["https://clinic.example/a?b=c", "http://x.example/", "https://x.example:443/", URL]),
    pairs=st.lists(st.tuples(NAMES, TEXT), max_size=6),
    garble=st.sampled_from([lambda s: s, lambda s: s.lower(), lambda s: s[:-1], lambda s: s + " ", lambda s: ""]),
)
def test_we_say_yes_exactly_when_the_library_does(
    url: str, signed_as: str, pairs: list[tuple[str, str]], garble: Callable[[str], str]
) -> None:
    library: Any = RequestValidator("token")
    for signature in (sign("token", url, pairs), sign("token", signed_as, pairs)):
        told = garble(signature)
        assert valid(["token"], url, pairs, told) == bool(library.validate(url, Form(pairs), told))


@settings(deadline=None)
@given(url=st.text(max_size=30), signature=st.none() | st.text(max_size=30), pairs=st.lists(st.tuples(TEXT, TEXT)))
def test_whatever_strangers_send_is_answered_by_no(
    url: str, signature: str | None, pairs: list[tuple[str, str]]
) -> None:
    assert valid(["a secret"], url, pairs, signature) is False
