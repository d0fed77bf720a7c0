"""The embedded engines: real ones, started, shared, killed and stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from outreach.embedded import Engines
from outreach.errors import OutreachError
from outreach.lodging import find_home, lodge


@pytest.fixture
def var() -> Iterator[Path]:
    """A data folder with a space and an accent in its path, that others may pass through."""
    top = Path(tempfile.mkdtemp(prefix="outreach-test-"))
    top.chmod(0o711)
    folder = top / "clínica nord" / "var"
    yield folder
    Engines.discard(folder)
    (top / "clínica nord").rmdir()
    top.rmdir()


def _answers(engines: Engines) -> bool:
    with psycopg.connect(engines.database_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT 1").fetchone()
    with redis.Redis.from_url(engines.redis_url) as client:
        return bool(client.ping()) and row == (1,)


def test_one_run_from_nothing_to_nothing(var: Path) -> None:
    first = Engines.start(var)
    second = Engines.start(var)
    assert first.pids == second.pids, "a second process uses what runs"
    assert _answers(first)
    with psycopg.connect(first.database_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('timezone'),"
            " current_setting('fsync'), current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
    assert row == (18, "UTC", "on", "127.0.0.1", "")

    urls = first.database_url, first.redis_url
    for pid in first.pids.values():
        os.kill(pid, signal.SIGKILL)
    while any(_runs(pid) for pid in first.pids.values()):
        pass  # a kill is not instant
    assert first.ensure() == ["postgres", "valkey"]
    assert first.ensure() == []
    assert second.ensure() == [], "the other one sees that it was mended"
    assert (second.database_url, second.redis_url) == urls, "children keep their addresses"
    assert _answers(second)

    first.stop()
    first.stop()
    assert _answers(second), "somebody still works here"
    pids = second.pids
    second.stop()
    assert not any(_runs(pid) for pid in pids.values())

    stale = Path(json.loads((var / "engines.json").read_text())["home"]) / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n")  # as after a power cut, with the number taken by another
    third = Engines.start(var)
    with psycopg.connect(third.database_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,), "data outlive a run"
    third.stop()
    for name in ("engines.json", "engines.lock"):
        assert (var / name).stat().st_uid == os.geteuid()
    assert stat.S_IMODE((var / "engines.json").stat().st_mode) == 0o600


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_engines_take_nobody_without_the_password(engines: Engines) -> None:
    address = engines.database_url.replace("+psycopg", "")
    start, _, end = address.partition("@")
    wrong = f"{start.rpartition(':')[0]}:wrong@{end}"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    with redis.Redis.from_url("redis://" + engines.redis_url.partition("@")[2]) as client:
        with pytest.raises(redis.AuthenticationError):
            client.ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down to another account")
def test_root_steps_down_and_opens_no_folder() -> None:
    closed = Path(tempfile.mkdtemp(prefix="outreach-test-"))
    var = closed / "var"
    var.mkdir()
    try:
        lodging = lodge(find_home(var, None))
        assert not lodging.home.is_relative_to(closed), "the account cannot get into a closed folder"
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700, "and it was not opened for it"
        assert lodging.home.stat().st_uid == (lodging.account or (0, 0))[0] != 0
        assert stat.S_IMODE(lodging.home.stat().st_mode) == 0o700
        shutil.rmtree(lodging.home)
    finally:
        var.rmdir()
        closed.rmdir()


def test_a_damaged_record_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "engines.json").write_text("{")
    with pytest.raises(OutreachError, match=r"move .* aside"):
        Engines.start(tmp_path)


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_session_forgets_what_it_committed(session: Session, time: str) -> None:
    session.execute(text("CREATE TABLE passing (word text)"))
    session.commit()
    assert time


def test_a_fresh_database_is_migrated_and_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM clinic")).scalar_one() == 0
