"""Pages: Jinja2 with autoescape over templates/, and the few filters that turn stored values into what people read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from outreach.content.checks import PLACEHOLDER
from outreach.content.formats import phone
from outreach.domain.window import zone as zone_of
from outreach.settings import ROOT
from outreach.web.numbers import grouped, share, whole
from outreach.web.tongue import Tongue, offered, tongue
from outreach.web.ways import ways

STATIC = Path(__file__).parent / "static"
_FORMATS = {"en": "en_US", "es": "es_US"}  # the calendar and clock that go with a language of the console


def page(name: str, /, status: int = 200, *, staff_locale: str = "en", **values: Any) -> HTMLResponse:
    """Render templates/NAME with the console's words in `staff_locale`. A missing value is a bug (StrictUndefined)."""
    return HTMLResponse(render(name, staff_locale, **values), status_code=status)


def render(name: str, /, staff_locale: str = "en", **values: Any) -> str:
    """The same as text."""
    return _templates(staff_locale if staff_locale in offered() else "en").get_template(name).render(**values)


class _Calls(Context):
    """A macro is called a thousand times in a page of a long list: without asking each time how it wants to be."""

    def call(__self, __obj: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if type(__obj) is not Macro:
            return super().call(__obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return __obj(__self.eval_ctx, *args, **kwargs)


@cache
def _templates(locale: str) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.context_class = _Calls
    spoken = tongue(locale)
    templates.install_gettext_callables(  # type: ignore[attr-defined]
        spoken.gettext, spoken.ngettext, newstyle=True, pgettext=spoken.pgettext, npgettext=spoken.npgettext
    )
    templates.globals["_"] = templates.globals["gettext"] = _saying(spoken)
    templates.policies["ext.i18n.trimmed"] = True
    templates.globals |= {
        "tongue": locale,
        "direction": Locale.parse(locale).text_direction,
        "ways": ways,
        "asset": asset,
        "style": asset("style.css"),
    }
    formats = formats_of(locale)
    filters: dict[str, Callable[..., str]] = {
        "day": partial(day, formats=formats),
        "clock": partial(clock, formats=formats),
        "date": partial(date_in, formats=formats),
        "moment": partial(moment_in, formats=formats),
        "city": city,
        "number": partial(grouped, formats=formats),
        "percent": partial(share, formats=formats),
        "phone": phone,
        "language": partial(language, spoken=locale),
        "whole": whole,
        "chips": chips,
        "said": spoken.gettext,  # never `_(value)`: that takes its value for markup
    }
    templates.filters.update(filters)
    return templates


def formats_of(locale: str) -> str:
    """Whose dates and numbers go with a language of the console."""
    return _FORMATS.get(locale, locale)


def _saying(spoken: Tongue) -> Callable[..., Markup]:
    """What templates call as `_`. The extension's own looks each sentence up anew, and a page has hundreds of them."""

    @cache  # as many as stand in the templates: what people typed is a value
    def form(text: str) -> Markup:
        return Markup(spoken.gettext(text))

    @cache
    def plain(text: str) -> Markup:
        return form(text) % {}

    def said(text: str, /, **values: Any) -> Markup:
        return form(text) % values if values else plain(text)

    return said


def day(wall: datetime, formats: str = "en_US") -> str:
    """Sat, Nov 28, 2026: the weekday catches a wrong date before the patient does."""
    return _day(wall.date(), formats)


def clock(wall: datetime, formats: str = "en_US") -> str:
    """10:00 AM."""
    return _clock(wall.hour, wall.minute, formats)


@lru_cache(4096)  # a list says the same few days and minutes over and over, and Babel takes its time
def _day(one: date, formats: str) -> str:
    return format_skeleton("yMMMEd", datetime.combine(one, time()), locale=formats)


@lru_cache(4096)
def _clock(hour: int, minute: int, formats: str) -> str:
    return format_time(time(hour, minute), "short", locale=formats)


def moment_in(at: datetime, zone: str, formats: str = "en_US") -> str:
    """An instant on the calendar and clock of `zone`."""
    wall = at.astimezone(zone_of(zone))
    return f"{day(wall, formats)}, {clock(wall, formats)}"


def date_in(at: datetime, zone: str, formats: str = "en_US") -> str:
    """The day of an instant in `zone`, for what happened on a day and at no hour: a signature on paper."""
    return day(at.astimezone(zone_of(zone)), formats)


def city(zone: str) -> str:
    """America/Argentina/Buenos_Aires → Buenos Aires."""
    return zone.rpartition("/")[2].replace("_", " ")


@cache
def language(locale: str, spoken: str = "en") -> str:
    """Spanish for es: a language as the language `spoken` calls it; the code itself where it has no name."""
    try:
        named = Locale.parse(locale).get_display_name(spoken)
    except (ValueError, UnknownLocaleError):
        named = None
    return named or locale


def chips(words: str) -> Markup:
    """Words as they stand in a catalog, each placeholder in one piece: between letters that run from right to left, its
    brackets and its percent sign would go to the wrong sides."""
    return Markup(PLACEHOLDER.sub(_chip, str(escape(words))))


def _chip(found: re.Match[str]) -> str:
    return f'<bdi class="slot" dir="ltr">{found[0]}</bdi>' if len(found[0]) > 1 else found[0]


@cache
def asset(name: str) -> str:
    """The address of a file of static/, which changes with its content: browsers may keep it for a day."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
