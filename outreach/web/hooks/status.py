"""Twilio's status callbacks: answered 204 once committed, in front of the framework because there are so many."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from outreach.actions import receive as receipts
from outreach.actions.desk import Desk
from outreach.providers.twilio import TwilioProvider
from outreach.store.receipts import News
from outreach.web.headers import Headers
from outreach.web.hooks.group import AWAY, Closed, Group
from outreach.web.hooks.signed import Unfit, read
from outreach.wiring import Outreach, twilio_tokens

log = structlog.get_logger()
PREFIX = "/hooks/twilio/status/"
ROUTE = PREFIX + "{attempt_id}"
TOO_MUCH = 413
PATIENCE = 5.0
"""Seconds a batch has to be written: carriers wait for an answer for 15 s, and call again when it is 503."""


class StatusRoute:
    """An ASGI application: `PREFIX` and an attempt's id is answered here, everything else by `rest`.

    204 is said only after the commit, so what a carrier was thanked for survives a crash; 503 lets it call again.
    A receipt for no attempt of ours is answered 204 too: calling again would not make one.
    """

    def __init__(self, rest: ASGIApp, out: Outreach) -> None:
        self._rest = rest
        self._out = out
        self._gate = Gate(out)
        # Whichever account it was, its words are read alike, and the attempt's id says the rest.
        self._carrier = next((one for one in out.providers.values() if isinstance(one, TwilioProvider)), None)
        self._desk = Desk(out.sessions, out.engine, joins_batches=True, patience=PATIENCE)
        self._group: Group[News] = Group(self._write, self._desk.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        attempt = attempt_of(scope)
        if attempt is None:
            await self._rest(scope, receive, send)
            return
        await self._gate.answer(await self._status(attempt, scope, receive), send)

    def close(self) -> None:
        """Write what waits. Blocks: not for an event loop's own thread."""
        self._group.close()

    async def _status(self, attempt: str, scope: Scope, receive: Receive) -> int:
        try:
            fields = await self._gate.read(scope, receive)
        except Unfit as unfit:
            return unfit.status
        try:
            attempt_id = UUID(attempt)
        except ValueError:
            log.warning("receipt for no attempt", route=ROUTE)
            return 204
        assert self._carrier is not None  # else there is no token, and nothing is signed
        try:
            await self._group.add(News(attempt_id, self._carrier.receipt(fields)))
        except (*AWAY, Closed) as error:
            log.warning("receipt not kept: the carrier is to call again", route=ROUTE, error=type(error).__name__)
            return 503
        except Exception:  # it failed alone, and was logged where it failed
            return 500
        return 204

    def _write(self, news: Sequence[News]) -> None:
        with self._desk.transaction() as session:
            receipts.apply_all(session, news, self._out.clock())


class Gate:
    """The signature check and the headers that every call here gets, prepared once."""

    def __init__(self, out: Outreach) -> None:
        self._tokens = twilio_tokens(out.settings)
        self._public_url = out.settings.public_url.rstrip("/")
        fixed = Headers(_nowhere, secure=self._public_url.startswith("https:")).fixed | {"Cache-Control": "no-store"}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in fixed.items()]

    async def read(self, scope: Scope, receive: Receive) -> dict[str, str]:
        """The signed fields; raises Unfit, and logs, for everything else."""
        try:
            return await read(scope, receive, self._tokens, self._public_url)
        except Unfit as unfit:
            if unfit.status == 403:
                log.warning("forged hook", route=ROUTE)
            raise

    async def answer(self, status: int, send: Send) -> None:
        """An answer without a body."""
        headers = self._headers
        if status != 204:
            headers = [*headers, (b"content-length", b"0")]
        if status == TOO_MUCH:  # the rest of it is not read
            headers = [*headers, (b"connection", b"close")]
        if status == 405:
            headers = [*headers, (b"allow", b"POST")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def attempt_of(scope: Scope) -> str | None:
    """What stands in the path where an attempt's id belongs; None for any other path."""
    if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
        return None
    last: str = scope["path"][len(PREFIX) :]
    return last if last and "/" not in last else None


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """No application."""


def null_route(out: Outreach) -> ASGIApp:
    """The same call with the same check and the same answer, and nothing kept: what the benchmark compares with."""
    gate = Gate(out)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await gate.read(scope, receive)
        except Unfit as unfit:
            await gate.answer(unfit.status, send)
        else:
            await gate.answer(204, send)

    return app
