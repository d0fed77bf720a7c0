"""From templates to messages.pot, and from messages.pot into every catalog, without ever guessing a translation."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

from outreach.content import plurals, po_merging
from outreach.content.formats import load_languages

# Babel's placeholders, and dates that would make the file differ each day although no word has changed.
_NOISE = re.compile(
    rb'"(?:POT-Creation-Date|Report-Msgid-Bugs-To|Language-Team|Generated-By|'
    rb"PO-Revision-Date: YEAR|Last-Translator: FULL)"
    rb"[^\n]*\n"
)
_COMMENT = """# Words of the patient messages.
# This file is generated from templates/ by `outreach locales extract`; do not edit it."""


def template(root: Path) -> bytes:
    """The bytes of messages.pot for the templates as they are. The same words give the same bytes."""
    catalog = Catalog(project="outreach", version="0.1", header_comment=_COMMENT, charset="utf-8", fuzzy=False)
    with (root / "config" / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    for name, _, message, comments, context in extract_from_dir(
        str(root / "templates"), methods, options, comment_tags=("i18n:",), strip_comment_tags=True
    ):
        place = [(Path(name).as_posix(), 0)]
        catalog.add(message, None, place, flags=flags(message), auto_comments=comments, context=context)
    return written(catalog)


def extract(root: Path) -> Path:
    """Write locales/messages.pot."""
    path = root / "locales" / "messages.pot"
    path.write_bytes(template(root))
    return path


def update(root: Path, locale: str) -> Path:
    """Bring one catalog up to date: new units empty, changed ones fuzzy beside the English they were made of, gone ones
    kept as obsolete. By key alone: a translation found by likeness once turned "eat before" into "do not eat before".
    """
    path = root / "locales" / locale / "LC_MESSAGES" / "messages.po"
    return brought_up(path, locale, template(root), first_lines(locale))


def brought_up(path: Path, locale: str, source: bytes, beginning: str) -> Path:
    """Merge a template into the catalog at `path`, which begins with `beginning` where there is none yet."""
    before = path.read_bytes().decode() if path.exists() else beginning
    after = po_merging.merged(path, before, source.decode(), plurals.rule(locale)[0])
    if not path.exists() or after != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(after.encode())
    return path


def targets(root: Path) -> list[str]:
    """The locales that need a catalog: all of config/languages.yaml but the source."""
    return [locale for locale in load_languages(root / "config" / "languages.yaml") if locale != "en"]


def flags(message: str | tuple[str, ...]) -> set[str]:
    """What tools for translators should know of a message."""
    return {"python-format"} if "%(" in str(message) else set()


def written(catalog: Catalog) -> bytes:
    """A catalog as a file, without what would differ each day."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=0, include_lineno=False, sort_by_file=True)
    return _NOISE.sub(b"", buffer.getvalue())


def first_lines(locale: str, what_follows: str = "a clinic cannot approve it before one has") -> str:
    """The beginning of a new catalog: who made it, and its plural rule."""
    lines = [
        f"# {locale}: drafted by machine and by the developers of this project.",
        f"# No named reviewer has read it yet; {what_follows}.",
        'msgid ""',
        'msgstr ""',
        '"Project-Id-Version: outreach 0.1\\n"',
        '"PO-Revision-Date: 2026-11-21 12:00+0000\\n"',
        '"Last-Translator: machine draft, not reviewed\\n"',
        '"X-Drafted-By: machine draft, not reviewed\\n"',
        f'"Language: {locale}\\n"',
        '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
        f'"Plural-Forms: {plurals.HEADERS[locale]};\\n"',
    ]
    return "\n".join(lines) + "\n"
