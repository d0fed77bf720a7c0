"""The Message resource in Twilio's words: requests checked, messages and errors shown, lists filtered."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from outreach.sandbox.book import Message
from outreach.sandbox.script import ERRORS, MAGIC_FROM, MAGIC_TO

VERSION = "2010-04-01"
E164 = re.compile(r"\+[1-9]\d{6,14}")
LONGEST = 1600
Test = Callable[[Message], bool]


def wrong(form: dict[str, str]) -> int:
    """Twilio's code for what is wrong with a create, 0 if nothing is."""
    to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
    service = form.get("MessagingServiceSid", "")
    checks = (
        (not to, 21604),
        (to in MAGIC_TO, MAGIC_TO.get(to, 0)),
        (not E164.fullmatch(to), 21211),
        (not sender and not service, 21603),
        (sender in MAGIC_FROM, MAGIC_FROM.get(sender, 0)),
        (bool(service) and not re.fullmatch(r"MG[0-9a-fA-F]{32}", service), 21701),
        (not body.strip(), 21602),
        (len(body) > LONGEST, 21617),
        (not _callback_is_right(form.get("StatusCallback", "")), 21609),
        (not _validity_is_right(form.get("ValidityPeriod", "")), 20001),
    )
    return next((code for is_wrong, code in checks if is_wrong), 0)


def error(code: int, headers: dict[str, str] | None = None) -> Response:
    status, message = ERRORS[code]
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return JSONResponse(body, status, headers)


def shown(message: Message, account: str) -> dict[str, Any]:
    """The message as Twilio's JSON (schema api.v2010.account.message of its OpenAPI description)."""
    path = f"/{VERSION}/Accounts/{account}/Messages/{message.sid}"
    return {
        "account_sid": account,
        "api_version": VERSION,
        "body": message.body,
        "date_created": format_datetime(message.created),
        "date_sent": format_datetime(message.sent) if message.sent else None,
        "date_updated": format_datetime(message.updated),
        "direction": message.direction,
        "error_code": message.error,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": message.service,
        "num_media": "0",
        "num_segments": str(message.segments),
        "price": None,
        "price_unit": None,
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": message.to,
        "uri": f"{path}.json",
    }


def _callback_is_right(url: str) -> bool:
    parts = urlsplit(url)
    return not url or (parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in (parts.hostname or ""))


def _validity_is_right(value: str) -> bool:
    return not value or (value.isdigit() and 1 <= int(value) <= 36000)


def matches(name: str, value: str) -> Test:
    """One filter of a list request; an unknown name is ignored, as Twilio does."""
    if name in {"To", "From"}:
        return lambda message: (message.to if name == "To" else message.sender) == value
    if not name.startswith("DateSent"):
        return lambda message: True
    day = _moment(value).date()
    compare: dict[str, Test] = {
        "DateSent": lambda message: message.sent is not None and message.sent.date() == day,
        "DateSent<": lambda message: message.sent is not None and message.sent.date() <= day,
        "DateSent>": lambda message: message.sent is not None and message.sent.date() >= day,
    }
    return compare.get(name, lambda message: True)


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return parsedate_to_datetime(value)
