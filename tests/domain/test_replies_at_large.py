"""Replies as people write them, in thirteen languages, written by somebody who had not seen our words.

`replies_first.jsonl` showed what was missing and was then used to mend it, so it proves only that nothing slips back.
`replies_second.jsonl` was written as blindly afterwards, `replies_third.jsonl` as well by another, and
`replies_fourth.jsonl` by whoever had mended the words by then; `replies_fifth.jsonl` by another, who had seen only the
English, Spanish, Arabic and French stops at the head of our words; `replies_sixth.jsonl` by two who had seen nothing,
to be hard: romanised, misspelt, and ordinary ones that speak of chests and stops; `replies_seventh.jsonl` by one more;
`replies_eighth.jsonl` and `replies_ninth.jsonl` by two more, who had seen nothing either.
What each gave: docs/compliance.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outreach.domain.replies import understand
from tests import shipped

WORDS = shipped.replies()
CORPORA = sorted(Path(__file__).parent.glob("replies_*.jsonl"))
LEAST = {"stop": 40, "help": 15, "urgent": 40, "ordinary": 200}


def written(path: Path, expect: str) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if row["expect"] == expect]


def test_there_are_many_ways_to_say_it() -> None:
    assert len(CORPORA) == 9
    for expect, least in LEAST.items():
        for rows in filter(None, (written(path, expect) for path in CORPORA)):
            assert len({row["locale"] for row in rows}) == 13
            assert len(rows) >= min(least, 130)
        assert sum(len(written(path, expect)) for path in CORPORA) >= 3 * least


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.stem)
def test_no_stop_is_missed(path: Path) -> None:
    assert [row for row in written(path, "stop") if understand(row["text"], WORDS).kind != "stop"] == []


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.stem)
def test_nothing_urgent_is_missed(path: Path) -> None:
    assert [row for row in written(path, "urgent") if not understand(row["text"], WORDS).urgent] == []


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.stem)
def test_who_asks_for_help_gets_an_answer(path: Path) -> None:
    """Or is taken to want no more, where they say that they never signed up: that is answered too."""
    said = [(row, understand(row["text"], WORDS)) for row in written(path, "help")]
    assert [row for row, one in said if one.kind not in ("help", "stop") and not one.urgent] == []


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.stem)
def test_few_ordinary_replies_raise_a_false_alarm(path: Path) -> None:
    rows = written(path, "ordinary")
    alarms = [row for row in rows if (one := understand(row["text"], WORDS)).urgent or one.kind in ("stop", "help")]
    assert len(alarms) < len(rows) * 0.05, alarms
