"""The sandbox as one ASGI app: Twilio's API, the phones page, and the SMTP sink, which lives and dies with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from outreach.sandbox import mailbox
from outreach.sandbox.api import Api
from outreach.sandbox.book import Book
from outreach.sandbox.control import Control
from outreach.sandbox.hooks import Hooks
from outreach.sandbox.phones import Phones
from outreach.sandbox.script import Behaviour
from outreach.sandbox.shelf import put_up, take_down

SHELVE_SECONDS = 3.0
TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "sandbox"


def build(
    account_sid: str,
    auth_token: str,
    inbound_url: str = "",
    smtp_port: int | None = None,
    host: str = "127.0.0.1",
    behaviour: Behaviour | None = None,
    templates: Path = TEMPLATES,
    shelf: Path | None = None,
) -> Starlette:
    """`inbound_url`: our inbound hook, empty for none. `smtp_port`: None for no mail, 0 for any free port.

    `shelf`: a file that keeps the book over a restart; None forgets.

    While it runs, `app.state.book` holds what arrived and `app.state.smtp_port` the real port.
    """
    book = Book()
    if shelf:
        take_down(book, shelf)
    hooks = Hooks(book, account_sid, auth_token, inbound_url)
    hooks.behaviour = behaviour or Behaviour()

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        await hooks.open()
        sink = await mailbox.listen(book, host, smtp_port) if smtp_port is not None else None
        app.state.smtp_port = mailbox.port_of(sink) if sink else None
        keeper = asyncio.create_task(_keep(book, shelf)) if shelf else None
        try:
            yield
        finally:
            if keeper and shelf:
                keeper.cancel()
                put_up(book, shelf)
            if sink:
                sink.close()
            await hooks.close()

    app = Starlette(
        routes=[
            Route("/", _home),
            *Api(book, hooks, account_sid, auth_token).routes(),
            *Control(book, hooks).routes(),
            *Phones(book, templates).routes(),
        ],
        lifespan=life,
    )
    app.state.book = book
    return app


async def _keep(book: Book, shelf: Path) -> None:
    """Write the book every few seconds while it changes; a kill loses no more than those."""
    written = book.revision
    while True:
        await asyncio.sleep(SHELVE_SECONDS)
        if book.revision != written:
            written = book.revision
            put_up(book, shelf)


async def _home(request: Request) -> Response:
    return RedirectResponse("/phones")
