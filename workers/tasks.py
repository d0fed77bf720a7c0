"""The tasks: each wakes one action and takes no patient data. Nothing is lost when a wake-up is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import cache, wraps

import structlog
from celery.signals import worker_shutdown, worker_shutting_down
from sqlalchemy.exc import OperationalError

from outreach.actions import choose as choosing
from outreach.actions import count as counting
from outreach.actions import escalate as escalating
from outreach.actions import load_list, rezone, take_in, twice
from outreach.actions import notice as noticing
from outreach.actions import recover as recovery
from outreach.actions import tell as telling
from outreach.actions import warn as warning
from outreach.actions import watch as watching
from outreach.actions.dispatch import drain
from outreach.settings import load_settings
from outreach.wiring import Outreach, build
from workers.app import WAKE, app

log = structlog.get_logger()

# Celery writes the text of whatever a task raises, and that may quote a row or an address.
logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)

SHIFT = 300.0
"""Seconds one drain lasts: connections to carriers are made anew once in each."""

_draining = threading.Lock()
_recovering = threading.Lock()
_telling = threading.Lock()
_loading = threading.Lock()
_stopping = threading.Event()


@cache
def outreach() -> Outreach:
    """One composition per worker process, which sees changed words by itself: it is made after any fork."""
    out = build(load_settings())
    out.lexicon.watch()
    return out


def waits_for_database(action: Callable[[], None]) -> Callable[[], None]:
    """While the database is away nothing is lost: the next wake-up finds everything where it was.

    After any other fault too: the task ends, and the log gets its type and place, never its text.
    """

    @wraps(action)
    def tried() -> None:
        try:
            action()
        except OperationalError as error:
            log.warning("database away, will try at the next wake-up", name=action.__name__, error=type(error).__name__)
        except Exception:
            log.exception("task failed, will try at the next wake-up", name=action.__name__)

    return tried


@app.task(name="workers.tasks.dispatch")
@waits_for_database
def dispatch() -> None:
    """Send what is due, for a shift. While one is at work the next wake-up stands by, and takes over without a gap."""
    if not _draining.acquire(timeout=WAKE):
        return
    try:
        tally = drain(outreach().pump(), SHIFT, linger=True, stop=_stopping)
    finally:
        _draining.release()
    if tally.handled:
        log.info("dispatched", count=tally.handled)


@app.task(name="workers.tasks.recover")
@waits_for_database
def recover() -> None:
    """Learn what became of messages in doubt; settle those no news will come for. One at a time.

    A carrier that is slow to answer must not take the threads that dispatch needs.
    """
    if not _recovering.acquire(blocking=False):
        return
    try:
        out = outreach()
        hold = timedelta(seconds=out.settings.doubt_hold_seconds)
        recovered = recovery.recover(out.sessions, out.providers, out.believed(), hold=hold)
    finally:
        _recovering.release()
    if recovered:
        log.info("recovered", count=recovered)


@app.task(name="workers.tasks.watch")
@waits_for_database
def watch() -> None:
    """Does what was due in the last hours add up, is anything stuck? Alerts are raised, and taken back."""
    out = outreach()
    now = out.believed()()
    with out.sessions.begin() as session:
        watching.watch(session, now)
        twice.tell_of_it(session, out.answering, now)


@app.task(name="workers.tasks.watch_all")
@waits_for_database
def watch_all() -> None:
    """The same over everything there is, once a night."""
    out = outreach()
    now = out.believed()()
    with out.sessions.begin() as session:
        watching.watch(session, now, back=None)


@app.task(name="workers.tasks.warn")
@waits_for_database
def warn() -> None:
    """Tell staff of files of words that are wrong, and take it back when they are right."""
    out = outreach()
    now = out.believed()()
    with out.sessions.begin() as session:
        warning.warn(session, out.lexicon.trouble, now)


@app.task(name="workers.tasks.refresh_zones")
@waits_for_database
def refresh_zones() -> None:
    """Re-derive what is unsent when this process has newer zone data than the plan was made with."""
    out = outreach()
    moved = rezone.refresh(out.sessions, out.sequences, out.believed())
    if moved:
        log.info("zones refreshed", count=moved)


@app.task(name="workers.tasks.count_days")
@waits_for_database
def count_days() -> None:
    """Count the days that have news, for the page of figures; what this minute has no time for, the next one has."""
    out = outreach()
    counting.count(out.sessions, out.believed())


@app.task(name="workers.tasks.count_all_days")
@waits_for_database
def count_all_days() -> None:
    """Count the last hundred days anew, once a night."""
    out = outreach()
    counting.count(out.sessions, out.believed(), seconds=1800, whole=True)


@app.task(name="workers.tasks.follow_choices")
@waits_for_database
def follow_choices() -> None:
    """Plan anew whoever was planned by other rules than their clinic has now."""
    out = outreach()
    replanned = choosing.follow(out.sessions, out.sequences, out.believed())
    if replanned:
        log.info("choices followed", count=replanned)


@app.task(name="workers.tasks.escalate")
@waits_for_database
def escalate() -> None:
    """Tell the staff on call what is urgent, and the next of them when nobody takes it."""
    out = outreach()
    now = out.believed()()
    with out.sessions.begin() as session:
        told = escalating.escalate(session, out.words.locales, now)
    if told:
        log.info("escalated", count=told)


@app.task(name="workers.tasks.notice_silence")
@waits_for_database
def notice_silence() -> None:
    """Make a task of each question how they are that brought no word by the next day."""
    out = outreach()
    now = out.believed()()
    with out.sessions.begin() as session:
        noticed = noticing.notice(session, out.sequences.values(), now)
    if noticed:
        log.info("silences noticed", count=noticed)


@app.task(name="workers.tasks.load_uploads")
@waits_for_database
def load_uploads() -> None:
    """Check, load or take back uploaded patient lists until none waits. One at a time in each process."""
    if not _loading.acquire(blocking=False):
        return
    try:
        out = outreach()
        worked = load_list.work_off(out.sessions, out.sequences, out.words, out.believed(), _stopping)
    finally:
        _loading.release()
    if worked:
        log.info("lists worked off", count=worked)


@app.task(name="workers.tasks.drop_lists")
@waits_for_database
def drop_lists() -> None:
    """Forget what stands in patient lists that nobody decided about for a week."""
    out = outreach()
    now = out.believed()()
    with out.sessions.begin() as session:
        dropped = take_in.drop_undecided(session, now)
    if dropped:
        log.info("undecided lists dropped", count=dropped)


@app.task(name="workers.tasks.tell_webhooks")
@waits_for_database
def tell_webhooks() -> None:
    """Tell other software what happened. One at a time: a listener that is slow to answer takes no second thread."""
    if not _telling.acquire(blocking=False):
        return
    try:
        out = outreach()
        clock = out.believed()
        told = telling.tell(out.sessions, clock, local=out.settings.demo)
        with out.sessions.begin() as session:
            telling.sweep(session, clock())
    finally:
        _telling.release()
    if told:
        log.info("told webhooks", count=told)


@worker_shutting_down.connect
def _stop(**_: object) -> None:
    _stopping.set()


@worker_shutdown.connect
def _close(**_: object) -> None:
    if outreach.cache_info().currsize:
        outreach().close()
