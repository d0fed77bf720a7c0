"""Texts as they stand in the catalogs, with their digests; and the repository's own ledger of who read them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from outreach.content.checks import names
from outreach.content.compose import SOURCE, Words
from outreach.domain.approval import ASIDES, LAYOUTS, Text, Unit, text
from outreach.errors import BadFile, BadInput

LEDGER = "approvals.jsonl"
_ASIDE = re.compile(r"\{#.*?#\}|<style>.*?</style>", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")


def grouped(words: Words) -> dict[str, tuple[str, ...]]:
    """The keys of units by the text that they belong to."""
    found: dict[str, dict[str, None]] = {}
    for name, part in words.parts.items():
        for unit in part.units:
            found.setdefault(text_of(name), {})[unit.key] = None
    return {key: tuple(units) for key, units in sorted(found.items())}


def text_of(part: str) -> str:
    """The text that a template belongs to: its folder; what stands at the end of messages is a text of its own."""
    if part.startswith("layouts/"):
        return LAYOUTS
    return ASIDES if part == f"messages/page/{ASIDES}.txt" else part.split("/")[1]


def texts(words: Words, locale: str) -> dict[str, Text]:
    """Every text of a language as it stands in these words, by key."""
    if locale not in words.texts:
        forms = words.voices[locale].catalog.forms
        frames = _frames(words)
        words.texts[locale] = {
            key: text(locale, key, (_unit(words, one, forms) for one in units), frames[key])
            for key, units in grouped(words).items()
        }
    return words.texts[locale]


def _frames(words: Words) -> dict[str, bytes]:
    """By text, what its templates are known by, without comments and style: what stands outside of a unit, the order
    of the units, and which value goes where are said too."""
    found: dict[str, list[str]] = {}
    for name, part in sorted(words.parts.items()):
        bare = _ASIDE.sub("", part.source)
        found.setdefault(text_of(name), []).append(f"{name} {part.neutral} {' '.join(bare.split())}")
    return {key: hashlib.sha256("\n".join(lines).encode()).digest() for key, lines in found.items()}


def _unit(words: Words, key: str, forms: Mapping[str, tuple[str, ...]]) -> Unit:
    unit = words.units[key]
    return Unit(key, unit.text, unit.plural, forms.get(key, ()), tuple(sorted(names(unit.text + unit.plural))))


@dataclass(frozen=True)
class Signature:
    """Somebody's word for exactly these words. `back`: the back-translation that was read beside them ("" if none)."""

    text: str
    digest: str
    reviewer: str
    role: str
    date: str
    back: str = ""


def ledger(root: Path, locale: str) -> Iterator[Signature]:
    """The signatures under the shared words of a language, oldest first. Raises BadFile with the line at fault."""
    path = root / "locales" / locale / LEDGER
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            yield Signature(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise BadFile(path, number, "this is no signature.", "Take the file from its history.") from error


def signed(root: Path, locale: str, wanted: Iterable[Text]) -> dict[str, Signature]:
    """By text, the last signature under its words as they stand."""
    now = {one.digest.hex(): one.key for one in wanted}
    return {now[one.digest]: one for one in ledger(root, locale) if one.digest in now}


def sign(
    root: Path, wanted: Iterable[Text], reviewer: str, role: str, on: date, translators: Iterable[str] = ()
) -> int:
    """Add a reviewer's signatures to the ledger; words that carry one of theirs already are passed over.

    Raises BadInput: nobody is named, words are missing, or who translated them signs them.
    """
    if not reviewer.strip() or not role.strip():
        raise BadInput("a signature needs a reviewer's name and role, such as: certified medical translator.")
    if any(same_person(reviewer, one) for one in translators):
        raise BadInput(f"{reviewer} is named as the translator; somebody else must have read the words.")
    count = 0
    for one in wanted:
        if not one.complete:
            raise BadInput(f"{one.locale}: {one.key} is not translated in full.")
        if any(s.reviewer == reviewer and s.digest == one.digest.hex() for s in ledger(root, one.locale)):
            continue
        line = Signature(one.key, one.digest.hex(), reviewer.strip(), role.strip(), on.isoformat(), _back(root, one))
        with (root / "locales" / one.locale / LEDGER).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        count += 1
    return count


def same_person(reviewer: str, translator: str) -> bool:
    """Whether the name of a reviewer is that of the translator, as a catalog's header has it: `Name, role <mail>`.

    Names are compared as sets of words: "Dr. Ana Ruiz" is "Ana Ruiz". A namesake has to sign with a middle name.
    """
    one, other = (set(_WORD.findall(name.partition("<")[0].casefold())) for name in (reviewer, translator))
    return bool(one and other) and (one <= other or other <= one)


def _back(root: Path, one: Text) -> str:
    """Which back-translation lay beside the words: its file, and how its content is known."""
    path = root / "locales" / one.locale / "back.yaml"
    if one.locale == SOURCE or not path.is_file():
        return ""
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
