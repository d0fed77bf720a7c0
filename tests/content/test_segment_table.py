"""docs/segments.md: as the catalogs and the templates are now."""

from __future__ import annotations

from outreach.content import segment_table
from outreach.content.checker.house import House
from outreach.content.compose import Words
from outreach.content.measure import longest, measure
from outreach.settings import ROOT

TYPICAL, LONGEST = (longest(ROOT / "config" / f"{name}.yaml") for name in ("typical", "longest"))


def test_the_page_is_that_of_the_catalogs() -> None:
    said = segment_table.page(House(ROOT), TYPICAL, LONGEST)
    message = "docs/segments.md is old; run: outreach locales segments --write"
    assert (ROOT / "docs" / "segments.md").read_text("utf-8") == said, message


def test_a_unit_is_as_long_as_the_message_that_it_is(words: Words) -> None:
    composed = {(one.locale, f"{one.key}.sms"): one for one in measure(words, ROOT / "config" / "longest.yaml")
                if one.wording == "full"}  # fmt: skip
    seen = 0
    for row in segment_table.rows(House(ROOT), TYPICAL, LONGEST):
        whole = composed.get((row.locale, row.key))
        # With a next visit, the longest values say post.two_weeks.sms.next instead.
        if whole is not None and row.key != "post.two_weeks.sms" and row.longest is not None:
            assert (row.longest.encoding, row.longest.segments) == (whole.encoding, whole.segments), (row, whole)
            seen += 1
    assert seen > 300
