"""The sandbox's own JSON: what arrived, how it behaves, the patient's answers, a clean start."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from outreach.sandbox.book import Book, Mail, Message
from outreach.sandbox.hooks import Hooks
from outreach.sandbox.resource import E164


class Control:
    def __init__(self, book: Book, hooks: Hooks) -> None:
        self._book, self._hooks = book, hooks
        self._first = hooks.behaviour

    def routes(self) -> list[Route]:
        return [
            Route("/sandbox/health", self.health, methods=["GET"]),
            Route("/sandbox/messages", self.messages, methods=["GET"]),
            Route("/sandbox/settings", self.settings, methods=["GET", "POST", "PATCH"]),
            Route("/sandbox/inbound", self.inbound, methods=["POST"]),
            Route("/sandbox/reset", self.reset, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "revision": self._book.revision, "busy": self._hooks.busy})

    async def messages(self, request: Request) -> Response:
        """Everything, oldest first; `?to=` one number or mailbox, `?limit=` the newest so many of each kind."""
        to = request.query_params.get("to", "")
        limit = int(value) if (value := request.query_params.get("limit", "")).isdigit() else None
        sms = [_sms(one) for one in self._book.messages.values() if to in ("", one.phone)]
        mails = [_mail(one) for one in self._book.mails if to.lower() in ("", one.to.lower())]
        return JSONResponse(
            {
                "sms": sms[-limit:] if limit else sms,
                "mails": mails[-limit:] if limit else mails,
                "counts": {"sms": len(sms), "mails": len(mails), "attempts": len(self._book.attempts)},
                "duplicates": self._book.duplicates(),
                "busy": self._hooks.busy,
                "revision": self._book.revision,
            }
        )

    async def settings(self, request: Request) -> Response:
        """Read with GET; change some or all with POST or PATCH."""
        if request.method != "GET":
            try:
                self._hooks.behaviour = self._hooks.behaviour.changed(await _object(request))
            except ValueError as wrong:
                return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse(asdict(self._hooks.behaviour))

    async def inbound(self, request: Request) -> Response:
        """The patient `from` writes `body` to the clinic's `to` (default: whoever wrote to that phone last)."""
        if not _same_site(request):
            return JSONResponse({"error": "a form of another site may not answer for a patient"}, 403)
        try:
            given = await _object(request)
        except ValueError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        phone, body = str(given.get("from", "")), str(given.get("body", ""))
        to = str(given.get("to") or self._correspondent(phone))
        if not E164.fullmatch(phone) or not body.strip() or not to:
            return JSONResponse(
                {"error": "from (like +12025550123) and body are needed, and to if nobody wrote to that phone yet"}, 400
            )
        message = self._hooks.receive(phone, to, body)
        if given.get("back"):  # a form without JavaScript returns to its phone
            return RedirectResponse(f"/phones/{quote(phone)}", 303)
        return JSONResponse({"sid": message.sid}, 202)

    async def reset(self, request: Request) -> Response:
        """Forget all messages and behave as at the start."""
        self._book.clear()
        self._hooks.behaviour = self._first
        return Response(status_code=204)

    def _correspondent(self, phone: str) -> str:
        return next((one.clinic for one in self._book.newest() if one.phone == phone), "")


async def _object(request: Request) -> dict[str, Any]:
    """A JSON object or a form, by content type. Raises ValueError."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
    try:
        given = await request.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError("a JSON object or a form is needed")  # noqa: TRY004 - the caller's input, not a wrong type
    return given


def _same_site(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _sms(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "attempt": message.attempt,
        "direction": message.direction,
        "phone": message.phone,
        "clinic": message.clinic,
        "body": message.body,
        "status": message.status,
        "error": message.error,
        "segments": message.segments,
        "created": message.created.isoformat(),
        "hook": message.hook,
    }


def _mail(mail: Mail) -> dict[str, Any]:
    return {**asdict(mail), "received": mail.received.isoformat(), "attempt": mail.attempt}
