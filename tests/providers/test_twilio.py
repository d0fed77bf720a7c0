"""The Twilio carrier: what it asks for, how it reads answers and receipts, what it never logs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from outreach.domain.message import Parcel
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.twilio import TwilioProvider
from outreach.providers.twilio_codes import CODES, treatment
from outreach.sandbox.running import Running


SID, TOKEN = "AC" + "a" * 32, "the token"
Make = Callable[..., Parcel]


def to_stub(stub: Stub, timeout: float = 5) -> TwilioProvider:
    return TwilioProvider(SID, TOKEN, stub.url, timeout=timeout, pool=4)


def asked(stub: Stub) -> dict[str, list[str]]:
    return parse_qs(stub.asked[-1][2])
