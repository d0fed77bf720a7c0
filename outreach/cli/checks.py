"""Asked before and while everything starts: are ports free, do the engines let us in, does the web answer?"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import socket
import time
from collections.abc import Iterator

import psycopg
import redis
from sqlalchemy.engine import make_url

from outreach.errors import OutreachError
from outreach.settings import Settings

STARTING = 30.0
"""Seconds that a database may take to start."""
LONG_ENOUGH = 6
"""The driver's own sentence does not name a password; a shorter one would blot out parts of any word."""


def refuse_taken_ports(settings: Settings) -> None:
    """Before anything is started. OutreachError names the port, what wants it and the remedy."""
    wanted = {"web": settings.port}
    if settings.sandbox:
        wanted |= {"sandbox's HTTP": settings.sandbox_http_port, "sandbox's SMTP": settings.sandbox_smtp_port}
    for what, port in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise OutreachError(
                    f"port {port} (for the {what}) cannot be had: {error.strerror}."
                    f" Stop what uses it, or choose another with OUTREACH_PORT={_other(port)}"
                ) from None


def _other(port: int) -> int:
    return port + 100 if port < 65000 else 8000


def check_database(url: str) -> None:
    """OutreachError when PostgreSQL does not let us in; the password is never part of it."""
    address, until = make_url(url), time.monotonic() + STARTING
    while True:
        try:
            return psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5).close()
        except psycopg.Error as error:
            if "starting up" in str(error) and time.monotonic() < until:  # a machine that boots starts both of us
                time.sleep(0.5)
                continue
            reason = str(error).strip().partition("\n")[0]
            if address.password and len(str(address.password)) >= LONG_ENOUGH:
                reason = reason.replace(str(address.password), "…")
            place = f"{address.host}:{address.port or 5432}"
            raise OutreachError(
                f"PostgreSQL at {place} does not let us in ({reason}). Check OUTREACH_DATABASE_URL."
            ) from None


def check_redis(url: str) -> None:
    """OutreachError when Valkey or Redis does not answer; the password is never part of it."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        reason = "not a redis:// URL" if isinstance(error, ValueError) else str(error)
        raise OutreachError(f"Valkey or Redis does not answer ({reason}). Check OUTREACH_REDIS_URL.") from None


def answers(settings: Settings) -> bool:
    """Whether all that people and carriers reach can be reached."""
    if settings.sandbox and not (_http(settings.sandbox_http_port, "/phones") and _listens(settings.sandbox_smtp_port)):
        return False
    return _http(settings.port, "/healthz")


def _http(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """One `outreach up` per data folder: two would share a queue, and one's messages end on the other's phones."""
    with (settings.var / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise OutreachError(
                f"outreach already runs on {settings.var} ({lock.read().strip() or 'starting'})."
                " Stop it first, or give this one a folder of its own with OUTREACH_VAR."
            ) from None
        lock.truncate(0)
        lock.write(f"port {settings.port}, pid {os.getpid()}")
        lock.flush()
        yield
