"""Every message of a language as patients see it, as files that a colleague opens from a disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outreach.content import bubbles, candidate, pseudo
from outreach.content.bubbles import Bubble
from outreach.content.candidate import Use
from outreach.content.compose import SOURCE, Wording, Words
from outreach.content.formats import Language
from outreach.content.grounds import Grounds
from outreach.content.values import Values
from outreach.content.workbench import Shelf, Workbench
from outreach.errors import BadFile, BadInput

_INSTRUCTIONS = "Please bring your health card."
"""A clinic's own words, which a message of a visit may hold; they are shown with the longest values."""


class Mail(NamedTuple):
    """An e-mail for one sample reader, `html` a document of its own."""

    sample: str
    subject: str
    html: str


class Page(NamedTuple):
    """What the patient's page says, as a fragment."""

    sample: str
    html: str


class Seen(NamedTuple):
    """One message in all its media; a medium that it does not have is empty."""

    key: str
    bubbles: list[Bubble]
    emails: list[Mail]
    pages: list[Page]


@dataclass(frozen=True)
class Sheet:
    """One language. `missing`: units without a right translation, shown as they stand or in English."""

    language: Language
    messages: list[Seen]
    missing: int


def sheets(bench: Workbench, locales: Iterable[str], wording: Wording) -> Iterator[Sheet]:
    """Languages as their catalogs stand, also unfinished ones. Raises BadFile for one that cannot be read."""
    grounds = bench.grounds()
    for locale in locales:
        shelf = bench.shelf(locale)
        if shelf.problem:
            raise shelf.problem
        first = next(iter(shelf.lines))
        words = candidate.candidate(grounds, shelf, first, shelf.lines[first].forms)
        yield Sheet(shelf.language, list(_messages(grounds, words, shelf, wording)), len(shelf.lines) - shelf.done)


def pseudo_sheets(bench: Workbench, wording: Wording) -> Iterator[Sheet]:
    """The two languages that nobody speaks."""
    grounds = bench.grounds()
    words = pseudo.words(grounds.house.parts, grounds.house.units)
    standard = grounds.house.standard(SOURCE)
    for language in pseudo.LANGUAGES.values():
        shelf = Shelf(language, standard, Path(), {}, {})
        yield Sheet(language, list(_messages(grounds, words, shelf, wording)), 0)


def write(root: Path, folder: Path, made: Iterable[Sheet], wording: Wording) -> list[Path]:
    """A page for each language, and index.html. Raises BadFile where the folder cannot be written."""
    pages = Environment(
        loader=FileSystemLoader(root / "templates" / "preview"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    kind = "neutral" if wording == "neutral" else "full"
    kept, written = list[Sheet](), list[Path]()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sheet in made:
            path = folder / f"{sheet.language.locale}.html"
            title = f"{sheet.language.name}: messages, {kind} wording"
            path.write_text(pages.get_template("language.html").render(sheet=sheet, title=title), "utf-8")
            kept.append(Sheet(sheet.language, [], sheet.missing))
            written.append(path)
        index = folder / "index.html"
        index.write_text(
            pages.get_template("index.html").render(sheets=kept, title=f"Messages, {kind} wording"), "utf-8"
        )
    except OSError as error:
        raise BadFile(
            folder, 0, f"the files cannot be written ({error.strerror}).", "Choose another folder."
        ) from error
    return [index, *written]


def _messages(grounds: Grounds, words: Words, shelf: Shelf, wording: Wording) -> Iterator[Seen]:
    samples = dict(grounds.samples)
    samples["longest"] = samples["longest"]._replace(instructions=samples["longest"].instructions or _INSTRUCTIONS)
    for key in words.keys:
        use, parts = Use(key, (), wording), grounds.house.parts
        texts, mails, pages = list[Bubble](), list[Mail](), list[Page]()
        if f"messages/{key}/sms.txt" in parts:
            texts = bubbles.sms(words, shelf, use, key, samples)
        if f"messages/{key}/subject.txt" in parts:
            mails = list(_mails(words, shelf.locale, use, samples))
        if f"messages/{key}/body.md" in parts:
            pages = list(_pages(words, shelf.locale, use, samples))
        yield Seen(key, texts, mails, pages)


def _mails(words: Words, locale: str, use: Use, samples: Mapping[str, Values]) -> Iterator[Mail]:
    for sample, values in samples.items():
        try:
            content = candidate.email(words, locale, use, values)
        except BadInput as error:
            yield Mail(sample, str(error), "")
        else:
            yield Mail(sample, content.subject, content.html)


def _pages(words: Words, locale: str, use: Use, samples: Mapping[str, Values]) -> Iterator[Page]:
    for sample, values in samples.items():
        try:
            yield Page(sample, words.page(use.message, locale, use.wording, values))
        except BadInput:
            continue  # the e-mail of the same body has said why
