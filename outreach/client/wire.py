"""Requests over kept connections: tried again where that is safe, refusals raised, pages followed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import urllib3

from outreach.client.problems import Unanswered, problem

AGAIN = frozenset({409, 429, 500, 502, 503, 504})
"""409 only while a request with the same Idempotency-Key is being done, which Retry-After tells apart."""
TRIES = 4


class Wire:
    """One key at one address. `sleep` is given the seconds between two tries."""

    def __init__(self, url: str, key: str, timeout: float, sleep: Callable[[float], object] = time.sleep) -> None:
        self._base = url.rstrip("/") + "/api/v1"
        self._key, self._sleep = key, sleep
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def close(self) -> None:
        self._pool.clear()

    def get(self, path: str, **query: object) -> Any:
        return self._ask("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, object] | None = None, idempotency_key: str | None = None) -> Any:
        """Done once, however often it has to be tried: every try carries the same Idempotency-Key."""
        return self._ask("POST", path, body or {}, {"Idempotency-Key": idempotency_key or uuid4().hex})

    def put(self, path: str, body: Mapping[str, object]) -> Any:
        return self._ask("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, object], version: int | None = None) -> Any:
        """Not tried again after silence: the version guards it, and the second try would look like a lost update."""
        match = {} if version is None else {"If-Match": f'"v{version}"'}
        return self._ask("PATCH", path, body, match, tries=1)

    def delete(self, path: str) -> None:
        self._ask("DELETE", path, tries=1)

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Every row of a list, a page at a time."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        tries: int = TRIES,
    ) -> Any:
        url = self._base + path + _query(query or {})
        sent = {"Authorization": f"Bearer {self._key}", "Accept": "application/json", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        for number in range(1, tries + 1):
            try:
                answer = self._pool.request(method, url, body=data, headers=sent, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                if number == tries:
                    raise Unanswered(f"{method} {path}: {type(error).__name__}") from error
                self._sleep(0.5 * 2**number)
                continue
            if answer.status < 400:
                return json.loads(answer.data) if answer.data else None
            later = answer.headers.get("Retry-After", "")
            again = answer.status in AGAIN and (answer.status != 409 or later)
            if not again or number == tries:
                raise problem(answer.status, answer.data)
            self._sleep(min(60.0, float(later)) if later.isdigit() else 0.5 * 2**number)
        raise AssertionError("a last try either answers or raises")


def _query(values: Mapping[str, object]) -> str:
    pairs = [(name, value) for name, value in values.items() if value is not None]
    flat = [(name, "true" if one is True else "false" if one is False else str(one))
            for name, value in pairs for one in (value if isinstance(value, list | tuple) else [value])]  # fmt: skip
    return f"?{urlencode(flat)}" if flat else ""
