"""Rows as XLIFF 1.2, which every translator's tool reads (2.1 many do not), through a parser that fetches nothing.

The mark of a row stands in its id: tools keep ids, since they find units by them, and drop what they do not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from xml.parsers import expat

from outreach.content.formats import Language
from outreach.content.rows import MOST_BYTES, Row
from outreach.errors import BadFile

_STATES = {"translated": "translated", "fuzzy": "needs-review-translation", "changed": "needs-review-translation"}
_DEEPEST = 40
_SPACE = "urn:oasis:names:tc:xliff:document:1.2"


def written(rows: Iterable[Row], language: Language) -> bytes:
    """A document of one file; a plural form is a unit of its own, with the numbers it stands for in its note."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xliff version="1.2" xmlns="{_SPACE}">',
        f'<file original="messages" datatype="plaintext" source-language="en" target-language="{language.tag}">',
        "<body>",
    ]
    for row in rows:
        note = " ".join(filter(None, [row.note, row.stands_for and f"Stands for: {row.stands_for}."]))
        lines += [
            f'<trans-unit id="{escape(row.name)}#{row.mark}" resname="{escape(row.name)}" xml:space="preserve">',
            f"<source>{escape(row.english, False)}</source>",
            f'<target state="{_STATES.get(row.state, "new")}">{escape(row.translation, False)}</target>',
            *([f"<note>{escape(note, False)}</note>"] if note else []),
            "</trans-unit>",
        ]
    return "\n".join([*lines, "</body>", "</file>", "</xliff>", ""]).encode()


def read(name: str, raw: bytes) -> list[Row]:
    """The rows of a document. A document type, and with it every entity and everything from elsewhere, is refused.
    Raises BadFile."""
    if len(raw) > MOST_BYTES:
        raise BadFile(
            name, 0, f"the file has {len(raw)} bytes.", f"At most {MOST_BYTES} are read; is it the right one?"
        )
    reader = _Reader(name)
    try:
        reader.parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise BadFile(
            name, error.lineno, f"this is no XML ({expat.ErrorString(error.code)}).", "Export again."
        ) from error
    if not reader.locale:
        raise BadFile(
            name, 0, "this is no XLIFF 1.2 with a target-language.", "Export it from here, or save it as 1.2."
        )
    return reader.rows


class _Reader:
    """What is heard while a document is read."""

    def __init__(self, name: str) -> None:
        self.name, self.locale, self.rows = name, "", list[Row]()
        self._unit, self._said, self._line, self._inside, self._depth = "", dict[str, str](), 0, "", 0
        self._aside = (
            0  # how deep within an alt-trans: suggestions that a tool adds, with a source and target of their own
        )
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise BadFile(self.name, line, "the file has a document type (DOCTYPE).", "Export again; ours has none.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadFile(self.name, self.parser.CurrentLineNumber, "elements stand too deep.", "Export again.")
        element = tag.removeprefix(f"{_SPACE} ")
        if element == "file":
            self.locale = attributes.get("target-language", "").replace("-", "_")
        elif element == "alt-trans" or self._aside:
            self._aside += 1
        elif element == "trans-unit":
            self._unit, self._said, self._line = attributes.get("id", ""), {}, self.parser.CurrentLineNumber
        elif element in ("source", "target") and self._unit:
            self._inside = element
            self._said.setdefault(element, "")

    def _end(self, tag: str) -> None:
        self._depth -= 1
        element = tag.removeprefix(f"{_SPACE} ")
        if self._aside:
            self._aside -= 1
        elif element in ("source", "target"):
            self._inside = ""
        elif element == "trans-unit":
            name, _, mark = self._unit.rpartition("#")
            place = f"{self.name}:{self._line}"
            english, said = self._said.get("source", ""), self._said.get("target", "")
            self.rows.append(Row(self.locale, name or mark, english, said, mark if name else "", place=place))
            self._unit = ""

    def _text(self, text: str) -> None:
        if self._inside:
            self._said[self._inside] += text
