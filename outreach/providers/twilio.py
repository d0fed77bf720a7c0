"""SMS through Twilio's official library: hand over, read receipts, ask what became of a message."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from twilio.base import values
from twilio.base.exceptions import TwilioException
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Found, Parcel, Receipt
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers.twilio_codes import STATUSES, treatment
from outreach.providers.twilio_http import PooledHttpClient, TooMany

# An answer 201 that is not the JSON of a message makes the library fail in one of these ways.
UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)
FIND_LIMIT = 200


class TwilioProvider:
    """One per process: it keeps the connections. `base_url` is the sandbox's, None for Twilio itself.

    `timeout` (seconds) must be well below the lease of a message in hand; `pool` is the number of sending threads.
    """

    name = "twilio"
    channel = Channel.SMS

    def __init__(
        self, account_sid: str, auth_token: str, base_url: str | None = None, timeout: float = 10.0, pool: int = 32
    ) -> None:
        self._http = PooledHttpClient(base_url, timeout, pool)
        self._client: Any = Client(account_sid, auth_token, http_client=self._http)

    def send(self, parcel: Parcel) -> Accepted:
        """Create the message. `sender` is a number, a sender id, or a Messaging Service (MG...)."""
        service = parcel.sender.startswith("MG")
        try:
            message = self._client.messages.create(
                to=parcel.to,
                body=parcel.content.text,
                from_=values.unset if service else parcel.sender,
                messaging_service_sid=parcel.sender if service else values.unset,
                status_callback=parcel.status_callback or values.unset,
                validity_period=min(max(parcel.valid_seconds, 5), 36000),
                smart_encoded=False,  # our words are already counted; Twilio must not change them
            )
        except (TwilioException, HTTPError) as error:
            raise classify(error) from None  # the original names the number and the URL
        except UNREADABLE:
            raise Uncertain("the answer was not a message") from None
        if not isinstance(message.sid, str) or not message.sid:
            raise Uncertain("the answer had no message id")
        return Accepted(carrier_id=message.sid)

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
            raise classify(error) from None
        except UNREADABLE:
            raise Uncertain("the list was not readable") from None
        return [one for one in found if one.created_at is None or one.created_at.date() == day]

    def close(self) -> None:
        self._http.close()


def classify(error: Exception) -> OutreachError:
    """Refused only where the message surely did not go; everything else is Uncertain."""
    if isinstance(error, TooMany):
        return Refused(Reason.TRANSIENT, retry=True, code=error.code, after=error.after)
    if isinstance(error, TwilioException):
        return _answered(getattr(error, "status", None), getattr(error, "code", None))
    cause = error
    while isinstance(reason := getattr(cause, "reason", None), Exception):
        cause = reason
    if isinstance(cause, NewConnectionError | ConnectTimeoutError):  # nothing had left yet; DNS failures are among them
        return Refused(Reason.TRANSIENT, retry=True, code="connect")
    if isinstance(cause, SSLError) and any(isinstance(arg, ssl.SSLCertVerificationError) for arg in cause.args):
        return Refused(Reason.CONFIGURATION, retry=True, code="certificate")
    return Uncertain(type(error).__name__)


def _answered(status: object, code: object) -> OutreachError:
    """The library's two exceptions, TwilioRestException and TwilioServiceException, both carry status and code."""
    if not isinstance(status, int) or not 400 <= status < 500:
        return Uncertain(f"HTTP {status}")
    known = treatment(code if isinstance(code, int | str) else None)
    return Refused(known.reason, retry=known.retry, code=str(code or status))


def _why(status: Status | None, code: str) -> Reason | None:
    return treatment(code or None).reason if status in {Status.UNDELIVERED, Status.FAILED} else None


def _found(message: Any) -> Found:
    return Found(
        carrier_id=message.sid,
        to=message.to or "",
        sender=message.from_ or message.messaging_service_sid or "",
        body=message.body or "",
        status=STATUSES.get(str(message.status)),
        created_at=message.date_created,
        extra={"code": str(message.error_code)} if message.error_code else {},
    )
