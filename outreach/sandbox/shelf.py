"""The book on disk, so that a demo's phones still show yesterday's messages after a restart. Invented patients only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from outreach.sandbox.book import Book, Mail, Message


def take_down(book: Book, path: Path) -> None:
    """Fill an empty book from `path`; a file that is missing, broken or of another version leaves it empty."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        for one in kept["messages"]:
            book.add(Message(**_times(one, "created", "updated", "sent")))
        for one in kept["mails"]:
            headers = tuple((name, value) for name, value in one.pop("headers"))
            book.add_mail(Mail(**_times(one, "received"), headers=headers))
        book.stopped.update((phone, clinic) for phone, clinic in kept["stopped"])
    except (OSError, ValueError, KeyError, TypeError):
        book.clear()


def put_up(book: Book, path: Path) -> None:
    """Write everything aside, then swap: a crash leaves the old file or the new one, never half of one."""
    kept = {
        "messages": [asdict(one) for one in book.messages.values()],
        "mails": [asdict(one) for one in book.mails],
        "stopped": sorted(book.stopped),
    }
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(kept, file, ensure_ascii=False, default=datetime.isoformat)
    aside.replace(path)


def _times(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: datetime.fromisoformat(row[name]) for name in names if row[name]}
