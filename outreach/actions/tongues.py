"""Languages as people write them in a list: Spanish, español, es, spa; found by their names in many languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from babel import Locale

from outreach.actions.columns import plain
from outreach.content.spoken import Spoken

WRITTEN_IN = ("en", "es", "fr", "de", "it", "pt", "ar", "vi", "zh", "ru", "tl", "ko")


def reader(spoken: Spoken) -> Callable[[str], str]:
    """What turns a cell into an offered locale; BadInput for a language that is not offered or not known."""
    offered = spoken.offered

    def read(text: str) -> str:
        found = _names(offered).get(plain(text))
        return found if found is not None else spoken.resolve(text)

    return read


@cache
def _names(offered: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for locale in offered:
        code = Locale.parse(locale, sep="-" if "-" in locale else "_")
        own = [locale, code.get_display_name(locale=code), code.get_language_name(code.language)]
        theirs = [code.get_language_name(language) for language in WRITTEN_IN]
        for name in (*own, *theirs):
            if name and (key := plain(name)):
                found.setdefault(key, locale)
    return found
