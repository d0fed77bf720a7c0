"""Our own plural table, from CLDR for whole numbers: Babel's differs from it for half of these languages."""

from __future__ import annotations

_ONE = "nplurals=2; plural=(n == 1 ? 0 : 1)"
_ZERO_OR_ONE = "nplurals=2; plural=(n == 0 || n == 1 ? 0 : 1)"
_ONE_MANY = "nplurals=3; plural=(n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2)"
_ZERO_OR_ONE_MANY = "nplurals=3; plural=(n == 0 || n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2)"
_NONE = "nplurals=1; plural=0"

HEADERS: dict[str, str] = {
    "en": _ONE,
    "de": _ONE,
    "ur": _ONE,
    "fa": _ZERO_OR_ONE,
    "hi": _ZERO_OR_ONE,
    "es": _ONE_MANY,
    "it": _ONE_MANY,
    "fr": _ZERO_OR_ONE_MANY,
    "pt_BR": _ZERO_OR_ONE_MANY,
    "he": "nplurals=3; plural=(n == 1 ? 0 : n == 2 ? 1 : 2)",
    "ru": (
        "nplurals=3; plural=(n % 10 == 1 && n % 100 != 11 ? 0 "
        ": n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2)"
    ),
    "pl": ("nplurals=3; plural=(n == 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2)"),
    "fil": ("nplurals=2; plural=(n == 1 || n == 2 || n == 3 || n % 10 != 4 && n % 10 != 6 && n % 10 != 9 ? 0 : 1)"),
    "ar": (
        "nplurals=6; plural=(n == 0 ? 0 : n == 1 ? 1 : n == 2 ? 2 "
        ": n % 100 >= 3 && n % 100 <= 10 ? 3 : n % 100 >= 11 ? 4 : 5)"
    ),
    "zh_Hans": _NONE,
    "zh_Hant": _NONE,
    "vi": _NONE,
    "ko": _NONE,
    "ja": _NONE,
    "my": _NONE,
    "ht": _NONE,  # CLDR has no rule; one form until a translator decides otherwise
}


def squeezed(header: str) -> str:
    """A Plural-Forms header without its blanks and closing semicolon, for comparison."""
    return "".join(header.split()).rstrip(";")


def rule(locale: str) -> tuple[int, str]:
    """How many forms a language has, and the formula that chooses one."""
    count, _, formula = HEADERS[locale].partition("; plural=")
    return int(count.removeprefix("nplurals=")), formula
