"""A template merged into a catalog, entry by entry and by key: no translation is guessed by likeness, no line moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outreach.content.pofile import Entry, parse
from outreach.errors import BadFile

_KEYWORD = re.compile(r"(?:#~ ?)?(msgctxt|msgid_plural|msgid|msgstr)\b")
_GENERATED = ("#.", "#:", "#,", "#=")
_FORMAT = re.compile(r"(no-)?[a-z-]+-format")


@dataclass(eq=False)
class Block:
    """One entry as it is written: the comments above it, its keyword lines, and what they say."""

    comments: list[str]
    lines: list[str]
    entry: Entry

    @property
    def place(self) -> tuple[str, str]:
        return self.entry.key, self.entry.source

    @property
    def english(self) -> tuple[str, str]:
        return self.entry.source, self.entry.plural

    def said(self, keyword: str) -> list[str]:
        """The lines from a keyword (msgid, msgstr) to the last that belongs to it."""
        inside, found = False, []
        for line in self.lines:
            if line.startswith("msg"):
                inside = line.startswith(keyword)
            found += [line] if inside else []
        return found

    def written(self) -> str:
        return "\n".join([*self.comments, *self.lines])


def merged(path: Path, text: str, template: str, count: int) -> str:
    """The catalog with the entries of the template: what is new stands there empty, `count` forms of it; what has
    changed is fuzzy and says in `#|` of which English it is the translation; what is gone is kept as obsolete.

    The header, credits, notes and the order stay; merging again changes nothing. Raises BadFile.
    """
    mark = "\r\n" if "\r\n" in text else "\n"
    (header, *living), gone = _blocks(path, text.replace("\r\n", "\n"))
    wanted = _blocks(path, template)[0][1:]
    mine = _owners(living, wanted)
    retired = {block.place: block for block in gone}
    found = {id(block) for block in mine.values()}
    order = [header, *(block for block in living if id(block) in found)]
    before = header
    for one in wanted:
        block = mine.get(one.place)
        if block is None:
            block = retired.pop(one.place, None) or Block(one.comments, one.lines, one.entry)
            order.insert(order.index(before) + 1, block)
        _refresh(block, one, count)
        before = block
    kept = [block for block in gone if block.place in retired]
    kept += [block for block in living if id(block) not in found and any(block.entry.forms)]
    written = [block.written() for block in order] + [_retired(block) for block in kept]
    ending = "\n" * max(1, len(text) - len(text.rstrip()) - text.count("\r", len(text.rstrip())))
    return ("\n\n".join(written) + ending).replace("\n", mark)


def _owners(living: list[Block], wanted: list[Block]) -> dict[tuple[str, str], Block]:
    """Which entry of the catalog is which of the template: by key and English, else by a key that is there once."""
    exact = {block.place: block for block in living}
    owners = {one.place: exact[one.place] for one in wanted if one.place in exact}
    keys = [one.entry.key for one in wanted]
    left = {block.entry.key: block for block in living if block.place not in owners}
    for one in wanted:
        key = one.entry.key
        if one.place not in owners and key and key in left and keys.count(key) == 1:
            owners[one.place] = left[key]
    return owners


def _blocks(path: Path, text: str) -> tuple[list[Block], list[Block]]:
    """The living entries, header first, and the obsolete ones."""
    whole = parse(path, text)  # so that a fault is told of with its line
    if not whole or whole[0].source or whole[0].key:
        raise BadFile(path, 1, "the header (the entry with an empty msgid) is missing.", "Begin with it.")
    living: list[Block] = []
    gone: list[Block] = []
    for lines in _chunks(text):
        obsolete = any(line.startswith("#~") for line in lines)
        if obsolete:
            lines = [re.sub(r"^#~ ?(\|?)", lambda found: "#|" if found[1] else "", line) for line in lines]
        comments = [line for line in lines if line.startswith("#")]
        words = [line for line in lines if not line.startswith("#")]
        if words:
            block = Block(comments, words, parse(path, "\n".join(lines))[0])
            (gone if obsolete else living).append(block)
    return living, gone


def _chunks(text: str) -> Iterator[list[str]]:
    """The lines of each entry, with the comments above it."""
    chunk: list[str] = []
    last = ""  # the keyword before
    for line in filter(None, map(str.strip, text.split("\n"))):
        found = _KEYWORD.match(line)
        keyword = found[1] if found else ""
        comment = line.startswith("#") and (not line.startswith("#~") or line.startswith("#~|"))
        if last and (comment or keyword == "msgctxt" or (keyword == "msgid" and last != "msgctxt")):
            yield chunk
            chunk, last = [], ""
        chunk.append(line)
        last = keyword or last
    yield chunk


def _refresh(mine: Block, one: Block, count: int) -> None:
    """Bring one entry of the catalog up to the template's."""
    notes = [line for line in mine.comments if not line.startswith((*_GENERATED, "#|"))]
    flags = sorted(flag for flag in mine.entry.flags if not _FORMAT.fullmatch(flag) and flag != "fuzzy")
    flags += sorted(one.entry.flags)
    was = [line for line in mine.comments if line.startswith("#|")]
    fuzzy = mine.entry.fuzzy
    if mine.english != one.english:
        if any(mine.entry.forms):
            was, fuzzy = was or [f"#| {line}" for line in mine.said("msgid")], True
        mine.lines = [*_heading(one), *_forms(mine.entry.forms, one, count, mine.said("msgstr"))]
        was = [] if (mine.entry.was.get("msgid"), mine.entry.was.get("msgid_plural", "")) == one.english else was
    elif one.entry.plural and len(mine.entry.forms) < count:  # a new one, made of the template's two
        mine.lines = [*_heading(mine), *_forms(mine.entry.forms, one, count)]
    flags = ["fuzzy", *flags] if fuzzy else flags
    marks = [f"#, {', '.join(flags)}"] if flags else []
    mine.comments = [*notes, *(line for line in one.comments if line.startswith(("#.", "#:"))), *marks, *was]


def _heading(one: Block) -> list[str]:
    return [*one.said("msgctxt"), *one.said("msgid")]


def _forms(said: tuple[str, ...], one: Block, count: int, lines: list[str] | None = None) -> list[str]:
    """The msgstr lines: those there are, where there are as many as are needed, else as far as they go."""
    wanted = max(count, len(said)) if one.entry.plural else 1
    if lines and len(said) == wanted and lines[0].startswith("msgstr[") == bool(one.entry.plural):
        return lines
    names = [f"msgstr[{n}]" for n in range(wanted)] if one.entry.plural else ["msgstr"]
    return [f'{name} "{_escaped(said[n]) if n < len(said) else ""}"' for n, name in enumerate(names)]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _retired(block: Block) -> str:
    notes = [line for line in block.comments if not line.startswith(("#.", "#:", "#|"))]
    was = [f"#~{line[1:]}" for line in block.comments if line.startswith("#|")]
    return "\n".join([*notes, *was, *(f"#~ {line}" for line in block.lines)])
