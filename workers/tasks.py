"""The tasks: each wakes one action and takes no patient data. Nothing is lost when a wake-up is."""

from __future__ import annotations

import threading
from functools import cache

import structlog
from celery.signals import worker_shutdown
from sqlalchemy.exc import OperationalError

from outreach.actions import recover as recovery
from outreach.actions.dispatch import drain
from outreach.settings import load_settings
from outreach.wiring import Outreach, build
from workers.app import app

log = structlog.get_logger()
_draining = threading.Lock()


@cache
def outreach() -> Outreach:
    """One composition per worker process."""
    return build(load_settings())


@app.task(name="workers.tasks.dispatch")
def dispatch() -> None:
    """Send what is due. A worker that is still draining lets the next wake-up pass."""
    if not _draining.acquire(blocking=False):
        return
    try:
        tally = drain(outreach().pump())
    except OperationalError as error:  # nothing is lost: the next wake-up finds everything where it was
        log.warning("database away, will try at the next wake-up", error=type(error).__name__)
        return
    finally:
        _draining.release()
    if tally.handled:
        log.info("dispatched", count=tally.handled)


@app.task(name="workers.tasks.recover")
def recover() -> None:
    """Learn what became of messages in doubt; settle those no news will come for."""
    out = outreach()
    try:
        recovered = recovery.recover(out.sessions, out.providers, out.clock)
    except OperationalError as error:
        log.warning("database away, will try at the next wake-up", error=type(error).__name__)
        return
    if recovered:
        log.info("recovered", count=recovered)


@worker_shutdown.connect
def _close(**_: object) -> None:
    if outreach.cache_info().currsize:
        outreach().close()
