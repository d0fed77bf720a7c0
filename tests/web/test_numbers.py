"""Telephone numbers in text: in one piece, and nothing else touched."""

from __future__ import annotations

from outreach.web.numbers import grouped, share, whole
from outreach.web.patient.reader import unbroken

WHOLE = {
    "Call +1 202-555-0143 now.": "Call <bdi dir=\"ltr\" class=\"whole\">+1 202-555-0143</bdi> now.",
    "(202) 555-0143": "<bdi dir=\"ltr\" class=\"whole\">(202) 555-0143</bdi>",
    "اتصل بنا +44 20 7946 0018": "اتصل بنا <bdi dir=\"ltr\" class=\"whole\">+44 20 7946 0018</bdi>",
}  # fmt: skip
UNTOUCHED = ("911", "at 10:00 on Nov 28, 2026", "ana2025550143@example.com", "https://example.org/p/2025550143", "")


def test_a_number_stays_whole_and_what_is_none_is_left_alone() -> None:
    for text, marked in WHOLE.items():
        assert whole(text) == marked
    for text in UNTOUCHED:
        assert whole(text) == text
    assert whole("<b>2025550143") == '&lt;b&gt;<bdi dir="ltr" class="whole">2025550143</bdi>'  # escaped all the same


def test_counts_and_shares_are_written_as_their_language_has_them() -> None:
    assert [grouped(1234567, one) for one in ("en_US", "es_US", "de")] == ["1,234,567", "1,234,567", "1.234.567"]
    assert [grouped(one) for one in (0, 2.5)] == ["0", "2.5"]
    assert share(0.744) == "74%"


def test_patients_see_no_place_where_a_line_could_break() -> None:
    assert unbroken("+1 202-555-0143") == "+1\u00a0202\u2011555\u20110143"
