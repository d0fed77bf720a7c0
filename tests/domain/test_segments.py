"""The segment counter against Twilio's vectors, the standard's table, and an independent packer."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import regex
import smsutil
from hypothesis import assume, given
from hypothesis import strategies as st

from outreach.domain.segments import BASIC, EXTENSION, SIZES, UCS2, count, normalise, size
from outreach.errors import BadInput


def test_every_expectation_of_twilios_own_calculator_holds(shared: Callable[[str], Path]) -> None:
    vectors = json.loads(shared("vectors/twilio-segments.json").read_text("utf-8"))["vectors"]
    assert len(vectors) == 10
    for vector in vectors:
        found = count(vector["string"])
        assert (found.encoding, found.segments) == (vector["encoding"], vector["segments"]), vector["name"]


TABLE = [
    ("a" * 160, "GSM-7", 160, 1),
    ("a" * 161, "GSM-7", 161, 2),
    ("a" * 306, "GSM-7", 306, 2),
    ("a" * 307, "GSM-7", 307, 3),
    ("a" * 1530, "GSM-7", 1530, 10),
    ("a" * 1531, "GSM-7", 1531, 11),
    ("a" * 1600, "GSM-7", 1600, 11),
    ("€" * 80, "GSM-7", 160, 1),
    ("€" * 81, "GSM-7", 162, 2),
    ("a" * 158 + "€", "GSM-7", 160, 1),
    ("a" * 159 + "€", "GSM-7", 161, 2),
    ("a" * 152 + "€" + "b" * 152, "GSM-7", 306, 3),
    ("a" * 153 + "€" + "b" * 151, "GSM-7", 306, 2),
    ("a" * 139 + "`", "UCS-2", 140, 3),
    ("я" * 70, "UCS-2", 70, 1),
    ("я" * 71, "UCS-2", 71, 2),
    ("я" * 134, "UCS-2", 134, 2),
    ("я" * 135, "UCS-2", 135, 3),
    ("я" + "]" * 69, "UCS-2", 70, 1),
    ("😀" * 35, "UCS-2", 70, 1),
    ("😀" * 36, "UCS-2", 72, 2),
    ("я" * 66 + "😀" + "я" * 66, "UCS-2", 134, 3),
]


@pytest.mark.parametrize(("text", "encoding", "units", "segments"), TABLE, ids=lambda v: str(v)[:8])
def test_the_examples_of_the_standard(text: str, encoding: str, units: int, segments: int) -> None:
    found = count(text)
    assert (found.encoding, found.units, found.segments) == (encoding, units, segments)


def test_the_alphabet_has_137_characters_and_no_escape() -> None:
    assert len(BASIC | EXTENSION) == 137
    assert "\x1b" not in BASIC | EXTENSION


def test_the_characters_that_force_ucs2_are_named_with_their_positions() -> None:
    assert count("infusión más").forcing == ((6, "ó"), (10, "á"))
    assert count("plain").forcing == ()


def test_a_cldr_time_costs_one_segment_after_normalising() -> None:
    text = "9:30\u202fAM " + "a" * 129
    assert count(text).segments == 3
    assert count(normalise(text)).segments == 1


def test_a_cluster_longer_than_a_segment_is_broken_by_code_point() -> None:
    assert count("я" + "\u0301" * 200).segments == 3


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("a\r\nb", "a\nb"), ("a\tb", "a b"), ("e\u0301", "é"), ("a\u00a0b\u2009c", "a b c"), ("می\u200cخواهم",) * 2],
    ids=["line end", "tab", "decomposed", "odd spaces", "non-joiner stays"],
)
def test_normal_form(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x0b", "\x04", "\u2028", "\ud800", "\ufffe", "\ufdd0", "\x85"])
def test_what_no_phone_can_show_is_refused_with_its_place(bad: str) -> None:
    with pytest.raises(BadInput, match=f"U\\+{ord(bad):04X} at position 2"):
        normalise("ab" + bad)


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(BadInput, match="empty"):
        normalise(" \n")


@given(st.text(alphabet=sorted((BASIC | EXTENSION) - {"\r"}) + list("яжك日本漢😀𠮷"), min_size=1, max_size=500))
def test_it_agrees_with_an_independent_packer(text: str) -> None:
    assert count(text).segments == len(smsutil.split(text).parts)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=200))
def test_normalising_twice_changes_nothing(text: str) -> None:
    if not text.strip() or any(char in text for char in "\u2028\u2029"):
        return
    assert normalise(normalise(text)) == normalise(text)


@given(
    st.text(
        alphabet=st.sampled_from(list("ab€]\n éяعم日😀👩\u200d\u0301\u093f\u094dकग한ᄀ\u200f\u2068\u2069🇨")),
        max_size=260,
    )
)
def test_the_short_ways_count_as_the_long_one_does(text: str) -> None:
    units, widths = SIZES[size(text)[0]], None
    if size(text)[0] == UCS2:
        widths = [len(part.encode("utf-16-le")) // 2 for part in regex.findall(r"\X", text)]
        assume(max(widths, default=0) <= units[1])
    else:
        widths = [2 if char in EXTENSION else 1 for char in text]
    segments, room = 1, units[1]
    for width in widths:
        segments, room = (segments + 1, units[1] - width) if width > room else (segments, room - width)
    assert size(text)[1:] == (sum(widths), 1 if sum(widths) <= units[0] else segments)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_the_short_way_to_the_normal_form_is_the_long_one(text: str) -> None:
    assume(text.strip())
    spaces = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\t"), " ")
    try:
        said = normalise(text)
    except BadInput:
        return
    assert said == unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").translate(spaces))


def test_cutting_at_borders_counts_as_packing_every_cluster_does() -> None:
    """Clusters are looked for where a segment ends only; packing all of them, one by one, must count the same."""
    chance = random.Random(5)
    pools = [
        "abc ñ", "ا ب\u200c\u200dپ", "नम\u094dस\u0947क\u094dष", "각\u1100\u1161\u11a8", "e\u0301a\u0300", "中文，。Ａ",
        "\u2764\ufe0f\u200d\u231a", "\u0600\u0601ab", "\n\r x", "\u3099か", "ก\u0e33",
    ]  # fmt: skip
    for _ in range(1500):
        pool = "".join(chance.sample(pools, chance.randint(1, 4)))
        text = "".join(chance.choice(pool) for _ in range(chance.randint(71, 420)))
        if chance.random() < 0.1:  # a cluster longer than a segment
            text = f"{text[:40]}{chr(0x301) * chance.randint(60, 90)}{text[40:]}"
        widths = [len(cluster) for cluster in regex.findall(r"\X", text)]
        packed, room = 1, 67
        for width in (one for whole in widths for one in ([whole] if whole <= 67 else [1] * whole)):
            if width > room:
                packed, room = packed + 1, 67
            room -= width
        assert size(text)[0] == "GSM-7" or size(text)[2] == packed, text
