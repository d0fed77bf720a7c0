"""Joined from a skeleton or rendered in full: the same bytes, or the same refusal, whatever the values hold."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.content import body, forms
from outreach.content.compose import Values, Words
from outreach.domain.channel import Channel
from outreach.domain.message import Content
from outreach.errors import BadInput
from outreach.settings import ROOT
from tests import shipped

WORDS = shipped.words()
LONG_WAY = replace(WORDS, quick=False)
NOW = datetime(2026, 9, 20, 8, tzinfo=UTC)

# Each of these meant something to somebody once: Markdown, HTML, entities, directions, clusters, numbers, templates.
ODD = [
    "<b>", "&amp;", "&", "\"quoted\"", "O'Hara", "\\", "`x`", "*a*", "_a_", "[x](y)", "# x",
    "1.", "1)", "12", "- x", "+", "=", "~~x~~", "|", "{{ link }}", "%(clinic)s", "%",
    "{% x %}", "qqa00zz", "https://x.example/?a=1&b", "عيادة", "مركز 7", "٣٤", "שלום & Co",
    "A עברית", "😀", "👩‍⚕️", "é", "e\u0301", "\u0301x", "Ω", "\u212b", "x\u00a0y", "\u202f",
    "\u200b", "\u200d", "\u2068x\u2069", "\u202ex", "\t", "\x00", "\x0b", "\u2028", "a\nb",
    "\r", "", " ", "  two  blanks ", "Straße", "日本", "½", "\ufffe", "\ue000", "«x»", "…",
    "<!--", "]]>", "</title>",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=5).map(
    "".join
) | st.lists(st.sampled_from(ODD), max_size=6).map(" ".join)
NAMES = TEXTS | st.just("Harbour Pain Clinic")
PHONES = st.sampled_from(["+16045550199", "+34910000000", "911", "press 0", "12", "", "(604) 555"]) | TEXTS
LINKS = (
    st.from_regex(r"https?://[a-z0-9.:@-]{0,12}[/?#]?[A-Za-z0-9/._~=&%?#;:@!$*()+,\[\]{}|^`\\é-]{0,20}", fullmatch=True)
    | st.sampled_from(["", "https://x.example/p?a=1&b=%20&c=%zz&copy=2", "HTTPS://x", "javascript:x"])
    | TEXTS.map("https://x.example/".__add__)
    | st.tuples(st.just("https://x.example/p/"), st.from_regex(r"[A-Za-z0-9_&%=-]{1,24}", fullmatch=True)).map("".join)
)  # fmt: skip
ZONES = st.sampled_from(["America/Vancouver", "America/Toronto", "Asia/Kolkata", "Europe/Madrid"])
MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=ZONES.map(ZoneInfo) | st.just(UTC)
)
VALUES = st.builds(
    Values, clinic=NAMES, clinic_phone=PHONES, zone=ZONES | st.just("Mars/Base"), clinic_address=NAMES,
    clinic_zone=ZONES | st.just(""), emergency=PHONES, visit_start=MOMENTS | st.none(),
    visit_minutes=st.sampled_from([None, 0, 1, 2, 11, 60, 120]), visit_uid=st.uuids().map(str) | st.just(""),
    visit_sequence=st.integers(0, 9), old_start=MOMENTS | st.none(), next_visit=MOMENTS | st.none(), link=LINKS,
    unsubscribe=LINKS, instructions=st.lists(TEXTS, max_size=3).map("\n".join), frequency=st.integers(0, 14),
)  # fmt: skip
SOUND = Values(
    clinic="Harbour Pain Clinic", clinic_phone="+16045550199", zone="America/Vancouver", clinic_address="12 North St",
    emergency="911", visit_start=NOW, visit_minutes=60, visit_uid="u", old_start=NOW, next_visit=NOW,
    link="https://x.example/p/abc", unsubscribe="https://x.example/u/abc",
)  # fmt: skip


def _said(words: Words, key: str, kind: str, locale: str, wording: Any, values: Values) -> Content | str | BadInput:
    try:
        if kind == "page":
            return words.page(key, locale, wording, values)
        return words.compose(key, Channel(kind), locale, wording, values, calendar=kind == "email", now=NOW)
    except BadInput as error:
        return error


def _same(words: Words, long_way: Words, *asked: Any) -> bool:
    short, long = _said(words, *asked), _said(long_way, *asked)
    if isinstance(long, BadInput):
        return isinstance(short, BadInput) and str(short) == str(long)
    return short == long


ASKED = (
    st.sampled_from(WORDS.keys), st.sampled_from(["sms", "email", "page"]), st.sampled_from(WORDS.locales),
    st.sampled_from(["full", "neutral"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(*ASKED, VALUES)
def test_whatever_the_values_hold_both_ways_say_the_same(
    key: str, kind: str, locale: str, wording: str, values: Values
) -> None:
    assert _same(WORDS, LONG_WAY, key, kind, locale, wording, values)


@settings(max_examples=200, deadline=None)
@given(*ASKED, NAMES, NAMES, MOMENTS, LINKS, st.sampled_from(["clinic", "clinic_address", "clinic_phone", "emergency"]))
def test_a_sound_message_with_one_odd_name_is_the_same_both_ways(
    key: str, kind: str, locale: str, wording: str, one: str, other: str, at: datetime, link: str, place: str
) -> None:
    for name in (one, other):
        odd: dict[str, Any] = {place: name, "visit_start": at, "link": link}
        assert _same(WORDS, LONG_WAY, key, kind, locale, wording, SOUND._replace(**odd))


@pytest.mark.parametrize("locale", WORDS.locales)
def test_no_template_as_it_ships_is_kept_to_the_long_way(locale: str) -> None:
    words = replace(WORDS)  # the same files, and nothing met so far
    for key in words.keys:
        for kind in ("sms", "email", "page"):
            for wording in ("full", "neutral"):
                for values in (SOUND, SOUND._replace(next_visit=None, instructions="Eat light.\nBring a friend.")):
                    assert _same(words, LONG_WAY, key, kind, locale, wording, values)
    assert words.kept_to_the_long_way == ()


def test_the_hour_that_comes_twice_is_told_as_the_one_it_is() -> None:
    here = ZoneInfo("America/New_York")
    for fold in (0, 1):
        at = datetime(2026, 11, 1, 1, 30, tzinfo=here, fold=fold)
        values = SOUND._replace(visit_start=at, zone="UTC", clinic_zone="")
        said = WORDS.compose("visit.cancelled", Channel.SMS, "en", "full", values).text
        assert f"{5 + fold}:30 AM" in said


TRICKS = [
    "{{ clinic | upper }}", "{{ day[:3] }}",
    "{% if clinic.startswith('H') %}a{% else %}b{% endif %}", "1{{ clinic }}",
    "{{ clinic | length }}", "`{{ clinic }}`", "{{ clinic }}. x", "{{ clinic }}{{ day }}",
    "**{{ clinic }}**", "{% if link == 'https://x.example/p/abc' %}a{% endif %}b",
    "{{ time.split(':')[0] | int + 1 }}", "x{{ '\u2068' }}{{ clinic }}{{ '\u2069' }}",
    "{{ minutes * 2 }}", "{% for line in instructions %}{{ line }}{% endfor %}x",
    "{{ clinic }}\n===", "    {{ clinic }}", "> {{ clinic }}",
    "{% include 'messages/reply.stopped/sms.txt' %}", "[{{ clinic }}]({{ link }})",
    "<{{ link }}>", "{{ link }}", "[a]: {{ link }}\n\n[a] {{ clinic }}",
    "![{{ clinic }}]({{ link }} \"{{ day }}\")", "{{ clinic }}\u0301",
    "*{{ clinic }}{{ address }}*x",
]  # fmt: skip


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files with no more messages than the tests below say: a trick is read in a tenth of the time."""
    root = tmp_path_factory.mktemp("few")
    for folder in ("config", "locales"):
        copytree(ROOT / folder, root / folder, ignore=ignore_patterns("concepts"))
    told = {"neutral", "page", "hint", "pre.tomorrow", "reply.stopped"}
    rest = [path.name for path in (ROOT / "templates" / "messages").iterdir() if path.name not in told]
    copytree(ROOT / "templates", root / "templates", ignore=ignore_patterns("console", *rest))
    return root


@pytest.mark.parametrize("trick", TRICKS)
def test_a_template_that_does_something_to_a_value_is_still_told_rightly(few: Path, trick: str) -> None:
    for part in ("sms.txt", "body.md"):
        (few / "templates" / "messages" / "neutral" / part).write_text(trick, "utf-8")
    words = Words.load(few, ["en", "ar"])
    long_way = replace(words, quick=False)
    names = ["Harbour Clinic", "12", "1.", "* x", "عيادة", "<b>&", "x*", "\u0301x", "7) `a`", "a_b_", "«x»", "#"]
    for locale in ("en", "ar"):
        for kind in ("sms", "email", "page"):
            for at, name in enumerate(names):
                link = ("https://x.example/p/abc", "https://x.example/p/abd?x&y")[at % 2]
                values = SOUND._replace(clinic=name, link=link, visit_start=NOW + timedelta(days=at))
                asked = ("pre.tomorrow", kind, locale, "neutral", values)
                assert _same(words, long_way, *asked), asked[1:3]


def test_a_template_that_changes_a_value_is_named(few: Path) -> None:
    (few / "templates" / "messages" / "neutral" / "sms.txt").write_text("{{ clinic | upper }}", "utf-8")
    words = Words.load(few, ["en"])
    for _ in range(3):
        assert words.compose("pre.tomorrow", Channel.SMS, "en", "neutral", SOUND).text == "HARBOUR PAIN CLINIC"
    assert words.kept_to_the_long_way == ("messages/neutral/sms.txt",)


def test_many_threads_say_what_one_says() -> None:
    words = replace(WORDS)
    asked = [(key, kind, locale, "full") for key in words.keys for kind in ("sms", "email") for locale in ("es", "ar")]
    values = [SOUND._replace(link=f"https://x.example/p/{n}", clinic=f"Clinic {n}") for n in range(3)]
    wanted = {(one, n): str(_said(LONG_WAY, *one, values[n])) for one in asked for n in range(3)}
    wrong: list[Any] = []

    def work() -> None:
        wrong.extend(one for one, n in wanted if str(_said(words, *one, values[n])) != wanted[one, n])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@given(st.from_regex(r"https?://[a-z0-9.:-]{1,12}[/?#]?[A-Za-z0-9/._~=&%?#;:@!$*()+,-]{0,20}", fullmatch=True))
def test_an_address_called_unchanged_passes_markdown_unchanged(url: str) -> None:
    if forms.unchanged(url):
        assert body.text(f"[x]({body.escape(url)})") == f"x: {url}"
        assert f'href="{forms.as_address(url)}"' in body.html(f"[x]({body.escape(url)})")
