"""What takes an alarm or a stop back takes back its own words and no other: a table of texts that were misread."""

from __future__ import annotations

from pathlib import Path

import yaml

from outreach.domain.replies import understand
from tests import shipped

TABLE = yaml.safe_load(Path(__file__).with_name("reply_guards.yaml").read_text("utf-8"))


def test_each_is_taken_for_what_it_says() -> None:
    words = shipped.replies()
    wrong = []
    for expect, texts in TABLE.items():
        for text in texts:
            meant = understand(text, words)
            right = {"urgent": bool(meant.urgent), "no alarm": not meant.urgent, "no stop": meant.kind != "stop"}
            if not right.get(expect, meant.kind == expect):
                wrong.append((expect, text, meant.kind, meant.urgent, meant.why))
    assert wrong == []
