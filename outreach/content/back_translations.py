"""Translations put back into English by somebody who had not seen the source: locales/<locale>/back.yaml."""

from __future__ import annotations

import hashlib
from pathlib import Path

from outreach.content.yaml_lines import read_yaml
from outreach.errors import BadFile


def fingerprint(forms: tuple[str, ...]) -> str:
    """What back.yaml names a translation by."""
    return hashlib.sha256("\0".join(forms).encode()).hexdigest()[:12]


def load(path: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By unit: the fingerprint of what was put back into English, and what it says. Raises BadFile."""
    if not path.is_file():
        return {}
    try:
        tree = read_yaml(path)
        return {str(key): (str(row["of"]), _said(row["says"])) for key, row in tree["units"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        what = f"the back-translations cannot be read ({error})."
        raise BadFile(path, 0, what, "Give units: each with of and says.") from error


def _said(says: object) -> tuple[str, ...]:
    return tuple(map(str, says)) if isinstance(says, list) else (str(says),)
