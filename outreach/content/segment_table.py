"""docs/segments.md: what each SMS takes in each language, with typical values and with the longest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from outreach.content import catalogs
from outreach.content.checker.findings import is_sms
from outreach.content.checker.house import SOURCE, House
from outreach.content.checker.length import Room, measured
from outreach.content.compose import Values
from outreach.domain.segments import Segments

_HEAD = """# Segments of each SMS

This page is made by `outreach locales segments --write`; a test holds it to the catalogs. Do not edit it.

A segment is what carriers charge for. *Typical* counts with the values of `config/typical.yaml`, *longest* with those
of `config/longest.yaml`, which decide: English may take {source} segments, other languages {others}. GSM-7 holds 160
units, or 153 in each of several segments; UCS-2, which one letter outside GSM-7 forces upon the whole text, 70 or 67.
"""


@dataclass(frozen=True)
class Row:
    """One SMS in one language. None where a value makes it unsendable."""

    locale: str
    key: str
    typical: Segments | None
    longest: Segments | None


def rows(house: House, typical: Values, longest: Values) -> Iterator[Row]:
    """Every SMS in every language that has words for it. Raises BadFile for a catalog that cannot be loaded."""
    keys = [key for key in house.units if is_sms(key)]
    for locale in house.languages:
        said = _catalog(house, locale).forms
        rooms = [house.room(locale, values) for values in (typical, longest)]
        for key in sorted(keys):
            if key in said:
                yield Row(locale, key, *(_size(said[key], room) for room in rooms))


def _catalog(house: House, locale: str) -> catalogs.Catalog:
    if locale == SOURCE:
        return catalogs.identity(SOURCE, house.units)
    return catalogs.load(house.catalog(locale), locale, house.units)


def _size(forms: tuple[str, ...], room: Room) -> Segments | None:
    sizes = [size for form in forms if (size := measured(form, room))]
    return max(sizes, key=lambda size: (size.segments, size.units), default=None)


def page(house: House, typical: Values, longest: Values) -> str:
    """The whole page: an overview of segments, then a table for each language."""
    found = list(rows(house, typical, longest))
    source, others = (house.room(locale, longest).budget for locale in (SOURCE, "es"))
    lines = [_HEAD.format(source=source, others=others), "## Segments with the longest values", ""]
    by = {(row.key, row.locale): row for row in found}
    keys = sorted({row.key for row in found})
    lines += [f"| message | {' | '.join(house.languages)} |", "|---|" + "--:|" * len(house.languages)]
    for key in keys:
        cells = (_segments(by.get((key, locale))) for locale in house.languages)
        lines.append(f"| `{key}` | {' | '.join(cells)} |")
    for locale, language in house.languages.items():
        lines += ["", f"## {language.name} ({locale})", "", *_table([row for row in found if row.locale == locale])]
    return "\n".join(lines) + "\n"


def _segments(row: Row | None) -> str:
    return str(row.longest.segments) if row and row.longest else "–"


def _table(found: list[Row]) -> Iterator[str]:
    yield "| message | typical: encoding | units | segments | longest: encoding | units | segments |"
    yield "|---|---|--:|--:|---|--:|--:|"
    for row in found:
        cells = (
            f"{one.encoding} | {one.units} | {one.segments}" if one else "– | – | –"
            for one in (row.typical, row.longest)
        )
        yield f"| `{row.key}` | {' | '.join(cells)} |"
