"""Numbers that people read: counts and shares as their language writes them, telephone numbers in one piece."""

from __future__ import annotations

from functools import lru_cache

from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from outreach.domain.contact import NUMBER


def whole(text: str) -> Markup:
    """Any text, escaped, with each telephone number in one piece: broken over two lines it is dialled wrong. It keeps
    its direction in right-to-left text."""
    return Markup(NUMBER.sub(lambda found: f'<bdi dir="ltr" class="whole">{found[0]}</bdi>', str(escape(text))))


@lru_cache(4096)  # a table says the same small numbers over and over
def grouped(number: float, formats: str = "en_US") -> str:
    """1,234,567; at most three digits after the point."""
    return format_decimal(number, locale=formats)


@lru_cache(4096)
def share(part: float, formats: str = "en_US") -> str:
    """0.74 → 74%."""
    return format_percent(part, locale=formats)
