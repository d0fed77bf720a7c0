"""The worst moment: the carrier has taken the message, and the worker dies before it could write that down."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select as readable
from typing import BinaryIO, cast

import pytest
from sqlalchemy import select

from outreach.actions.receive import apply
from outreach.actions.recover import recover
from outreach.bench.carrier_process import CarrierProcess, carrier
from outreach.bench.stock import Stock
from outreach.chaos.ground import ACCOUNT
from outreach.cli.up import child_environment
from outreach.domain.message import Receipt
from outreach.domain.status import Status
from outreach.settings import ROOT, Settings
from outreach.store.leases import expire_leases
from outreach.store.traffic import Attempt, Message
from outreach.wiring import Outreach, build

LEASE = 3.0
NURSERY = """
import json, os, sys
from outreach.actions.dispatch import drain
from outreach.settings import load_settings
from outreach.wiring import build
for line in sys.stdin:
    if not (worker := os.fork()):
        os.environ.update(json.loads(line))
        drain(build(load_settings()).pump())
        os._exit(0)
    print(worker, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]), flush=True)
"""
"""Workers are born of a process that has read everything: reading it costs two seconds, and each is killed at once."""


@dataclass
class Worker:
    """A process of its own; `ends` says with what it ended, once it has."""

    pid: int
    ends: BinaryIO
    ended: int | None = None

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None where it still runs after so long."""
        if self.ended is None and readable([self.ends], [], [], seconds)[0]:
            self.ended = int(self.ends.readline())
        return self.ended

    def kill(self) -> None:
        if self.wait(0) is None:
            os.kill(self.pid, signal.SIGKILL)
            assert self.wait(60) is not None


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[bytes]]:
    # Unbuffered: whether a line is there to be read is asked of the pipe itself.
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def standin() -> Iterator[CarrierProcess]:
    with carrier() as process:
        yield process


@pytest.fixture
def out(fresh_database_url: str, redis_url: str, standin: CarrierProcess, tmp_path: Path) -> Iterator[Outreach]:
    made = build(
        Settings(
            database_url=fresh_database_url, redis_url=redis_url, var=tmp_path, sandbox=False, demo=False,
            key=base64.b64encode(bytes(range(32))).decode(), twilio_account_sid=ACCOUNT, twilio_auth_token="a token",
            twilio_base_url=standin.url, lease_seconds=LEASE, carrier_timeout_seconds=LEASE / 2,
        )
    )  # fmt: skip
    stock = Stock.open(made, 1, datetime.now(UTC))
    stock.fill(1, lambda number: datetime.now(UTC) - timedelta(minutes=1))
    yield made
    made.close()


@contextmanager
def woken(out: Outreach, nursery: subprocess.Popen[bytes]) -> Iterator[Worker]:
    """A worker process that was woken once; it goes when nothing is due."""
    settings = out.settings
    environment = child_environment(settings, str(settings.database_url), str(settings.redis_url)) | {
        "OUTREACH_KEY": settings.key or "",
        "OUTREACH_LEASE_SECONDS": str(settings.lease_seconds),
        "OUTREACH_CARRIER_TIMEOUT_SECONDS": str(settings.carrier_timeout_seconds),
        "OUTREACH_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "OUTREACH_TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "OUTREACH_TWILIO_BASE_URL": settings.twilio_base_url or "",
    }
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(json.dumps(environment).encode() + b"\n")
    worker = Worker(int(nursery.stdout.readline()), cast(BinaryIO, nursery.stdout))
    try:
        yield worker
    finally:
        worker.kill()


def killed_after_taking(out: Outreach, standin: CarrierProcess, nursery: subprocess.Popen[bytes]) -> None:
    """The carrier takes the message and holds its answer back; then the worker is killed."""
    standin.faults(half_open=1.0)
    with woken(out, nursery) as worker:
        patience = time.monotonic() + 60
        while not standin.counts()["distinct"]:
            assert worker.wait(0) is None, "the worker ended without a post"
            assert time.monotonic() < patience
            time.sleep(0.02)
        worker.kill()
        assert worker.ended == -signal.SIGKILL
    standin.faults()
    assert status(out) is Status.SENDING


def status(out: Outreach) -> Status:
    with out.sessions() as session:
        return Status(session.scalars(select(Message.status)).one())


def recover_now(out: Outreach) -> None:
    recover(out.sessions, out.providers, lambda: datetime.now(UTC), hold=timedelta(seconds=0.01))


def wait_for_doubt(out: Outreach) -> None:
    """The lease ends by the database's clock; nobody is asked yet."""
    patience = time.monotonic() + 20 * LEASE
    while status(out) is not Status.UNKNOWN:
        assert time.monotonic() < patience
        time.sleep(0.1)
        with out.sessions.begin() as session:
            expire_leases(session, datetime.now(UTC), 10)


def wake_again(out: Outreach, nursery: subprocess.Popen[bytes]) -> None:
    with woken(out, nursery) as worker:
        assert worker.wait(60) == 0


def test_a_worker_killed_after_the_carriers_200_leaves_a_doubt_that_the_carriers_list_ends(
    out: Outreach, standin: CarrierProcess, nursery: subprocess.Popen[bytes]
) -> None:
    killed_after_taking(out, standin, nursery)
    wait_for_doubt(out)
    wake_again(out, nursery)
    assert status(out) is Status.UNKNOWN, "what may have left is not resent"
    recover_now(out)
    assert status(out) is Status.SENT
    assert standin.counts()["posts"] == 1


@pytest.mark.parametrize("doubted", [False, True], ids=["before the lease is over", "after it"])
def test_a_worker_killed_after_the_carriers_200_leaves_a_message_that_the_callback_settles(
    out: Outreach, standin: CarrierProcess, nursery: subprocess.Popen[bytes], doubted: bool
) -> None:
    killed_after_taking(out, standin, nursery)
    if doubted:
        wait_for_doubt(out)
    with out.sessions.begin() as session:
        attempt_id = session.scalars(select(Attempt.id)).one()
        assert apply(session, attempt_id, Receipt("SM" + "1" * 32, "delivered", Status.DELIVERED), datetime.now(UTC))
    assert status(out) is Status.DELIVERED
    recover_now(out)
    wake_again(out, nursery)
    assert status(out) is Status.DELIVERED
    assert standin.counts()["posts"] == 1
