"""E-mail: composed and in MIME, against nothing but rendering the same HTML as a translated Jinja template."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html import escape

from jinja2 import Environment, Template

from outreach.bench.plan import Plan, Wrong
from outreach.bench.report import Row
from outreach.bench.stock import LOCALES, STEPS
from outreach.content.compose import Values, Words
from outreach.content.values import Teller
from outreach.domain.channel import Channel
from outreach.domain.message import Content, Parcel
from outreach.providers import smtp_mail
from outreach.settings import ROOT
from outreach.store.ids import fresh_id

MAILS = 3000
CLINIC = "Lakeside Infusion Center"
HOLES = ("unsubscribe", "link", "clinic", "address", "phone", "day", "time")
_PIECE = re.compile(r"(>\s*)([^\s<>][^<>]*?)(?=\s*<)")
_HOLE = re.compile(r"\{\{ (\w+) \}\}")
_ISOLATES = dict.fromkeys((0x2066, 0x2067, 0x2068, 0x2069))


@dataclass(frozen=True)
class Kind:
    """One message in one language, and its own HTML as a bare template: translated, and with the words written in."""

    step: str
    locale: str
    teller: Teller
    bare: Template
    plain: Template


def email_rows(plan: Plan) -> list[Row]:
    """CPU of a whole mail over CPU of rendering its HTML alone, by turns; one process, no wire."""
    words = Words.load(ROOT)
    tellers = {locale: Teller(words.voices[locale]) for locale in LOCALES}
    kinds = [_kind(words, step, locale, tellers[locale]) for step in STEPS for locale in LOCALES]
    count = 300 if plan.quick else MAILS
    ratios, ours, floors = [], [], []
    for number in range(-1, plan.reps):
        floor = _cpu(lambda: _bare(kinds, count))
        mine = _cpu(lambda: _mails(words, kinds, count))
        if number < 0:
            continue  # a warm-up: templates compile at their first use
        plan.tell(f"e-mail {number + 1}/{plan.reps}")
        ratios.append(mine / floor)
        ours.append(mine / count * 1e6)
        floors.append(floor / count * 1e6)
    middle = plan.reps // 2
    untranslated = _cpu(lambda: _plain(kinds, count)) / count * 1e6
    return [
        Row.of("email", ratios, html_us=sorted(floors)[middle], mail_us=sorted(ours)[middle],
               html_without_translation_us=untranslated)
    ]  # fmt: skip


def _mails(words: Words, kinds: list[Kind], count: int) -> None:
    for kind, values in zip(itertools.cycle(kinds), letters(count), strict=False):
        content = words.compose(kind.step, Channel.EMAIL, kind.locale, "full", values)
        smtp_mail.build(_parcel(content, values))


def _plain(kinds: list[Kind], count: int) -> None:
    """The same without a single look-up: what no program that speaks several languages reaches; shown beside."""
    for kind, values in zip(itertools.cycle(kinds), letters(count), strict=False):
        kind.plain.render(kind.teller.context(values, "email"))


def _bare(kinds: list[Kind], count: int) -> None:
    """The floor: values told in the reader's language, and one compiled, translated, escaping template of the HTML."""
    for kind, values in zip(itertools.cycle(kinds), letters(count), strict=False):
        kind.bare.render(kind.teller.context(values, "email"))


def _kind(words: Words, step: str, locale: str, teller: Teller) -> Kind:
    """Turn one composed mail into its bare template, and prove that both make the same HTML."""
    values = next(letters(1))
    content = words.compose(step, Channel.EMAIL, locale, "full", values)
    told = {name: str(value).translate(_ISOLATES) for name, value in teller.context(values, "email").items()}
    source = content.html
    for name in HOLES:
        if told.get(name):
            source = source.replace(escape(told[name]), "{{ " + name + " }}")
    plain, bare = Environment(autoescape=True).from_string(source), _translated(source)
    if bare.render(told).split() != content.html.split():
        raise Wrong(f"e-mail: the bare template of {step} in {locale} does not make its HTML")
    _check(content, values)
    return Kind(step, locale, teller, bare, plain)


def _translated(source: str) -> Template:
    """Each piece of text becomes a `trans` block of Jinja's own extension: looked up, its values escaped and put in."""
    catalog: dict[str, str] = {}

    def piece(found: re.Match[str]) -> str:
        key = _HOLE.sub(r"%(\1)s", found[2].replace("%", "%%"))
        catalog[key] = key
        return f"{found[1]}{{% trans trimmed %}}{found[2]}{{% endtrans %}}"

    head, body, rest = source.partition("<body")
    made = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    made.install_gettext_callables(catalog.__getitem__, lambda one, _many, _n: one)  # type: ignore[attr-defined]
    return made.from_string(head + body + _PIECE.sub(piece, rest))


def _check(content: Content, values: Values) -> None:
    """What is measured must be whole: the mail reads back, both of its parts word by word."""
    mail = message_from_bytes(smtp_mail.build(_parcel(content, values)), policy=policy.default)
    for kind, said in (("html", content.html), ("plain", content.text)):
        part = mail.get_body((kind,))
        if part is None or part.get_content().split() != said.split() or not mail["List-Unsubscribe"]:
            raise Wrong("e-mail: a mail does not read back as it was composed")


def letters(count: int) -> Iterator[Values]:
    """What so many messages say, each its own: an hour, and links."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for number in range(count):
        start = now + timedelta(days=1, minutes=15 * (number % 500))  # clinics begin on quarters of an hour
        token = f"{number:022d}"
        yield Values(
            clinic=CLINIC, clinic_phone="+1 312-555-0100", zone="America/Chicago",
            clinic_address="1 Example Street, Chicago, IL 60601", emergency="911", visit_start=start, visit_minutes=60,
            visit_uid=f"{number}@lakeside.example", next_visit=start, link=f"https://care.example/m/{token}",
            unsubscribe=f"https://care.example/u/{token}",
        )  # fmt: skip


def _parcel(content: Content, values: Values) -> Parcel:
    attempt = fresh_id()
    return Parcel(
        attempt_id=attempt, channel=Channel.EMAIL, sender="care@lakeside.example", sender_name=CLINIC,
        to=f"{attempt.hex}@mail.example", content=content, unsubscribe_url=values.unsubscribe,
        message_domain="lakeside.example",
    )  # fmt: skip


def _cpu(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
