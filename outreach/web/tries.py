"""How often one may try to sign in, and why nobody can use that to lock somebody else out."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from fastapi import Request

from outreach.store.staff import account
from outreach.wiring import Outreach

PER_PERSON, PER_ADDRESS, PER_SECRET = 6, 60, 20
"""In a quarter of an hour: for one account from one place; for one place; codes for one account from new places."""
DEVICE = "outreach_device"
"""The cookie that says who has signed in with this browser, as tokens that only we can make."""
_PEOPLE = 8  # at one shared desk


@dataclass(frozen=True)
class Counted:
    """What is counted of one try, and how much of each is too much. `pair` is forgotten when a try succeeds."""

    pair: str
    limits: dict[str, int]


def of_password(out: Outreach, request: Request, email: str, staff_id: UUID | None) -> Counted:
    """Counts this account from this place, and this place; never the account alone. `staff_id`: whose account it is.

    A browser with which this person has signed in before is a place of its own: whoever hammers from the same address
    (a waiting room behind the desk's router) uses up their own tries and not the desk's. It saves nobody a password.
    """
    person = account(email)
    if staff_id in devices(out, request):
        pair = f"password {person} with its browser"
        return Counted(pair, {pair: PER_PERSON})
    here = place(request)
    pair = f"password {person} from {here}"
    return Counted(pair, {pair: PER_PERSON, f"password from {here}": PER_ADDRESS})


def of_code(out: Outreach, request: Request, staff_id: UUID) -> Counted:
    """The same for codes. From places where this person never signed in the account is counted too: whoever tries
    codes knows the password already, and a million codes are few for somebody with a thousand addresses."""
    if staff_id in devices(out, request):
        pair = f"code {staff_id} with its browser"
        return Counted(pair, {pair: PER_PERSON})
    pair = f"code {staff_id} from {place(request)}"
    return Counted(pair, {pair: PER_PERSON, f"code {staff_id}": PER_SECRET})


def devices(out: Outreach, request: Request) -> list[UUID]:
    """Who has signed in with this browser, the last one first."""
    tokens = request.cookies.get(DEVICE, "").split(".")[:_PEOPLE]
    found = (out.vault.row_of(DEVICE, token) for token in tokens)
    return [staff_id for staff_id in found if staff_id is not None]


def device_cookie(out: Outreach, request: Request, staff_id: UUID) -> str:
    """The cookie after this person, too, has signed in."""
    people = [staff_id, *(one for one in devices(out, request) if one != staff_id)]
    return ".".join(out.vault.token(DEVICE, one) for one in people[:_PEOPLE])


def place(request: Request) -> str:
    """Where a request comes from. An IPv6 subscriber has 2^64 addresses: the network counts as one place."""
    host = request.client.host if request.client else "?"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"{int(address) >> 64:x}::/64"
    return str(getattr(address, "ipv4_mapped", None) or address)
