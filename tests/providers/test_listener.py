"""Calling other software: where it may not reach, and what it does with strange answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from outreach.errors import BadInput
from outreach.providers.listener import call, place

PRIVATE = ["127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
           "224.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "::",
           "255.255.255.255", "fec0::1", "192.0.0.9", "192.88.99.1"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    told = call("https://ehr.example.org/x", {}, b"{}", False, resolve=lambda *_: ["93.184.216.34", address])
    assert (told.status, told.note) == (None, "private address")


@pytest.mark.parametrize(
    "url",
    ["http://ehr.example.org/", "ftp://ehr.example.org/", "https://", "https://user:pw@ehr.example.org/", "https://10.0.0.1/",
     "https://[::1]/", "https://ehr.example.org/#x", "https://ehr.example.org:99999/", "https://ehr.example.org/a b",
     "https://[::ffff:169.254.169.254]/", "javascript:alert(1)", "https://éhr.example.org/", "https://a/\r\nX: y"],
)  # fmt: skip
def test_an_address_that_cannot_be_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadInput):
        place(url, local=False)


def test_only_a_demo_calls_this_machine_without_tls() -> None:
    assert place("http://127.0.0.1:9/x", local=True).port == 9
    assert call("http://127.0.0.1:9/x", {}, b"{}", False).note == "bad address"
    with pytest.raises(BadInput):
        place("http://ehr.example.org/", local=True)
    assert call("http://localhost:9/x", {}, b"{}", True, resolve=lambda *_: ["10.0.0.1"]).note == "private address"


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """A listener that answers these bytes, then keeps the line open."""
    server = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def answer(said: bytes) -> str:
        def serve() -> None:
            line, _ = server.accept()
            lines.append(line)
            line.recv(65536)
            line.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield answer
    for line in lines:
        line.close()
    server.close()


@pytest.mark.parametrize(
    ("said", "status"),
    [(b"HTTP/1.1 204 No Content\r\n\r\n", 204), (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 302),
     (b"HTTP/1.1 500 No\r\n\r\n", 500), (b"nonsense\r\n\r\n", None)],
    ids=["done", "a redirect is not followed", "a fault", "nonsense"],
)  # fmt: skip
def test_only_the_status_counts(answering: Callable[[bytes], str], said: bytes, status: int | None) -> None:
    assert call(answering(said), {}, b"{}", True).status == status


def test_an_answer_that_never_ends_is_cut_off(answering: Callable[[bytes], str]) -> None:
    begun = time.monotonic()
    assert call(answering(b"HTTP/1."), {}, b"{}", True, deadline=0.2).status is None
    assert time.monotonic() - begun < 4
