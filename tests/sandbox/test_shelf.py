"""The sandbox's book over a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outreach.sandbox.book import Book, Mail, Message
from outreach.sandbox.shelf import put_up, take_down

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_a_restart_forgets_no_message(tmp_path: Path) -> None:
    book, again = Book(), Book()
    book.add(
        Message(
            "SM1",
            "+12025550101",
            "+12025550100",
            None,
            "مرحبا",
            "outbound-api",
            "delivered",
            NOW,
            NOW,
            NOW,
            attempt="a1",
        )
    )
    book.add_mail(
        Mail("m1", "a@example.com", "care@x.example", NOW, "Hi", "Hi", "", "", (("X", "y"),), "<a2@x.example>")
    )
    put_up(book, tmp_path / "book.json")
    take_down(again, tmp_path / "book.json")
    assert (again.messages, list(again.mails), again.attempts) == (book.messages, list(book.mails), book.attempts)
    assert (tmp_path / "book.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"messages": [{"sid": 1}], "mails": []}'], ids=["empty", "torn", "list", "other"]
)
def test_a_broken_shelf_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "book.json").write_text(text)
    book = Book()
    take_down(book, tmp_path / "book.json")
    assert not book.messages
    assert not book.mails
