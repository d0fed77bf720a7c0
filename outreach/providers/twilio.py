"""SMS through Twilio: hand over, read receipts, ask what became of a message."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from twilio.base.exceptions import TwilioException
from twilio.rest import Client
from urllib3.exceptions import HTTPError
from yarl import URL

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Found, Parcel, Receipt
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers.base import Treatment
from outreach.providers.twilio_codes import STATUSES, UNKNOWN, treatment
from outreach.providers.twilio_http import PooledHttpClient
from outreach.providers.twilio_wire import Answer, Wire

API = "https://api.twilio.com"
# A list that is not the JSON of messages makes the library fail in one of these ways.
UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)
FIND_LIMIT = 200
LONGEST_WAIT = 86_400.0
# 307 and 308 promise that nothing was done. After 301 to 303 a server may well have taken the post: Uncertain.
ELSEWHERE = {307, 308}
# A refusal without a code of Twilio's comes from something between us (a proxy, a wrong address): ours to repair.
NOT_TWILIO = {401, 403, 404, 405, 407}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.~ -]+")


class TwilioProvider:
    """One per account and process. `base_url` is the sandbox's, None for Twilio itself.

    `timeout` (seconds) must be well below the lease of a message in hand; `pool` is the number of kept connections.
    """

    channel = Channel.SMS

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str | None = None,
        timeout: float = 10.0,
        pool: int = 32,
        name: str = "twilio",
    ) -> None:
        self.name = name
        self._url = URL(f"{(base_url or API).rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages.json")
        self._wire = Wire(_headers(account_sid, auth_token), timeout, pool)
        self._http = PooledHttpClient(base_url, timeout, 4)
        self._client: Any = Client(account_sid, auth_token, http_client=self._http)

    async def send(self, parcel: Parcel) -> Accepted:
        """Create the message. `sender` is a number, a sender id, or a Messaging Service (MG...)."""
        try:
            form = encoded(parcel)
        except UnicodeEncodeError:  # half a surrogate pair
            raise Refused(Reason.CONTENT_REFUSED, code="encoding") from None
        return read(await self._wire.post(self._url, form))

    def receipt(self, fields: Mapping[str, str]) -> Receipt:
        """Read a status callback. The attempt id is in the callback's URL, not here: the caller adds it."""
        word = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
        status = STATUSES.get(word.lower())
        code = fields.get("ErrorCode", "")
        return Receipt(
            carrier_id=fields.get("MessageSid") or fields.get("SmsSid") or "",
            word=word,
            status=status,
            reason=_why(status, code),
            code=code,
        )

    def find(self, to: str, day: date) -> Sequence[Found]:
        """Messages to `to` created on `day` (UTC), newest first; raises like `send` when Twilio does not answer.

        Asked with DateSent on or after the day, since a message made before midnight may be sent after it. One that
        waits in Twilio's queue may have no DateSent and be missing: an empty answer is not yet proof.
        """
        try:
            listed = self._client.messages.list(
                to=to, date_sent_after=datetime(day.year, day.month, day.day, tzinfo=UTC), limit=FIND_LIMIT
            )
            found = [_found(message) for message in listed]
        except (TwilioException, HTTPError) as error:
            raise Uncertain(f"not asked: {type(error).__name__}") from None  # the original names the number
        except UNREADABLE:
            raise Uncertain("the list was not readable") from None
        return [one for one in found if one.created_at is None or one.created_at.date() == day]

    async def hang_up(self) -> None:
        await self._wire.hang_up()

    def close(self) -> None:
        self._http.close()


def encoded(parcel: Parcel) -> bytes:
    """The form of one message; only what differs from message to message is quoted anew. ASCII."""
    place, slash, attempt = parcel.status_callback.rpartition("/")
    valid = min(max(parcel.valid_seconds, 5), 36000)
    return (
        f"{_sender(parcel.sender)}&To={quoted(parcel.to)}&ValidityPeriod={valid}"
        f"{_callback(place + slash) + quoted(attempt) if place else ''}&Body={quoted(parcel.content.text)}"
    ).encode("ascii")


def quoted(text: str) -> str:
    """`urllib.parse.quote_plus`, several times faster: runs of unsafe characters are encoded at once."""
    return _UNSAFE.sub(lambda found: _percents(found[0]), text).replace(" ", "+")


@lru_cache(4096)
def _percents(run: str) -> str:
    return "%" + run.encode().hex("%").upper()


@lru_cache(1024)
def _sender(sender: str) -> str:
    field = "MessagingServiceSid" if sender.startswith("MG") else "From"
    # Our words are already counted: Twilio must not change them.
    return f"SmartEncoded=false&{field}={quoted(sender)}"


@lru_cache(64)
def _callback(place: str) -> str:
    return f"&StatusCallback={quoted(place)}"


def _headers(account_sid: str, auth_token: str) -> dict[str, str]:
    """All that a post needs, so that nothing is added to each; identity: nothing here is worth unpacking."""
    return {
        "Authorization": "Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "outreach",
    }


def read(answer: Answer) -> Accepted:
    """What an answer to a post says. Raises Refused where it proves that nothing was made, else Uncertain."""
    said = _json(answer.body)
    if 200 <= answer.status < 300:
        sid = said.get("sid")
        if isinstance(sid, str) and sid:
            return Accepted(carrier_id=sid)
        raise Uncertain("the answer was not a message with an id")
    raise _no(answer, said.get("code"))


def _no(answer: Answer, given: object) -> OutreachError:
    status, code = answer.status, given if isinstance(given, int | str) else None
    if status == 429:  # documented as never processed, whatever its code
        known = treatment(code) if treatment(code) is not UNKNOWN else Treatment(Reason.TRANSIENT)
        return Refused(known.reason, retry=True, code=str(code or 20429), after=_wait(answer.headers))
    if status in ELSEWHERE or (code is None and status in NOT_TWILIO):
        return Refused(Reason.CONFIGURATION, retry=True, code=f"HTTP {status}")
    if not 400 <= status < 500 or status == 408:
        return Uncertain(f"HTTP {status}")
    known = treatment(code)
    return Refused(known.reason, retry=known.retry, code=str(code or status))


def _wait(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, given as a number or as a date (compared with the answer's own clock)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    until, now = _date(value), _date(headers.get("Date", "")) or datetime.now(UTC)
    return None if until is None else min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    try:
        read_date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return read_date if read_date.tzinfo else read_date.replace(tzinfo=UTC)


def _json(body: bytes | None) -> dict[str, Any]:
    try:
        said = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _why(status: Status | None, code: str) -> Reason | None:
    return treatment(code or None).reason if status in {Status.UNDELIVERED, Status.FAILED} else None


def _found(message: Any) -> Found:
    status, code = STATUSES.get(str(message.status)), str(message.error_code or "")
    return Found(
        carrier_id=message.sid,
        to=message.to or "",
        sender=message.from_ or message.messaging_service_sid or "",
        body=message.body or "",
        status=status,
        created_at=message.date_created,
        reason=_why(status, code),
        extra={"code": code} if code else {},
    )
