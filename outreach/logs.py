"""structlog: event names and declared keys only; no address, name or body ever."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

KEYS = frozenset(
    {
        "event", "level", "timestamp", "logger",
        "clinic", "patient", "course", "infusion", "enrolment", "message", "attempt", "address_id", "inbound",
        "batch", "user", "channel", "carrier", "locale", "step", "status", "reason", "code", "error",
        "place", "kind", "route", "method",
        "count", "claimed", "sent", "accepted", "refused", "unknown", "suppressed", "expired", "cancelled",
        "rescheduled",
        "applied", "recovered", "waiting", "ignored", "segments", "seconds", "milliseconds", "late_seconds", "attempts",
        "port", "name", "pid", "revision", "version", "word",
    }
)  # fmt: skip
"""What a log line may say. A new key is a decision: it must be an id, a count or a word of ours."""

_LOUD = ("twilio.http_client", "urllib3", "sqlalchemy.engine", "uvicorn.access", "mail.log")
"""Libraries that write addresses or whole links at INFO."""


def only_declared(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep declared keys; name the dropped ones, never their values. An exception becomes its type and place."""
    error = event.pop("exc_info", None)
    if error:
        event.update(_fault(sys.exc_info()[1] if error is True else error))
    dropped = sorted(key for key in event if key not in KEYS)
    kept = {key: value for key, value in event.items() if key in KEYS}
    if dropped:
        kept["dropped"] = dropped
    return kept


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Set up structlog and the standard library's root logger; JSON lines on `stream` (standard error)."""
    target = cast(TextIO, stream or _StandardError())
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        only_declared,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # what fails in a batch is raised, and warned of as well
    logging.getLogger("uvicorn.error").addFilter(_without_its_text)


def _without_its_text(record: logging.LogRecord) -> bool:
    """The server writes a bug's whole trace, and its text may quote a row. We have written down its type and place."""
    return not str(record.msg).startswith("Exception in ASGI application")


class _StandardError:
    """Whatever sys.stderr is at the moment of writing: it may be replaced after configure()."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _fault(error: Any) -> dict[str, str]:
    """Type and innermost place of an exception. Its text may quote a row, so it stays out."""
    if isinstance(error, tuple):
        error = error[1]
    if not isinstance(error, BaseException):
        return {}
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
    return {"error": type(error).__name__, "place": place}
