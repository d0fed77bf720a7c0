"""A language begun: its row in the table, its catalog, all of it empty, a style sheet and a glossary to fill in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.plural import to_gettext

from outreach.content import extraction, plurals
from outreach.content.compose import SOURCE
from outreach.content.formats import ALIASES, load_languages
from outreach.content.keywords import load_replies
from outreach.errors import BadInput

_TAG = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_([A-Z]{2}|[0-9]{3}))?")
_STYLE = """# {name}

State: begun; nothing is translated and **no named reviewer yet**.

- Politeness: how a clinic speaks to an adult it does not know.
- Terms: "infusion", "side effects", "care team", "visit", CRPS. Write them into `glossary.yaml` too.
- Names: which of the clinic's and the patient's come first; the patient's name stands in no text.
- SMS: which characters force the expensive encoding (67 characters a segment instead of 153).
- STOP, START, HELP and the digits stay as they are, in Latin letters.
"""
_GLOSSARY = """# {name}: terms of the messages, from STYLE.md beside it; no named reviewer yet.
# required: English, and its translations, one of which must stand there. forbidden: words, and what to write instead.
# avoid: the same as forbidden, but as advice. keep: as in English. alike: rightly the same as the English.
# `*` stands for any letters of a word.
required:
{terms}forbidden:
  # the word for "safe": no medicine is without risk; say what is common and whom to call
avoid:
  # the familiar "you": the reader is addressed politely
keep: [{keep}]
"""


@dataclass(frozen=True)
class Begun:
    """The files that were written, and what is still to be done, in sentences."""

    written: tuple[Path, ...]
    left: tuple[str, ...]


def begin(root: Path, tag: str, like: str, now: datetime) -> Begun:
    """Begin a language; the terms of `like` are those that its glossary asks for. Raises BadInput, and writes nothing
    then: for a tag that is none, a language that is there already, and one whose plural rule is not known."""
    languages = root / "config" / "languages.yaml"
    known = load_languages(languages)
    locale, babel = _checked(tag, known)
    if like not in known or like == SOURCE:
        raise BadInput(f"{like!r} is no language that is there; begin from one of {', '.join(sorted(known))}.")
    folder = root / "locales" / locale
    if folder.exists():
        raise BadInput(f"locales/{locale}/ is there already. Continue with: outreach locales update {locale}.")
    name = _name(locale)
    glossary = root / "locales" / like / "glossary.yaml"
    kept = languages.read_text("utf-8")
    languages.write_text(kept.rstrip("\n") + "\n" + _row(locale, babel), "utf-8")
    try:
        load_languages(languages)
        catalog = folder / "LC_MESSAGES" / "messages.po"
        extraction.brought_up(catalog, locale, extraction.template(root), _first_lines(locale, now))
    except BaseException:
        languages.write_text(kept, "utf-8")
        raise
    for path, text in (
        (folder / "STYLE.md", _STYLE.format(name=name)),
        (folder / "glossary.yaml", _GLOSSARY.format(name=name, terms="".join(_terms(glossary)), keep="CRPS, RSD")),
    ):
        path.write_text(text, "utf-8")
    return Begun((languages, catalog, folder / "STYLE.md", folder / "glossary.yaml"), tuple(_left(root, locale, babel)))


def _checked(tag: str, known: Iterable[str]) -> tuple[str, Locale | None]:
    """The tag as we write it, and what Babel knows of it (None: nothing but its name)."""
    written = tag.strip().replace("-", "_")
    alias = ALIASES.get(written.lower())
    there = {one.lower(): one for one in known}
    if found := there.get(written.lower()) or there.get((alias or "").lower()):
        raise BadInput(f"{found} is there already. Continue with: outreach locales update {found}.")
    if alias:
        raise BadInput(f"{tag!r} is written {alias} here.")
    names = Locale(SOURCE).languages
    if not _TAG.fullmatch(written) or written.partition("_")[0] not in names:
        raise BadInput(f"{tag!r} is no language tag. {_meant(tag, names)}")
    if written not in plurals.HEADERS:
        raise BadInput(_no_rule(written))
    try:
        return written, Locale.parse(written)
    except (UnknownLocaleError, ValueError):
        return written, None


def _meant(tag: str, names: Mapping[str, str]) -> str:
    """What somebody who wrote this tag may have meant."""
    by_name = {name.lower(): code for code, name in names.items()}
    close = difflib.get_close_matches(tag.lower(), [*by_name, *by_name.values()], 1, 0.75)
    meant = by_name.get(close[0], close[0]) if close else ""
    return f"Did you mean {meant}?" if meant else "Write one like it, pt_BR or zh_Hant."


def _no_rule(locale: str) -> str:
    """How to add the plural rule of a language."""
    try:
        rule = to_gettext(Locale.parse(locale).plural_form)
    except (UnknownLocaleError, ValueError):
        rule = "nplurals=…; plural=…"
    return (
        f"No plural rule is known for {locale}. Add it to HEADERS in outreach/content/plurals.py, held against CLDR's "
        f'table (Babel has): "{locale}": "{rule.rstrip(";")}",'
    )


def _name(locale: str) -> str:
    return str(Locale(SOURCE).languages.get(locale) or Locale(SOURCE).languages[locale.partition("_")[0]])


def _row(locale: str, babel: Locale | None) -> str:
    """Its line in the table. Of a language that Babel does not know, everything is to be looked at."""
    own = (babel.languages.get(babel.language) if babel else "") or _name(locale)
    if babel and babel.territory:
        own = f"{own} ({babel.territories.get(babel.territory, babel.territory)})"
    direction = babel.text_direction if babel else "ltr"
    clock = 12 if babel is None or "h" in babel.time_formats["short"].pattern else 24
    formats = str(babel) if babel else "en_US"
    name, own = (f'"{one}"' if re.search(r"[^\w ]", one) else one for one in (_name(locale), own[:1].upper() + own[1:]))
    return f"{locale}: {{name: {name}, own_name: {own}, direction: {direction}, formats: {formats}, clock: {clock}}}\n"


def _first_lines(locale: str, now: datetime) -> str:
    head = extraction.first_lines(locale).split("\n")
    head[0] = f"# {locale}: begun; nobody has translated it yet."
    return "\n".join(
        f'"PO-Revision-Date: {now.astimezone(UTC):%Y-%m-%d %H:%M}+0000\\n"' if line.startswith('"PO-Revision-Date')
        else '"Last-Translator: nobody yet\\n"' if line.startswith('"Last-Translator')
        else line
        for line in head
        if not line.startswith('"X-Drafted-By')
    )  # fmt: skip


def _terms(glossary: Path) -> Iterator[str]:
    """The English terms that another language's glossary asks for, to be filled in."""
    inside = False
    for line in glossary.read_text("utf-8").splitlines() if glossary.is_file() else ():
        if line[:1].strip():
            inside = line.startswith("required:")
        elif inside and ":" in line:
            yield f"  # {line.strip().partition(':')[0]}: []\n"


def _left(root: Path, locale: str, babel: Locale | None) -> Iterator[str]:
    """What a person has to add."""
    if babel is None:
        yield f"config/languages.yaml, {locale}: its direction, clock, days and months are not known (see ht there)."
    words = load_replies(root / "config" / "replies.yaml").words
    for kind in ("stop", "start", "help", "yes", "no", "come", "change", "call", "thanks", "urgent"):
        if not any(word.locale == locale and word.kind == kind for word in words):
            group = f"kind: {kind}, locale: {locale}, words: […], source: …, review: needs native review"
            yield f"config/replies.yaml: {{{group}{', about: breathing' if kind == 'urgent' else ''}}}"
    if not (root / "config" / "concepts" / f"{locale}.yaml").is_file():
        yield (
            f"config/concepts/{locale}.yaml: the words of each idea in en.yaml beside it, as this language says it; "
            "without them a message is understood by the phrases of config/replies.yaml alone"
        )
    yield f"locales/{locale}/STYLE.md and glossary.yaml: how one writes here."
