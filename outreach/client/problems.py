"""What the API refuses, as exceptions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Problem(Exception):
    """A refusal (RFC 9457). `kind` is the last word of its type: not-found, changed-meanwhile, wrong-input, ..."""

    status: int
    kind: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        fields = "; ".join(f"{one.get('field')}: {one.get('detail')}" for one in self.errors)
        return f"{self.status} {self.kind}: {self.detail}" + (f" ({fields})" if fields else "")


class Unanswered(Exception):
    """No answer came, also after trying again. What was asked may have been done: ask again with the same key."""


def problem(status: int, body: bytes) -> Problem:
    """What an answer of 400 and above says, whoever gave it: something between us may speak in pages."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        said = {}
    kind = str(said.get("type", "")).rpartition(":")[2] or "unknown"
    return Problem(status, kind, str(said.get("detail", "")), list(said.get("errors", [])))
