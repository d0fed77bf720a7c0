"""Translations into a .po file where it stands: only the entries that were changed become other lines."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from outreach.content.back_translations import fingerprint
from outreach.content.pofile import BY, Entry, parse
from outreach.errors import BadFile, BadInput

_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_FORMS = re.compile(r"nplurals\s*=\s*(\d)")
# Control characters, halves of surrogate pairs, line and paragraph separators: editors show none of them, and some
# break a line there.
_NEVER = frozenset({"Cc", "Cs", "Zl", "Zp"})


def write(path: Path, changes: Mapping[str, tuple[str, ...]], *, translator: str, now: datetime) -> None:
    """Set the translations of some units of a catalog, by msgctxt: one form each, of a plural all of them in order.

    What was fuzzy or translated from older English counts as done after it. Whoever translated is named in the header,
    once among the credits, and above each entry that is theirs now. No other line changes, and nothing at all where the
    words are there already. Raises BadInput for words that no catalog can hold, for an unknown key and for a wrong
    number of forms, BadFile for a file that cannot be read or written; then the file is as it was.
    """
    name = _checked(translator.strip(), "the translator's name")
    if not name:
        raise BadInput("Say who translated: a name, best with an e-mail address.")
    for key, forms in changes.items():
        for form in forms:
            _checked(form.replace("\n", ""), key)
    path = path.resolve()  # a link stays a link
    with alone(path.parent):
        before = _read(path)
        after = changed(path, before, changes, name, now)
        if after != before:
            _replace(path, after)


def changed(path: Path, text: str, changes: Mapping[str, tuple[str, ...]], translator: str, now: datetime) -> str:
    """The text of a catalog with these translations; `path` is for what is said about it."""
    entries = parse(path, text)
    wanted = {}
    for entry in _chosen(path, entries, changes):
        forms = changes[entry.key]
        if entry.forms != forms or entry.fuzzy:
            wanted[entry.line] = forms
    if not wanted:
        return text
    lines = text.split("\n")
    for first, forms in sorted(wanted.items(), reverse=True):  # from below, so that the numbers above stay right
        _set(path, lines, _signed(lines, first - 1, f"{BY}{translator}, {now:%Y-%m-%d}, {fingerprint(forms)}"), forms)
    _revise(path, lines, entries[0], translator, now)
    _credit(lines, entries[0].line - 1, f"# {translator}", now.year)
    made = "\n".join(lines)
    _same_but(path, entries, parse(path, made), changes)
    return made


def _checked(text: str, what: str) -> str:
    for char in text:
        if unicodedata.category(char) in _NEVER:
            raise BadInput(
                f"{what}: the character U+{ord(char):04X} cannot be seen and may not stand there. Delete it."
            )
    return text


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
        writable = path.stat().st_mode & 0o222 and os.access(path, os.W_OK)
    except OSError as error:
        raise BadFile(path, 0, f"the catalog cannot be read ({error.strerror}).", "Check the file.") from error
    if not writable:
        raise BadFile(path, 0, "the catalog is read-only.", "Allow writing to it, or work in a copy.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(path, line, "the catalog is not UTF-8.", "Save it as UTF-8.") from error


def _chosen(path: Path, entries: list[Entry], changes: Mapping[str, tuple[str, ...]]) -> Iterator[Entry]:
    """The entries to be changed, each with as many forms as it takes."""
    if not entries or entries[0].source or entries[0].key:
        raise BadFile(path, 1, "the header (the entry with an empty msgid) is missing.", "Begin with it.")
    found = _FORMS.search(entries[0].forms[0])
    for key, forms in changes.items():
        mine = [entry for entry in entries[1:] if entry.key == key and key]
        if not mine:
            raise BadInput(f"{path}: no entry has the key {key!r}. Bring the catalog up to date first.")
        if len(mine) > 1:
            raise BadFile(path, mine[1].line, f"{key}: the key stands in line {mine[0].line} already.", "Keep one.")
        count = 1 if not mine[0].plural else int(found[1]) if found else len(mine[0].forms)
        if len(forms) != count:
            raise BadInput(f"{key} takes {count} forms of the translation, not {len(forms)}.")
        yield mine[0]


def _signed(lines: list[str], first: int, said: str) -> int:
    """Name who wrote the entry whose first keyword is in this line, above it; returns where that line is then."""
    top = first
    while top > 0 and lines[top - 1].startswith("#") and not lines[top - 1].startswith("#~"):
        top -= 1
    tail = "\r" if lines[first].endswith("\r") else ""
    there = next((at for at in range(top, first) if lines[at].startswith(BY)), None)
    if there is not None:
        lines[there] = said + tail
        return first
    lines.insert(top, said + tail)
    return first + 1


def _set(path: Path, lines: list[str], first: int, forms: tuple[str, ...]) -> None:
    """Put other msgstr lines into the entry whose first keyword is in this line; take fuzzy and `#|` from above it."""
    start = first
    while start < len(lines) and not lines[start].strip().startswith("msgstr"):
        start += 1
    end = start
    while end < len(lines) and lines[end].strip().startswith(("msgstr", '"')):
        end += 1
    if start == end:
        raise BadFile(path, first + 1, "the entry has no msgstr.", "Write one.")
    names = (
        ["msgstr"] if not lines[start].strip().startswith("msgstr[") else [f"msgstr[{n}]" for n in range(len(forms))]
    )
    tail = "\r" if lines[start].endswith("\r") else ""
    last_tail = tail if end < len(lines) or lines[end - 1].endswith("\r") else ""
    said = [f'{name} "{form.translate(_ESCAPED)}"{tail}' for name, form in zip(names, forms, strict=True)]
    said[-1] = said[-1].removesuffix("\r") + last_tail
    lines[start:end] = said
    while first > 0 and _above(lines[first - 1]):
        first -= 1
        line = lines[first].strip()
        if line.startswith("#|"):
            del lines[first]
        elif line.startswith(("#,", "#=")):
            kept = [flag for flag in line[2:].split(",") if "".join(flag.lower().split()) != "fuzzy"]
            if len(kept) != len(line[2:].split(",")):
                end_of_line = "\r" if lines[first].endswith("\r") else ""
                lines[first : first + 1] = [line[:2] + ",".join(kept) + end_of_line] if kept else []


def _above(line: str) -> bool:
    """Whether a line above an entry may still belong to it: a comment or a blank one, not an obsolete entry."""
    line = line.strip()
    return not line or (line.startswith("#") and not line.startswith("#~"))


def _revise(path: Path, lines: list[str], header: Entry, translator: str, now: datetime) -> None:
    """When and by whom, in the header."""
    for name, value in (
        ("PO-Revision-Date", f"{now.astimezone(UTC):%Y-%m-%d %H:%M}+0000"),
        ("Last-Translator", translator),
    ):
        start = header.line - 1
        while not lines[start].strip().startswith("msgstr"):
            start += 1
        tail = "\r" if lines[start].endswith("\r") else ""
        said = f'"{name}: {value.translate(_ESCAPED)}\\n"{tail}'
        at = start + 1
        while _quoted(lines, at) and not lines[at].strip().startswith(f'"{name}:'):
            at += 1
        if _quoted(lines, at):
            end = at
            while not lines[end].rstrip().endswith('\\n"') and _quoted(lines, end + 1):
                end += 1
            lines[at : end + 1] = [said]
        elif re.search(rf"^{name}:", header.forms[0], re.MULTILINE) or lines[start].strip() != 'msgstr ""':
            raise BadFile(path, start + 1, "fields of the header share a line.", "Put each on a line of its own.")
        else:
            lines.insert(start + 1, said)


def _quoted(lines: list[str], at: int) -> bool:
    """Whether the line is there and goes on with a text."""
    return at < len(lines) and lines[at].strip().startswith('"')


def _credit(lines: list[str], header: int, name: str, year: int) -> None:
    """A comment line above the header for whoever translated: a name, and the years."""
    tail = "\r" if lines[header].endswith("\r") else ""
    at = 0
    for number in range(header):
        line = lines[number].rstrip()
        if re.fullmatch(rf"{re.escape(name)}(, \d{{4}})+\.?", line):
            if str(year) not in line.removeprefix(name):
                lines[number] = f"{line.rstrip('.')}, {year}.{tail}"
            return
        if line.startswith("# "):
            at = number + 1
    lines.insert(at, f"{name}, {year}.{tail}")


def _same_but(path: Path, before: list[Entry], after: list[Entry], changes: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse to write a file that says anything but the old words and the new ones, however odd it was before."""
    said = [_told(entry, entry.forms, entry.fuzzy) for entry in after[1:]]
    meant = [
        _told(entry, changes.get(entry.key, entry.forms), entry.fuzzy and entry.key not in changes)
        for entry in before[1:]
    ]
    if said != meant:
        odd = next((one[0] for one, other in zip(said, meant, strict=False) if one != other), "the last entry")
        raise BadFile(path, 0, f"{odd}: the lines of this entry are in an unusual order.", "Write it anew.")


def _told(entry: Entry, forms: tuple[str, ...], fuzzy: bool) -> tuple[str, str, str, tuple[str, ...], bool]:
    return entry.key, entry.source, entry.plural, forms, fuzzy


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One writer at a time in a folder: two who save at once would each write the file without the other's words.

    `write` holds the catalog's folder: who looks before writing holds the one above it. Raises BadFile.
    """
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise BadFile(folder, 0, f"the folder cannot be read ({error.strerror}).", "Check it.") from error
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _replace(path: Path, text: str) -> None:
    """Either the old file or the whole new one, whatever happens in between."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        made = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            made.chmod(path.stat().st_mode & 0o7777)
            made.replace(path)
        except BaseException:
            made.unlink()
            raise
    except OSError as error:
        raise BadFile(path, 0, f"the catalog cannot be written ({error.strerror}).", "Check the folder.") from error
