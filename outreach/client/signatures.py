"""Checking that a call to a webhook is ours (Standard Webhooks): its signature and its age."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE = 300.0
"""Seconds a call may be old, or ahead: an old one may be a repeat by somebody who overheard it."""


class BadSignature(Exception):
    """The call is not ours, or too old."""


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, now: float | None = None, tolerance: float = TOLERANCE
) -> dict[str, Any]:
    """The call's news: {"type", "timestamp", "data"}. `body` exactly as received; header names in any case.

    Remember `webhook-id`: a call may come twice with the same one. BadSignature: answer 400 and do nothing.
    """
    given = {name.lower(): value for name, value in headers.items()}
    call_id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not call_id or not (stamp.isascii() and stamp.isdigit()):
        raise BadSignature("a header is missing")
    if abs((time.time() if now is None else now) - int(stamp)) > tolerance:
        raise BadSignature("too old, or our clocks differ")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise BadSignature("the secret is none") from None
    signed = f"{call_id}.{stamp}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    for one in given.get("webhook-signature", "").split():
        version, _, signature = one.partition(",")
        if version == "v1" and hmac.compare_digest(signature.encode(), right):
            news: dict[str, Any] = json.loads(body)
            return news
    raise BadSignature("no signature fits")
