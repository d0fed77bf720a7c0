"""The words of the console: from its templates and our sentences to console.pot, and into each catalog of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_python

from outreach.content.extraction import brought_up, first_lines, flags, written

NAME = "console"
# `say("...")` makes a sentence of errors.py; the rest is gettext's own.
KEYWORDS: dict[str, Any] = {
    "_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
    "say": None,
}  # fmt: skip
_CALL = re.compile("|".join(rf"\b{name}\s*\(" for name in KEYWORDS).encode())
OPERATORS = frozenset({"bench", "chaos", "cli", "sandbox"})  # what they say is for whoever runs the service, in English
JINJA = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false", "encoding": "utf-8"}
_COMMENT = """# Words of the console, for staff.
# This file is generated from templates/ and outreach/ by `outreach locales extract`; do not edit it."""
UNIT = re.compile(r"[a-z_]+(\.[a-z_]+)+")  # `voice.say("time.clinic")` names a unit of the patients' catalogs
GUIDE = "styleguide.html"  # for whoever builds pages, in a demo


def template(root: Path) -> bytes:
    """The bytes of console.pot for the code as it is. The same words give the same bytes."""
    catalog = Catalog(project="outreach", version="0.1", header_comment=_COMMENT, charset="utf-8", fuzzy=False)
    for place, message, comments, context in _found(root):
        catalog.add(message, None, [(place, 0)], flags=flags(message), auto_comments=comments, context=context)
    return written(catalog)


def extract(root: Path) -> Path:
    """Write locales/console.pot."""
    path = root / "locales" / f"{NAME}.pot"
    path.write_bytes(template(root))
    return path


def update(root: Path, locale: str) -> Path:
    """Bring one catalog of the console up to date, never by likeness; begins it where there is none."""
    path = root / "locales" / locale / "LC_MESSAGES" / f"{NAME}.po"
    beginning = first_lines(locale, "staff who find a clumsy word should say so")
    return brought_up(path, locale, template(root), beginning)


def targets(root: Path) -> list[str]:
    """The languages that the console has a catalog for, without English."""
    return sorted(path.parent.parent.name for path in (root / "locales").glob(f"*/LC_MESSAGES/{NAME}.po"))


def _found(root: Path) -> Iterator[tuple[str, str | tuple[str, ...], list[str], str | None]]:
    """(file, message, comments, context), in the order of the files' names."""
    for folder, method, options in (
        (root / "templates" / "console", [("**.html", "jinja2")], {"**.html": JINJA}),
        (root / "templates" / "translate", [("**.html", "jinja2")], {"**.html": JINJA}),
        (
            root / "outreach",
            [*((f"{one}/**.py", "ignore") for one in OPERATORS), ("**.py", f"{__name__}:sentences")],
            {"**.py": {"encoding": "utf-8"}},
        ),
    ):
        for name, _line, message, comments, context in extract_from_dir(
            str(folder), method, options, keywords=KEYWORDS, comment_tags=("i18n:",), strip_comment_tags=True
        ):
            if name == GUIDE or UNIT.fullmatch(str(message)):
                continue
            yield (folder.relative_to(root) / name).as_posix(), message, comments, context


def sentences(
    fileobj: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[Any]:
    """For Babel: the texts of a module that has any. Most have none, and taking all into tokens costs a second."""
    if _CALL.search(fileobj.read()):
        fileobj.seek(0)
        yield from extract_python(fileobj, keywords, comment_tags, options)  # type: ignore[arg-type]
