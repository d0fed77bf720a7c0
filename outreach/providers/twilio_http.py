"""The wire under the official Twilio library, for its rare questions: bounded in time, silent about addresses."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import urllib3
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response

# The library logs whole URLs at INFO, and those of list calls carry the patient's number.
_silent = logging.getLogger("twilio.http_client")
_silent.setLevel(logging.CRITICAL)
_silent.propagate = False
# urllib3 does the same with its debug lines.
logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)

PIECE = 65_536


class PooledHttpClient(HttpClient):  # type: ignore[misc]
    """`twilio.http.HttpClient` over urllib3. Never retries: a repeated POST is a second message.

    `base_url` replaces the scheme and host of api.twilio.com (the sandbox); `timeout` in seconds, for
    connecting, for each read, and for a body that trickles in; `pool` is the number of kept connections, to be the
    number of threads that ask.
    """

    def __init__(self, base_url: str | None, timeout: float, pool: int) -> None:
        super().__init__(_silent, False, timeout)
        self._base = urlsplit(base_url) if base_url else None
        self._pool = urllib3.PoolManager(num_pools=4, maxsize=pool, block=True)

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request; network faults leave as urllib3's own exceptions."""
        sent = dict(headers or {})
        if auth:
            sent.update(urllib3.make_headers(basic_auth=f"{auth[0]}:{auth[1]}"))
        limit = timeout or self.timeout
        until = time.monotonic() + limit
        answer = self._pool.request(
            method.upper(),
            self._address(url, params),
            body=urlencode(data, doseq=True).encode() if data else None,
            headers=sent,
            timeout=urllib3.Timeout(connect=min(5.0, limit), read=limit, total=limit),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        return Response(answer.status, _whole(answer, until).decode("utf-8", "replace"), answer.headers)

    def close(self) -> None:
        self._pool.clear()

    def _address(self, url: str, params: Mapping[str, object] | None) -> str:
        asked = urlsplit(url)
        query = "&".join(part for part in (asked.query, urlencode(params, doseq=True) if params else "") if part)
        if self._base is None:
            return urlunsplit((asked.scheme, asked.netloc, asked.path, query, ""))
        if asked.hostname != "api.twilio.com":
            raise TwilioException(f"unexpected host {asked.hostname}: only api.twilio.com has a stand-in")
        return urlunsplit((self._base.scheme, self._base.netloc, self._base.path.rstrip("/") + asked.path, query, ""))


def _whole(answer: urllib3.BaseHTTPResponse, until: float) -> bytes:
    """The body, if it ends by `until` (monotonic seconds). urllib3's own limits begin anew with every byte."""
    body = bytearray()
    try:
        while piece := answer.read1(PIECE):
            body += piece
            if time.monotonic() > until:
                raise urllib3.exceptions.TimeoutError("the answer did not end in time")
    finally:  # read to its end it has given its connection back already; else nobody may read on there
        answer.close()
        answer.release_conn()
    return bytes(body)
