"""The bytes of a catalog, before any word of it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from outreach.content.checker.findings import Fault

BROKEN_OFF = "the file breaks off in the middle of an entry.", "Take it again from where it came from."
MOST_BYTES = 2_000_000
MOST_LINE = 20_000
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
BOM = b"\xef\xbb\xbf"


def faults(raw: bytes) -> Iterator[tuple[int, Fault]]:
    """What is wrong with a file as it lies on disk, with the line (0 = all of it)."""
    if len(raw) > MOST_BYTES:
        yield 0, too_big(len(raw))
        return
    if raw.startswith(BOM):
        yield 1, Fault("file.bom", "the file begins with a byte order mark.", "Save it as UTF-8 without BOM.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        yield line, Fault("file.encoding", "the text is not UTF-8.", "Save the file as UTF-8.")
        return
    for number, line_text in enumerate(text.split("\n"), 1):
        if line_text.startswith(_MARKERS):
            what = "a merge conflict was left in the file."
            yield number, Fault("file.conflict", what, "Choose one side and delete the marks.")
            return  # one mark is told of; the others go with it
        if len(line_text) > MOST_LINE:
            yield number, Fault("file.size", f"the line has {len(line_text)} characters.", "No text is as long.")
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        yield line, Fault("file.nul", "a zero byte stands in the file.", "Delete it, or take the file from its source.")


def too_big(size: int) -> Fault:
    """A file that nobody reads."""
    what = f"the catalog has {size} bytes."
    return Fault("file.size", what, f"At most {MOST_BYTES} are read; is it the right file?")


def decoded(raw: bytes) -> str:
    """The text of a file for reading on: line ends as ours, no mark at its beginning, broken letters as U+FFFD.

    CR LF, and a CR alone, are harmless: an editor's, not a translator's.
    """
    text = raw.removeprefix(BOM).decode("utf-8", "replace")
    return text.replace("\r\n", "\n") if "\r\n" in text else text.replace("\r", "\n")


def ended(text: str) -> bool:
    """Whether a file was written to its end: its last line is whole, and its last entry has a translation."""
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return True
    last = lines[-1]
    keyword = re.match(
        r"(msgctxt|msgid_plural|msgid)\b", next((line for line in reversed(lines) if line[:1] != '"'), "")
    )
    return last.endswith('"') and last.count('"') - last.count('\\"') >= 2 and not keyword
