"""The page /phones: every patient's phone and mailbox as they would look, and a box to answer as the patient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import phonenumbers
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from outreach.domain.contact import NUMBER
from outreach.sandbox.book import Book, Mail, Message

CARDS = 18
"""On one page: six rows on a desk. Sixty were eleven screens long."""
URL = re.compile(r"https?://[^\s<>\"'\u2066-\u2069]+")
ASKS = re.compile(r"(?<![\w+/.:-])1(?![\w/.:-])")
"""All that the sandbox can know of a question: it names the answer 1."""
SCRIPTS = (
    ("ar", r"[\u0600-\u06ff]"),
    ("ko", r"[\uac00-\ud7af]"),
    ("zh", r"[\u4e00-\u9fff]"),
    ("ru", r"[\u0400-\u04ff]"),
    ("vi", r"[\u1ea0-\u1ef9]"),
    ("es", r"[ñ¿¡]"),
)
TICKS = {
    **dict.fromkeys(("accepted", "queued", "sending", "scheduled"), "○"),
    "sent": "✓",
    "delivered": "✓✓",
    **dict.fromkeys(("undelivered", "failed", "canceled"), "✕"),
}
# Mail is shown in a frame that can run nothing and fetch nothing but what it carries.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"


@dataclass(frozen=True)
class Phone:
    """`messages` oldest first."""

    number: str
    messages: Sequence[Message]
    kind: str = "phone"

    @property
    def latest(self) -> datetime:
        return self.messages[-1].created

    @property
    def id(self) -> str:
        return "p" + self.number.lstrip("+")

    @property
    def mark(self) -> str:
        """Changes whenever the card would look different."""
        return f"{len(self.messages)}-{hash(tuple((one.sid, one.status, one.hook) for one in self.messages)):x}"


@dataclass(frozen=True)
class Mailbox:
    """`mails` newest first."""

    address: str
    mails: Sequence[Mail]
    kind: str = "mailbox"

    @property
    def latest(self) -> datetime:
        return self.mails[0].received

    @property
    def id(self) -> str:
        return "m" + re.sub(r"\W", "-", self.address)

    @property
    def mark(self) -> str:
        return f"{len(self.mails)}-{self.mails[0].id}"


class Phones:
    def __init__(self, book: Book, templates: Path) -> None:
        self._book, self._folder = book, templates
        self._environment = Environment(
            loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._environment.filters.update(linked=linked, framed=framed, lang=language, number=readable)
        self._environment.globals.update(TICKS=TICKS)

    def routes(self) -> list[Route]:
        return [
            Route("/phones", self.grid, methods=["GET"]),
            Route("/phones/{number}", self.phone, methods=["GET"]),
            Route("/mail/{id}", self.mail, methods=["GET"]),
            Route("/phones.css", self.style, methods=["GET"]),
            Route("/phones.js", self.script, methods=["GET"]),
        ]

    async def grid(self, request: Request) -> Response:
        """Cards by latest activity, of one minute phones first.

        `show` phones|mail, `q` a part of number, address or text, `page` from 1.
        """
        show, query = request.query_params.get("show", ""), request.query_params.get("q", "").strip().lower()
        page = max(int(value) if (value := request.query_params.get("page", "1")).isdigit() else 1, 1)
        phones, boxes = by_number(self._book.messages.values()), by_address(self._book.mails)
        every: list[Phone | Mailbox] = [*(phones if show != "mail" else ()), *(boxes if show != "phones" else ())]
        cards = [card for card in every if not query or query in _haystack(card)]
        cards.sort(key=latest_first, reverse=True)
        known = f'"{self._book.revision}-{hash((show, query, page)) & 0xFFFFFF}"'
        if request.headers.get("if-none-match") == known:
            return Response(status_code=304)
        return self._page(
            "phones.html",
            {"etag": known},
            cards=cards[(page - 1) * CARDS : page * CARDS],
            more=len(cards) > page * CARDS,
            page=page,
            pages=max(1, -(-len(cards) // CARDS)),
            show=show,
            query=query,
            total=(len(phones), len(boxes)),
        )

    async def phone(self, request: Request) -> Response:
        number = request.path_params["number"]
        messages = [one for one in self._book.messages.values() if one.phone == number]
        if not messages:
            return self._page("none.html", {}, 404, what=number)
        return self._page("phone.html", {}, card=Phone(number, messages))

    async def mail(self, request: Request) -> Response:
        found = next((one for one in self._book.mails if one.id == request.path_params["id"]), None)
        if found is None:
            return self._page("none.html", {}, 404, what="this mail")
        return self._page("mail.html", {}, mail=found)

    async def style(self, request: Request) -> Response:
        return FileResponse(self._folder / "phones.css", media_type="text/css")

    async def script(self, request: Request) -> Response:
        return FileResponse(self._folder / "phones.js", media_type="text/javascript")

    def _page(self, name: str, headers: dict[str, str], status: int = 200, **values: object) -> Response:
        text = self._environment.get_template(name).render(**values)
        return HTMLResponse(text, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", **headers})


def by_number(messages: Iterable[Message]) -> list[Phone]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.phone, []).append(message)
    return [Phone(number, listed) for number, listed in found.items()]


def by_address(mails: Iterable[Mail]) -> list[Mailbox]:
    found: dict[str, list[Mail]] = {}
    for mail in mails:
        found.setdefault(mail.to.lower(), []).append(mail)
    return [Mailbox(address, listed[::-1]) for address, listed in found.items()]


def linked(text: str) -> Markup:
    """Escaped, with its URLs clickable; a stop or comma after a URL is not part of it."""
    parts, end = [], 0
    for match in URL.finditer(text):
        url = match.group().rstrip(".,;:!?)؟،。")
        parts += [
            _unbroken(text[end : match.start()]),
            Markup('<a href="{0}" dir="ltr" target="_blank" rel="noopener noreferrer">{0}</a>').format(url),
        ]
        end = match.start() + len(url)
    return Markup("").join([*parts, _unbroken(text[end:])])


def _unbroken(text: str) -> Markup:
    """Escaped, with no telephone number over two lines."""
    return Markup(NUMBER.sub(lambda found: f'<bdi dir="ltr" class="whole">{found[0]}</bdi>', str(escape(text))))


def framed(html: str) -> str:
    """The mail's HTML for a frame: its links open outside of it."""
    base = '<base target="_blank">'
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    return html[: head.end()] + base + html[head.end() :] if head else base + html


def language(text: str) -> str:
    """A guess by script, for the screen reader and the font; an SMS does not say its language."""
    return next((lang for lang, marks in SCRIPTS if re.search(marks, text)), "en")


def readable(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _haystack(card: Phone | Mailbox) -> str:
    if isinstance(card, Phone):
        return " ".join((card.number, *(one.body for one in card.messages))).lower()
    return " ".join((card.address, *(one.subject + " " + one.text for one in card.mails))).lower()


def latest_first(card: Phone | Mailbox) -> tuple[datetime, bool, bool, datetime]:
    """A batch reaches mailboxes and phones within the same second; phones, which can be answered, lead, and first of
    them those on which a text like "answer 1 to agree" has had no answer yet."""
    last = card.messages[-1] if isinstance(card, Phone) else None
    asks = last is not None and not last.inbound and ASKS.search(last.body) is not None
    return card.latest.replace(second=0, microsecond=0), last is not None, asks, card.latest
