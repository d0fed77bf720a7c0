"""Calling other software: its name is resolved first, private places are refused, and what was checked is called."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from outreach.errors import BadInput, say

TIMEOUT = 5.0
DEADLINE = 10.0
"""Seconds for the whole call: one that answers a byte at a time would otherwise hold a thread for ever."""
LONGEST = 2000
Resolve = Callable[[str, int], Sequence[str]]
_EMBEDS = ipaddress.ip_network("64:ff9b::/96")  # NAT64: an IPv4 address in disguise
# Not out on the internet either, though the standard library (which one depends on its version) may take them for it:
# old site-local networks, addresses of protocols, and the relays of 6to4.
_NOT_OUT = tuple(ipaddress.ip_network(one) for one in ("fec0::/10", "192.0.0.0/24", "192.88.99.0/24"))


@dataclass(frozen=True)
class Place:
    """Where a webhook points."""

    secure: bool
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Told:
    """What became of a call: the status it was answered with, or None and a word of why."""

    status: int | None
    note: str = ""

    @property
    def well(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def place(url: str, local: bool) -> Place:
    """Read a webhook's address. `local`: a demo, where this machine may be called, also without TLS. BadInput else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("https", "http") or not host or len(url) > LONGEST or not url.isascii():
        raise BadInput(say("Give a whole address, such as https://ehr.example.org/outreach."))
    if parts.username or parts.password or parts.fragment:
        raise BadInput(say("The address must hold no name, no password and no #."))
    if any(char <= " " or char == "\x7f" for char in url):
        raise BadInput(say("The address must hold no blanks."))
    secure = parts.scheme == "https"
    if not secure and not (local and _is_this_machine(host)):
        raise BadInput(say("The address must begin with https://: what is told must not be read on the way."))
    literal = _literal(host)
    if literal is not None and not _allowed(literal, local):
        raise BadInput(say("This address is inside a private network. Give one that the whole internet can reach."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(secure, host, port or (443 if secure else 80), path)


def resolved(host: str, port: int) -> list[str]:
    """The addresses a name has now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def call(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    local: bool,
    resolve: Resolve = resolved,
    deadline: float = DEADLINE,
) -> Told:
    """POST `body`. Only its status is read: no redirect is followed, and no answer kept. Never raises."""
    try:
        where = place(url, local)
        addresses = resolve(where.host, where.port)
    except (BadInput, OSError, UnicodeError) as error:
        return Told(None, "bad address" if isinstance(error, BadInput) else "no such name")
    # Each of them: a name that points outside and inside is one that means to reach inside.
    if not addresses or not all(_allowed(ipaddress.ip_address(one), local) for one in addresses):
        return Told(None, "private address")
    return _post(where, addresses[0], headers, body, deadline)


def _post(where: Place, address: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Told:
    """To the very address that was checked: asking for the name again could bring another one."""
    connection = (
        HTTPSConnection(address, where.port, timeout=TIMEOUT, cert_reqs="CERT_REQUIRED", server_hostname=where.host,
                        assert_hostname=where.host)
        if where.secure
        else HTTPConnection(address, where.port, timeout=TIMEOUT)
    )  # fmt: skip
    over = threading.Timer(deadline, _cut, [connection])
    over.daemon = True
    over.start()
    try:
        connection.request("POST", where.path, body, {**headers, "Host": _host(where)}, preload_content=False)
        return Told(connection.getresponse().status)
    except (HTTPError, OSError, ValueError) as error:
        return Told(None, type(error).__name__)
    except Exception as error:  # whatever else a strange answer makes the library raise is their fault, not ours
        return Told(None, type(error).__name__)
    finally:
        over.cancel()
        connection.close()


def _cut(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _host(where: Place) -> str:
    name = f"[{where.host}]" if ":" in where.host else where.host
    return name if where.port == (443 if where.secure else 80) else f"{name}:{where.port}"


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_this_machine(host: str) -> bool:
    literal = _literal(host)
    return literal.is_loopback if literal is not None else host == "localhost"


def _allowed(address: Address, local: bool) -> bool:
    """Whether it is out on the internet; not a private network, a link, a cloud's metadata, or one in disguise."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _EMBEDS:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _allowed(inner, False)
    if address.is_loopback:
        return local
    if any(address in network for network in _NOT_OUT):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
