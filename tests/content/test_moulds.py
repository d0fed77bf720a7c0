"""A text filled into its mould is the text composed for its reader, whatever the token and the values hold."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outreach.content.compose import TOKEN, Values
from outreach.domain.channel import Channel
from outreach.errors import BadInput
from tests.content.test_skeletons import SOUND, VALUES, WORDS

TOKENS = st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True)
ASKED = st.sampled_from(WORDS.keys), st.sampled_from(WORDS.locales), st.sampled_from(["full", "neutral"])


def _led(values: Values, token: str) -> Values:
    return values._replace(link=f"https://x.example/p/{token}", unsubscribe=f"https://x.example/u/{token}")


def _same(key: str, locale: str, wording: Any, values: Values, token: str) -> bool:
    try:
        composed = WORDS.compose(key, Channel.SMS, locale, wording, _led(values, token))
    except BadInput as error:
        composed = error
    try:
        mould = WORDS.mould(key, locale, wording, _led(values, TOKEN))
    except BadInput as error:
        return str(error) == str(composed)
    return not mould.pieces or mould.fill(token) == composed


@given(*ASKED, VALUES, TOKENS)
def test_a_filled_mould_is_the_text_composed_anew(
    key: str, locale: str, wording: Any, values: Values, token: str
) -> None:
    assert _same(key, locale, wording, values, token)
    assert _same(key, locale, wording, SOUND, token)


def test_a_name_that_looks_like_a_token_is_left_alone() -> None:
    values = _led(SOUND._replace(clinic=f"Clinic {TOKEN}"), TOKEN)
    assert WORDS.mould("pre.tomorrow", "en", "full", values).pieces == ()
    assert any(len(WORDS.mould(key, "en", "neutral", _led(SOUND, TOKEN)).pieces) > 1 for key in WORDS.keys)
