"""In whose language a form is: by its script, its small words, and letters of another alphabet inside a word."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from outreach.content.checker.findings import Fault, Pair, bare, words_of
from outreach.content.checker.glossary import Glossary
from outreach.content.yaml_lines import read_yaml

_SCRIPTS = {
    "ru": "CYRILLIC", "uk": "CYRILLIC", "be": "CYRILLIC", "bg": "CYRILLIC", "mk": "CYRILLIC", "kk": "CYRILLIC",
    "mn": "CYRILLIC",
    "ar": "ARABIC", "fa": "ARABIC", "ur": "ARABIC", "ckb": "ARABIC", "ps": "ARABIC", "he": "HEBREW", "el": "GREEK",
    "zh": "CJK", "ja": "CJK", "ko": "HANGUL", "hi": "DEVANAGARI", "ne": "DEVANAGARI", "mr": "DEVANAGARI", "th": "THAI",
    "bn": "BENGALI", "ta": "TAMIL", "my": "MYANMAR", "km": "KHMER", "am": "ETHIOPIC", "hy": "ARMENIAN",
    "ka": "GEORGIAN",
}  # fmt: skip
_TWO_SCRIPTS = frozenset(["sr", "uz", "az", "kk", "mn", "pa", "ku"])
_JAPANESE = ("CJK", "HIRAGANA", "KATAKANA")
# Letters that look like Latin ones: С, а, о of Cyrillic, Α, Ο of Greek.
_LOOKALIKE = frozenset("асеорхуіјѕһԁԛԝАВСЕНІЈКМОРЅТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧνορ")
_LATIN_LOOKALIKE = frozenset("aceopxyijsABCEHIJKMOPSTXYkmnuv")
_WORD = re.compile(r"[^\W\d_]+")
_SIMPLIFIED, _TRADITIONAL = "simplified", "traditional"


@dataclass(frozen=True)
class Tongues:
    """The small words of each language, and the characters of both ways of writing Chinese."""

    words: Mapping[str, frozenset[str]]
    simplified: frozenset[str]
    traditional: frozenset[str]

    @classmethod
    @lru_cache(maxsize=4)
    def load(cls, path: Path) -> Tongues:
        """Read config/tongues.yaml. Raises BadFile."""
        tree = read_yaml(path)
        one, other = (frozenset(str(tree.get(name, ""))) for name in (_SIMPLIFIED, _TRADITIONAL))
        words = {str(name): frozenset(map(str, row)) for name, row in tree.items() if isinstance(row, list)}
        return cls(words, one - other, other - one)

    @cached_property
    def speakers(self) -> Mapping[str, frozenset[str]]:
        """In which languages each small word is one."""
        found: dict[str, set[str]] = {}
        for name, words in self.words.items():
            for word in words:
                found.setdefault(word, set()).add(name)
        return {word: frozenset(names) for word, names in found.items()}

    def of(self, locale: str) -> str:
        """The name under which a locale's words are known: pt_PT is told by those of pt_BR."""
        first = locale.partition("_")[0]
        return next((name for name in (locale, first, "pt_BR" if first == "pt" else "") if name in self.words), "")


def faults(pair: Pair, tongues: Tongues, glossary: Glossary) -> Iterator[Fault]:
    """Whether a form is another language, still English, or holds letters of another alphabet."""
    yield from homoglyphs(pair)
    if untranslated := _untranslated(pair, tongues, glossary):
        yield untranslated
        return
    if found := _wrong_script(pair) or _chinese(pair.form, pair.locale, tongues):
        yield found
        return
    own = tongues.of(pair.locale)
    if own and (other := another(_telling(pair), own, tongues)):
        yield Fault("language.wrong", f"this looks like {other}, not {pair.locale}.", "Put it into the right language.")


def _telling(pair: Pair) -> Counter[str]:
    """The words of a form; without single Latin letters, which stand for anything in other makers' texts."""
    return Counter({word for word in words_of(pair.form) if pair.ours or len(word) > 1 or not word.isascii()})


def another(said: Counter[str], own: str, tongues: Tongues) -> str:
    """The language that words speak for, where it is surely not the own one; else nothing."""
    both, theirs = Counter[str](), Counter[str]()
    ours = 0
    for word, count in said.items():
        names = tongues.speakers.get(word, ())
        ours += count if own in names else 0
        for name in names:
            (both if own in names else theirs)[name] += count
    best = ("", 0)
    for name in tongues.words:
        for_it, for_us = theirs[name], ours - both[name]
        if for_it >= 2 and for_it >= 3 * for_us + (2 if not for_us else 3) and for_it > best[1]:
            best = (name, for_it)
    return best[0]


def catalog(forms: Iterable[str], locale: str, tongues: Tongues) -> Iterator[Fault]:
    """The same over all forms of a catalog, where single ones are too short to tell."""
    own = tongues.of(locale)
    said = Counter(word for form in forms for word in words_of(form) if len(word) > 1 or not word.isascii())
    if own and sum(said.values()) > 30 and (other := another(said, own, tongues)):
        what = f"the whole catalog looks like {other}, not {locale}."
        yield Fault("language.wrong", what, "Is it in the right folder?")


def _untranslated(pair: Pair, tongues: Tongues, glossary: Glossary) -> Fault | None:
    if pair.locale.startswith("en") or pair.form.strip() not in (
        pair.source.strip(),
        pair.plural.strip() or pair.source.strip(),
    ):
        return None
    words = [word for word in words_of(pair.form) if len(word) > 1]
    named = {word.lower() for one in glossary.keep for word in one.written.split()}
    if not words or pair.form in glossary.alike or all(word in named for word in words):
        return None
    english = tongues.words.get("en", frozenset())
    own = tongues.words.get(tongues.of(pair.locale), frozenset())
    telling = [word for word in words if word in english - own]
    if (len(words) >= 2 and telling) or (pair.ours and len(words) >= 2):
        what = "it is the English text."
        return Fault("language.untranslated", what, "Translate it, or leave it empty: it is then said to be missing.")
    if pair.ours:
        remedy = "If your language says it the same, add it to `alike` in the glossary."
        return Fault("language.untranslated", "it is the same as in English.", remedy, False)
    return None


def _wrong_script(pair: Pair) -> Fault | None:
    """No letter at all of the language's own script, or words of another one."""
    language = pair.locale.partition("_")[0]
    if language in _TWO_SCRIPTS or "_Latn" in pair.locale or "_Cyrl" in pair.locale or "@" in pair.locale:
        return None
    wanted = _SCRIPTS.get(language, "LATIN")
    found = Counter(_script(char) for char in bare(pair.form) if char.isalpha())
    english = {_script(char) for char in bare(pair.english) if char.isalpha()}
    others = {script: count for script, count in found.items() if script not in _allowed(wanted, language)}
    strange = {
        script: count for script, count in others.items() if script not in ("LATIN", "") and script not in english
    }
    few = 0 if pair.ours else found.get(wanted, 0) // 3
    if sum(strange.values()) > 2 and max(strange.values()) > few:
        script = max(strange, key=lambda name: strange[name]).title()
        return Fault("language.script", f"these are letters of {script}.", "Put it into the right language.")
    if (
        wanted != "LATIN"
        and found.get("LATIN", 0) > 0
        and not any(found.get(one) for one in _allowed(wanted, language))
    ):
        small = [word for word in words_of(pair.form) if len(word) > 1]
        if len(small) >= 3 and not all(word in set(words_of(pair.english)) for word in small):
            return Fault("language.script", "nothing here is in the letters of the language.", "Translate it.")
    return None


def _allowed(wanted: str, language: str) -> tuple[str, ...]:
    if language == "ja":
        return _JAPANESE
    return (wanted, "CJK") if language == "ko" else (wanted,)


def _chinese(form: str, locale: str, tongues: Tongues) -> Fault | None:
    if not locale.startswith("zh"):
        return None
    ours = locale.replace("-", "_") in ("zh_Hant", "zh_TW", "zh_HK", "zh_MO")
    wrong = set(form) & (tongues.simplified if ours else tongues.traditional)
    right = set(form) & (tongues.traditional if ours else tongues.simplified)
    if (len(wrong) > 1 and len(wrong) > len(right)) or (len(wrong) == 1 and not right and len(form) < 12):
        name, shown = ("simplified" if ours else "traditional"), "".join(sorted(wrong)[:5])
        return Fault("language.wrong", f"{shown} are {name} characters.", "Write those of this catalog's readers.")
    return None


def homoglyphs(pair: Pair) -> Iterator[Fault]:
    """A letter inside a word that only looks as it should: С of Cyrillic in CRPS. Search and speech then fail."""
    for word in _WORD.findall(bare(pair.form)):
        scripts = {_script(char) for char in word} - {""}
        if ("LATIN" in scripts and len(scripts) > 1) or (
            _SCRIPTS.get(pair.locale.partition("_")[0], "LATIN") == "LATIN" and scripts & {"CYRILLIC", "GREEK"}
        ):
            strange = {char for char in word if char in _LOOKALIKE}
            others = {char for char in word if _script(char) in ("CYRILLIC", "GREEK")}
            latin = {char for char in word if _script(char) == "LATIN"}
            if others and (others <= strange or (latin and latin <= _LATIN_LOOKALIKE)) and word not in pair.english:
                shown = ", ".join(f"{char} (U+{ord(char):04X})" for char in sorted(others)[:4])
                remedy = "Type the word again in one alphabet."
                yield Fault("language.homoglyph", f"{word!r} mixes alphabets: {shown}.", remedy)


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    name = unicodedata.name(char, "")
    first = name.partition(" ")[0]
    return {"FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA", "MODIFIER": "", "FEMININE": "LATIN", "MASCULINE": "LATIN",
            "MICRO": "", "OHM": "GREEK", "IDEOGRAPHIC": "CJK", "KANGXI": "CJK",
            "KATAKANA-HIRAGANA": "KATAKANA"}.get(first, first)  # fmt: skip
