"""The figures of the pages into docs/pages.md: between its markers the promises, the slowest pages, the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from outreach.bench.report import TARGETS, Row
from outreach.errors import BadFile

SLOWEST = 20
PROMISED = ("page_median", "page_p99", "page_cpu", "page_ratio", "page_inbox", "page_size", "page_patient_size")
MARKERS = ("machine", "promises", "slowest")


def ready(page: Path) -> str:
    """The page as it is, before minutes are spent on figures for it. BadFile: unreadable, or it lacks a marker."""
    try:
        text = page.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadFile(page, 0, "it cannot be read as text.", "Name the page with the markers: docs/pages.md.") from None
    for name in MARKERS:
        if not _between(name).search(text):
            raise BadFile(page, 0, f"the marker <!-- {name} --> is missing.", "Put it and its end where it goes.")
    return text


def write(rows: Sequence[Row], machine: Mapping[str, Any], page: Path) -> None:
    """Fill both tables and the line above them. BadFile: as `ready`, or the rows are not of pages."""
    found = {row.target: row for row in rows}
    if not found.keys() >= set(PROMISED):
        raise BadFile(page, 0, "the figures of the pages were not measured.", "Run the section pages.")
    text = ready(page)
    for name, body in parts(found, machine).items():
        filled = f"<!-- {name} -->\n{body}\n<!-- end of {name} -->"
        text = _between(name).sub(lambda _found, filled=filled: filled, text)  # type: ignore[misc]
    page.write_text(text, "utf-8")


def _between(name: str) -> re.Pattern[str]:
    return re.compile(f"<!-- {name} -->\n.*?<!-- end of {name} -->", re.DOTALL)


def parts(found: Mapping[str, Row], machine: Mapping[str, Any]) -> dict[str, str]:
    """What stands between the markers, by their names."""
    promises = ["| what | measured | must | which |", "| --- | --: | --: | --- |"]
    for name in PROMISED:
        row, target = found[name], TARGETS[name]
        which = max(row.beside, key=lambda one: row.beside[one])
        unit = "" if target.unit == "x" else f" {target.unit}"
        promises.append(f"| {target.name} | {row.value:.3g}{unit} | {target.must:g}{unit} | `{which}` |")
    columns = [found[name].beside for name in ("page_median", "page_p99", "page_cpu", "page_ratio")]
    sizes = found["page_size"].beside | found["page_patient_size"].beside
    slowest = ["| page | median, ms | p99, ms | CPU, ms | / floor | kB |", "| --- | --: | --: | --: | --: | --: |"]
    for one in sorted(columns[2], key=lambda one: -columns[2][one])[:SLOWEST]:
        slowest.append(f"| `{one}` | " + " | ".join(f"{values[one]:.3g}" for values in [*columns, sizes]) + " |")
    return {
        "machine": f"Python {machine['python']}, PostgreSQL {machine['postgresql']}, {machine['cores']} cores;"
        f" {len(columns[0])} pages, each asked for in turn.",
        "promises": "\n".join(promises),
        "slowest": "\n".join(slowest),
    }
