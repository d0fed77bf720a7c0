"""Translations put back into English by somebody who had not seen the source: locales/<locale>/back.yaml."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from outreach.content.yaml_lines import read_yaml
from outreach.errors import BadFile


class Reading(NamedTuple):
    """`of`: the fingerprint of what was put back into English; `says`: each of its forms; `by`: who read it, where that
    was nobody independent (`drafter`: had seen the English), "" else."""

    of: str
    says: tuple[str, ...]
    by: str = ""


def fingerprint(forms: tuple[str, ...]) -> str:
    """What back.yaml and an entry's `# by:` name a translation by."""
    return hashlib.sha256("\0".join(forms).encode()).hexdigest()[:12]


def load(path: Path) -> dict[str, Reading]:
    """What was put back into English, by unit. Raises BadFile."""
    if not path.is_file():
        return {}
    try:
        tree = read_yaml(path)
        rows = tree["units"].items()
        return {str(key): Reading(str(row["of"]), _said(row["says"]), str(row.get("by", ""))) for key, row in rows}
    except (KeyError, TypeError, AttributeError) as error:
        what = f"the back-translations cannot be read ({error})."
        raise BadFile(path, 0, what, "Give units: each with of and says.") from error


def _said(says: object) -> tuple[str, ...]:
    return tuple(map(str, says)) if isinstance(says, list) else (str(says),)
