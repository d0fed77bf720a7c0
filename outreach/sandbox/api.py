"""Twilio's Messages resource: create, fetch, list, redact or cancel, delete; over one Book."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import random
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from outreach.sandbox.book import Book, Message, outbound
from outreach.sandbox.hooks import Hooks
from outreach.sandbox.resource import VERSION, error, matches, shown, wrong
from outreach.sandbox.script import LAST_FOUR, ORDINARY, UNREACHABLE, Part

FINAL = {"delivered", "undelivered", "failed", "canceled"}


class Api:
    """The endpoints; `routes` are mounted by the app."""

    def __init__(self, book: Book, hooks: Hooks, account_sid: str, auth_token: str) -> None:
        self._book, self._hooks = book, hooks
        self._account = account_sid
        self._secret = f"{account_sid}:{auth_token}".encode()
        self._chance = random.Random(20261121)  # the same messages fail in every demo
        self._tries: dict[str, int] = {}

    def routes(self) -> list[Route]:
        one = f"/{VERSION}/Accounts/{{account}}/Messages/{{sid}}.json"
        return [
            Route(f"/{VERSION}/Accounts/{{account}}/Messages.json", self.create, methods=["POST"]),
            Route(f"/{VERSION}/Accounts/{{account}}/Messages.json", self.list, methods=["GET"]),
            Route(one, self.fetch, methods=["GET"]),
            Route(one, self.update, methods=["POST"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        if refused := self._stranger(request):
            return refused
        form = await _form(request)
        if self._hooks.behaviour.latency:
            await asyncio.sleep(self._hooks.behaviour.latency)
        if code := wrong(form) or self._stopped(form):
            return error(code)
        part = self._part(form["To"])
        if part.refuse:
            return error(part.refuse, {"Retry-After": "1"} if part.refuse == 20429 else None)
        if not part.taken:
            return error(20500)
        message = self._book.add(
            outbound(
                form["To"],
                form.get("From", ""),
                form.get("MessagingServiceSid", ""),
                form["Body"],
                form.get("StatusCallback", ""),
            )
        )
        answer = JSONResponse(shown(message, self._account), 201)  # as it is now, before anything happens to it
        self._hooks.follow(message, part)
        return {"created": answer, "error": error(20500), "garbage": Response("<html>", 201), "drop": Dropped()}[
            part.answer
        ]

    async def fetch(self, request: Request) -> Response:
        return self._stranger(request) or self._with(request, lambda m: JSONResponse(shown(m, self._account)))

    async def update(self, request: Request) -> Response:
        """Body='' redacts; Status=canceled cancels what has not been sent."""
        if refused := self._stranger(request):
            return refused
        form = await _form(request)

        def change(message: Message) -> Response:
            if form.get("Status") == "canceled":
                if message.status in FINAL | {"sent"}:
                    return error(20001)
                self._book.move(message, "canceled")
            elif form.get("Body") == "":
                message.body = ""
            else:
                return error(20001)
            return JSONResponse(shown(message, self._account))

        return self._with(request, change)

    async def delete(self, request: Request) -> Response:
        def drop(message: Message) -> Response:
            del self._book.messages[message.sid]
            return Response(status_code=204)

        return self._stranger(request) or self._with(request, drop)

    async def list(self, request: Request) -> Response:
        """Filters To, From, DateSent, DateSent< and DateSent> (by day, both ends inclusive), newest first, in pages."""
        if refused := self._stranger(request):
            return refused
        asked = dict(request.query_params)
        try:
            size, page = int(asked.get("PageSize", 50)), int(asked.get("Page", 0))
            tests = [matches(name, value) for name, value in asked.items()]
        except ValueError:
            return error(20001)
        if not 1 <= size <= 1000 or page < 0:
            return error(20001)
        found = [message for message in self._book.newest() if all(test(message) for test in tests)]
        return JSONResponse(self._page(request, asked, found, page, size))

    def _page(
        self, request: Request, asked: dict[str, str], found: Iterable[Message], page: int, size: int
    ) -> dict[str, Any]:
        every = [*found]
        rows = every[page * size : (page + 1) * size]

        def address(number: int) -> str:
            token = {"PageToken": f"PASM{number}"} if number else {}
            return f"{request.url.path}?{urlencode({**asked, 'PageSize': size, 'Page': number, **token})}"

        return {
            "end": page * size + max(len(rows) - 1, 0),
            "first_page_uri": address(0),
            "next_page_uri": address(page + 1) if len(every) > (page + 1) * size else None,
            "page": page,
            "page_size": size,
            "previous_page_uri": address(page - 1) if page else None,
            "start": page * size,
            "uri": address(page),
            "messages": [shown(message, self._account) for message in rows],
        }

    def _with(self, request: Request, act: Callable[[Message], Response]) -> Response:
        message = self._book.messages.get(request.path_params["sid"])
        return act(message) if message else error(20404)

    def _stranger(self, request: Request) -> Response | None:
        """Twilio's answer to a wrong SID or token; None when they are right."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        if not hmac.compare_digest(given, self._secret):
            return error(20003)
        return None if request.path_params["account"] == self._account else error(20404)

    def _stopped(self, form: dict[str, str]) -> int:
        pair = (form["To"], form.get("From") or form.get("MessagingServiceSid", ""))
        return 21610 if self._hooks.behaviour.stops and pair in self._book.stopped else 0

    def _part(self, to: str) -> Part:
        part = LAST_FOUR.get(to[-4:])
        if part is not None and part.sometimes:
            self._tries[to] = self._tries.get(to, 0) + 1
            return part if self._tries[to] % 2 else ORDINARY
        if part is None and self._chance.random() < self._hooks.behaviour.refusal_share:
            return LAST_FOUR["9029"]
        if part is None and self._chance.random() < self._hooks.behaviour.failure_share:
            return UNREACHABLE
        return part or ORDINARY


class Dropped(Response):
    """The connection closes in the middle of the answer: the sender cannot know whether the message was taken."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"600")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
