"""A locale's terms: what must be said, what must not, what stays as it is; from locales/<locale>/glossary.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outreach.content.checker.findings import Fault, Pair, bare
from outreach.content.yaml_lines import read_yaml
from outreach.errors import BadFile

KEYS = ("required", "forbidden", "avoid", "keep", "alike")


@dataclass(frozen=True)
class Term:
    """One pattern and what to say of it. `written`: as it stands in the file."""

    pattern: re.Pattern[str]
    written: str
    says: str = ""
    blocking: bool = True


@dataclass(frozen=True)
class Glossary:
    """`required`: an English term, and its translations, one of which stands there. `forbidden`: a translation, and
    why it is wrong; where it does not block, it is `avoid` in the file. `keep`: written as in English wherever English
    has it. `alike`: rightly the same in English."""

    required: tuple[tuple[Term, tuple[Term, ...]], ...] = ()
    forbidden: tuple[Term, ...] = ()
    keep: tuple[Term, ...] = ()
    alike: frozenset[str] = frozenset()


def load(path: Path) -> Glossary:
    """A glossary; an empty one where there is no file. Raises BadFile."""
    if not path.is_file():
        return Glossary()
    tree = read_yaml(path)
    if tree.keys() - set(KEYS):
        raise BadFile(path, 0, "this is no glossary.", f"Write {', '.join(KEYS)}.")
    try:
        return _glossary(tree)
    except (AttributeError, TypeError, ValueError) as error:
        remedy = "required: {infusion: [infusión]}; forbidden: {seguro: why}; keep: [CRPS]; alike: [Web]."
        raise BadFile(path, 0, f"the glossary is not in its form ({error}).", remedy) from error


def _glossary(tree: Mapping[str, Any]) -> Glossary:
    required = tuple(
        (term(str(english), english=True), tuple(term(str(one)) for one in translations))
        for english, translations in (tree.get("required") or {}).items()
    )
    forbidden = tuple(
        term(str(one), says=str(why), blocking=section == "forbidden")
        for section in ("forbidden", "avoid")
        for one, why in (tree.get(section) or {}).items()
    )
    keep = tuple(
        Term(re.compile(rf"(?<![A-Za-z]){re.escape(str(one))}(?![A-Za-z])"), str(one)) for one in tree.get("keep") or ()
    )
    return Glossary(required, forbidden, keep, frozenset(map(str, tree.get("alike") or ())))


def term(written: str, says: str = "", english: bool = False, blocking: bool = True) -> Term:
    """A word or words in any case. `*` stands for any letters: infus* is infusion and infusions. A script without
    spaces between words needs none: there a term is found anywhere."""
    parts = (re.escape(part).replace(r"\ ", r"\s+") for part in written.split("*"))
    pattern = r"\w*".join(parts)
    spaced = not re.search("[\u0e00-\u0eff\u1000-\u109f\u3040-\u9fff\uac00-\ud7af]", written)
    if spaced:
        pattern = rf"(?<!\w){pattern}{'s?' if english else ''}(?!\w)"
    return Term(re.compile(pattern, re.IGNORECASE), written, says, blocking)


def faults(pair: Pair, glossary: Glossary) -> Iterator[Fault]:
    """What a form says against the glossary."""
    english, form = bare(pair.english), bare(pair.form)
    for wanted, translations in glossary.required:
        if wanted.pattern.search(english) and not any(one.pattern.search(form) for one in translations):
            terms = " or ".join(one.written for one in translations)
            yield Fault(
                "glossary.required", f"“{wanted.written}” is not said as the glossary has it.", f"Write {terms}."
            )
    for wrong in glossary.forbidden:
        if found := wrong.pattern.search(form):
            rule, modal = ("glossary.forbidden", "must") if wrong.blocking else ("glossary.avoid", "should")
            yield Fault(rule, f"“{found[0]}” {modal} not be said.", f"{_capital(wrong.says)}.", wrong.blocking)
    for kept in glossary.keep:
        if kept.pattern.search(english) and not kept.pattern.search(form):
            what = f"“{kept.written}” is not written as it is."
            yield Fault("glossary.kept", what, f"Keep {kept.written} in these letters: people look for it.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
