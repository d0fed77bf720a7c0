"""What follows when a message surely did not arrive: is its address of no use, may an e-mail take its place. Pure."""

from __future__ import annotations

from typing import NamedTuple

from outreach.domain.channel import Channel
from outreach.errors import Reason

DEAD = {Channel.SMS: Reason.BAD_NUMBER, Channel.EMAIL: Reason.BAD_MAILBOX}
"""The carrier says of the address itself that nothing will ever arrive there."""

ELSEWHERE = frozenset(
    {Reason.BAD_NUMBER, Reason.UNKNOWN_HANDSET, Reason.UNREACHABLE, Reason.BLOCKED, Reason.RETRIES_SPENT}
)
"""The number, or the way to it: another channel may get there. Never a STOP, never words that were refused, never a
fault of ours, which would send the same trouble twice."""

TELLING = ELSEWHERE | frozenset(DEAD.values())
"""Reasons from which anything follows at all."""

OF_THEIR_ADDRESS = ("consent.", "reply.")
"""Steps that ask, thank or answer one address: said to another they would be untrue."""


class Follows(NamedTuple):
    """`unusable`: nothing more goes to the address. `elsewhere`: the message may go by e-mail, where that is agreed."""

    unusable: bool
    elsewhere: bool


NOTHING = Follows(unusable=False, elsewhere=False)


def after(channel: Channel, step: str, reason: Reason | None, another_day: bool = False) -> Follows:
    """What follows from the end of one message.

    `another_day`: its number was an unknown handset on another day already. Once is a phone that is off for long,
    or a number being moved between carriers; twice is a number nobody has.
    """
    unusable = reason is DEAD[channel] or (reason is Reason.UNKNOWN_HANDSET and another_day)
    elsewhere = channel is Channel.SMS and reason in ELSEWHERE and not step.startswith(OF_THEIR_ADDRESS)
    return Follows(unusable, elsewhere) if unusable or elsewhere else NOTHING
