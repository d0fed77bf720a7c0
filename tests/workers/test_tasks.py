"""The tasks: one recover at a time, and no word of what went wrong in a log but its type and place."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import structlog

from outreach import logs
from outreach.settings import ROOT
from workers import tasks

PHONE = "+12025550143"
Act = Callable[..., int]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What our own log says, as it is set up in a worker."""
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def recovering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], None]:
    """Let the recover task do this, with nothing composed."""
    settings = SimpleNamespace(doubt_hold_seconds=1.0)
    out = SimpleNamespace(settings=settings, sessions=None, providers={}, believed=lambda: None)
    monkeypatch.setattr(tasks, "outreach", lambda: out)

    def by(act: Act) -> None:
        monkeypatch.setattr(tasks.recovery, "recover", act)

    return by


def test_while_one_recover_waits_for_a_carrier_the_next_wake_up_takes_no_thread(
    recovering: Callable[[Act], None],
) -> None:
    begun, answered, rounds = threading.Event(), threading.Event(), list[int]()

    def hang(*_: object, **__: object) -> int:
        rounds.append(1)
        begun.set()
        assert answered.wait(30)
        return 0

    recovering(hang)
    first = threading.Thread(target=tasks.recover)
    first.start()
    assert begun.wait(30)
    tasks.recover()
    assert len(rounds) == 1
    answered.set()
    first.join(30)
    tasks.recover()
    assert len(rounds) == 2


def test_a_recover_that_fails_lets_the_next_one_in(recovering: Callable[[Act], None], written: io.StringIO) -> None:
    rounds = list[int]()

    def fail(*_: object, **__: object) -> int:
        rounds.append(1)
        raise KeyError(PHONE)

    recovering(fail)
    tasks.recover()
    tasks.recover()
    assert len(rounds) == 2
    assert written.getvalue().count("task failed") == 2


def test_what_a_task_raises_is_logged_by_type_and_place_and_never_by_its_text(
    recovering: Callable[[Act], None], written: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise ValueError(f"cannot read {PHONE}")

    recovering(fail)
    with caplog.at_level(logging.DEBUG):
        assert tasks.recover.apply().state == "SUCCESS"
    assert '"name": "recover"' in written.getvalue()
    assert '"error": "ValueError"' in written.getvalue()
    assert '"place": "' in written.getvalue()
    assert PHONE not in written.getvalue() + caplog.text


def test_celery_itself_writes_no_text_of_what_a_task_raises() -> None:
    assert not logging.getLogger("celery.app.trace").isEnabledFor(logging.ERROR)


def test_the_beat_does_not_read_what_the_tasks_do() -> None:
    """It says names alone; workers, which do them, learn them as they begin."""
    code = """
import sys
from celery.signals import worker_init
from workers.app import app
app.loader.import_default_modules()
assert not [name for name in sys.modules if name.startswith("outreach")]
worker_init.send(sender=None)
assert {one["task"] for one in app.conf.beat_schedule.values()} <= app.tasks.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
