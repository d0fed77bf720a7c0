"""Words: every message in every language, checked at load, and put together for one reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from outreach.content import calendars, catalogs, interpreters, sources
from outreach.content.formats import Language, isolated, load_languages, opened, plain, resolve
from outreach.content.moulds import MOULDS, TOKEN, Mould
from outreach.content.skeletons import Outline, Skeletons, outline
from outreach.content.values import Medium, Teller, Values
from outreach.content.voice import Voice
from outreach.domain.approval import Text
from outreach.domain.channel import SPECS, Channel
from outreach.domain.message import Content
from outreach.domain.segments import normalise, size
from outreach.errors import BadFile, BadInput

__all__ = ["TOKEN", "Values", "Words"]

SOURCE = "en"
SET_APART = frozenset({"neutral", "page", "canned"})
CANCELLING = "visit.cancelled"
STOP = "STOP"  # in Latin capitals in every language: the checker holds translators to it

Wording = Literal["full", "neutral"]

_SMS = Channel.SMS
_PARTS: dict[Medium, tuple[str, ...]] = {
    "sms": SPECS[Channel.SMS].parts, "email": SPECS[Channel.EMAIL].parts, "page": ("body.md",),
}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """A snapshot of templates and catalogs; a changed file is seen by loading anew. Safe to share between threads.

    Messages are joined from skeletons, byte for byte what rendering them gives; `quick=False` renders each one.
    """

    parts: Mapping[str, sources.Part]
    units: Mapping[str, catalogs.Unit]
    voices: Mapping[str, Voice]
    quick: bool = True
    _tellers: dict[str, Teller] = field(default_factory=dict, init=False, repr=False, compare=False)
    _outlines: dict[tuple[str, ...], tuple[Teller, Outline]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _skeletons: Skeletons = field(default_factory=Skeletons, init=False, repr=False, compare=False)
    _moulds: dict[tuple[object, ...], Mould] = field(default_factory=dict, init=False, repr=False, compare=False)
    texts: dict[str, dict[str, Text]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By locale: what is approved together, once it was reckoned (content.approvals.texts)."""

    @classmethod
    def load(cls, root: Path, locales: list[str] | None = None) -> Words:
        """Read config/languages.yaml, templates/ and locales/ under `root`. Raises BadFile at the first fault."""
        languages = load_languages(root / "config" / "languages.yaml")
        wanted = [resolve(tag, languages) for tag in locales] if locales else list(languages)
        parts = sources.read(root / "templates")
        units = sources.units(parts, root / "templates")
        voices = {locale: voice_of(root, languages[locale], parts, units) for locale in wanted}
        return cls(parts, units, voices)

    def renewed(self, voices: Mapping[str, Voice]) -> Words:
        """The same with these voices in place of those of their locales; the others keep what was made for them."""
        made = Words(self.parts, self.units, {**self.voices, **voices}, self.quick)
        made._tellers.update((locale, one) for locale, one in self._tellers.copy().items() if locale not in voices)
        made._outlines.update((asked, one) for asked, one in self._outlines.copy().items() if asked[2] not in voices)
        object.__setattr__(made, "_skeletons", self._skeletons)  # each is kept by its outline; the least used go
        return made

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all messages."""
        folders = {name.split("/")[1] for name in self.parts if name.startswith("messages/")}
        return tuple(sorted(folders - SET_APART))

    @property
    def locales(self) -> tuple[str, ...]:
        """The locales that can be offered: not one unit is missing."""
        return tuple(locale for locale in self.voices if not self.missing(locale))

    def missing(self, locale: str) -> tuple[str, ...]:
        """The keys of the units that are not translated, or fuzzy, or whose English has changed since."""
        forms = self._voice(locale).catalog.forms
        return tuple(sorted(key for key in self.units if key not in forms))

    def language(self, locale: str) -> Language:
        """How a language is called, its direction and formats."""
        return self._voice(locale).language

    def resolve(self, tag: str) -> str:
        """The loaded locale that a written language means (es-MX is es). Raises BadInput naming the choice."""
        return resolve(tag, self.voices)

    def ui(self, key: str, locale: str, **values: object) -> str:
        """One unit of templates/messages/page as plain text, values isolated where it runs right to left; escape it."""
        voice = self._voice(locale)
        return voice.say(key, **{name: isolated(voice.language, plain(str(value))) for name, value in values.items()})

    def compose(
        self,
        key: str,
        channel: Channel,
        locale: str,
        wording: Wording,
        values: Values,
        *,
        calendar: bool = False,
        now: datetime | None = None,
        hint: bool = False,
        interpreter: str = "",
    ) -> Content:
        """What is sent. `calendar` adds the visit to an e-mail and needs `now` (aware); `hint` adds to a text how to
        stop, where it does not say so itself; `interpreter` is the locale of a line that offers one. Raises BadInput.
        """
        if channel is _SMS:
            return self._sms(key, locale, wording, values, hint, interpreter)
        language, (subject, text, html) = self._draft("email", key, locale, wording, values)
        ics, method = self._calendar(key, locale, values, now) if calendar else (None, "PUBLISH")
        if interpreter:
            text, html = interpreters.before(self._voice(interpreter), values.clinic_phone, text, html)
        return Content(
            locale=language.locale,
            subject=opened(language, " ".join(subject.split())),
            text=opened(language, text) + "\n",
            html=html,
            calendar=ics,
            calendar_method=method,
        )

    def mould(
        self, key: str, locale: str, wording: Wording, values: Values, *, hint: bool = False, interpreter: str = ""
    ) -> Mould:
        """A text into which only tokens are still to be put (see Mould): the same for all who read the same but for
        these. `values` name the links with TOKEN in their place. Raises BadInput."""
        folds = [one.fold for one in (values.visit_start, values.old_start, values.next_visit) if one is not None]
        asked = (
            key,
            locale,
            wording,
            values,
            hint,
            interpreter,
            *folds,
        )  # moments of the hour that comes twice are equal to Python
        found = self._moulds.get(asked)
        if found is None:
            if len(self._moulds) >= MOULDS:
                self._moulds.clear()
            content = self._sms(key, locale, wording, values, hint, interpreter)
            named = values._replace(link="", unsubscribe="")
            odd = any(TOKEN in value for value in named if isinstance(value, str))  # a name: nothing is put in there
            found = self._moulds[asked] = Mould(() if odd else tuple(content.text.split(TOKEN)), content)
        return found

    def page(self, key: str, locale: str, wording: Wording, values: Values) -> str:
        """The body as an HTML fragment for the patient's own page."""
        return self._draft("page", key, locale, wording, values)[1][0]

    @property
    def kept_to_the_long_way(self) -> tuple[str, ...]:
        """Templates met so far that do more to a value than place it, and so are rendered in full for each message."""
        return tuple(sorted(parts[-1] for parts in self._skeletons.refused))

    def facts(self, key: str) -> tuple[str, ...]:
        """The facts a message rests on, or `operational`."""
        found = [part.facts for name, part in self.parts.items() if name.startswith(f"messages/{key}/")]
        return tuple(dict.fromkeys(fact for facts in found for fact in facts))

    @cached_property
    def telling(self) -> frozenset[str]:
        """The messages whose text says in its own words how to stop, in every language."""
        said = {key: self.parts.get(f"messages/{key}/sms.txt") for key in (*self.keys, "neutral")}
        return frozenset(key for key, part in said.items() if part and all(STOP in unit.text for unit in part.units))

    def _sms(self, key: str, locale: str, wording: Wording, values: Values, hint: bool, interpreter: str) -> Content:
        language, (said,) = self._draft("sms", key, locale, wording, values)
        spoken = self._part(key, "sms.txt", wording).split("/")[1]
        if hint and spoken not in self.telling:
            said = f"{said} {self._voice(locale).say('hint.stop')}"
        if interpreter:
            said = f"{said} {interpreters.offer(self._voice(interpreter), values.clinic_phone)}"
        text = normalise(opened(language, said))
        encoding, _, segments = size(text)
        return Content(language.locale, text, segments=segments, encoding=encoding)

    def _draft(
        self, medium: Medium, key: str, locale: str, wording: Wording, values: Values
    ) -> tuple[Language, tuple[str, ...]]:
        teller, outline = self._outlines.get((medium, key, locale, wording)) or self._outlined(
            medium, key, locale, wording
        )
        context = teller.context(values, medium)
        said = self._skeletons.draft(outline, context) if self.quick else outline.draft(context)
        return outline.voice.language, said

    def _outlined(self, medium: Medium, key: str, locale: str, wording: Wording) -> tuple[Teller, Outline]:
        voice = self._voice(locale)
        parts = tuple(self._part(key, part, wording) for part in _PARTS[medium])
        teller = self._tellers.setdefault(locale, Teller(voice))
        return self._outlines.setdefault((medium, key, locale, wording), (teller, outline(voice, medium, parts)))

    def _part(self, key: str, part: str, wording: str) -> str:
        own = self.parts.get(f"messages/{key}/{part}")
        if own is None or key in SET_APART:
            raise BadInput(f"The message {key!r} has no {part}; messages are: {', '.join(self.keys)}.")
        if wording not in ("full", "neutral"):
            raise BadInput(f"The wording {wording!r} is unknown; choose full or neutral.")
        return own.name if wording == "full" or own.neutral else f"messages/neutral/{part}"

    def _calendar(self, key: str, locale: str, values: Values, now: datetime | None) -> tuple[bytes, str]:
        if not (now and values.visit_start and values.visit_uid and values.visit_minutes):
            raise BadInput(f"{key}: a calendar part needs now, visit_start, visit_minutes and visit_uid.")
        method: calendars.Method = "CANCEL" if key == CANCELLING else "PUBLISH"
        ics = calendars.visit(
            values.visit_uid,
            values.visit_sequence,
            values.visit_start,
            values.visit_minutes,
            self._voice(locale).say("calendar.summary"),
            values.clinic_address,
            method,
            now,
        )
        return ics, method

    def _voice(self, locale: str) -> Voice:
        voice = self.voices.get(locale)
        if voice is None:
            raise BadInput(f"The locale {locale!r} is not loaded; there are: {', '.join(self.voices)}.")
        return voice


def catalog_path(root: Path, locale: str) -> Path:
    """Where the catalog of a locale lies; the source language has none."""
    return root / "locales" / locale / "LC_MESSAGES" / "messages.po"


def voice_of(
    root: Path, language: Language, parts: Mapping[str, sources.Part], units: Mapping[str, catalogs.Unit]
) -> Voice:
    """A language with its catalog, read and checked. Raises BadFile."""
    path = catalog_path(root, language.locale)
    if language.locale == SOURCE:
        catalog = catalogs.identity(SOURCE, units)
    elif path.is_file():
        catalog = catalogs.load(path, language.locale, units)
    else:
        raise BadFile(path, 0, f"{language.name} has no catalog.", "Run: outreach locales update.")
    return Voice(language, catalog, parts, units)
