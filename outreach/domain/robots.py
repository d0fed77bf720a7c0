"""Whether a machine wrote: a copy of our own words, an automatic reply, or more messages than a person sends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from outreach.domain.folding import fold
from outreach.domain.replies import Understood

Robot = Literal["", "echo", "phrase", "many"]
WITHIN = timedelta(minutes=10)
MOST = 8
"""More messages than this from one number `WITHIN` ten minutes, and none is answered."""
_OURS, _PART = 20, 40
"""Letters that one of our texts must have to be known again whole, and that a part of it must have."""


def long_enough(text: str) -> bool:
    """Whether a text can hold one of ours at all."""
    return len(text) >= _OURS


def echoed(text: str, ours: Iterable[str]) -> str | None:
    """What a message says beside the copy of one of our texts that it holds; None when it holds none.

    A forwarded text, a telephone's "Liked “...”", or another machine's quotation: our own "Reply STOP" in it is no
    STOP, while one that was written around it is.
    """
    said = fold(text)
    for one in ours:
        known = fold(one)
        if len(known) >= _OURS and known in said:
            return said.replace(known, " ").strip()
        if len(said) >= _PART and said in known:
            return ""
    return None


def robot(said: Understood, *, echo: bool, within: int) -> Robot:
    """Why this is a machine's; "" for a person's. `within`: messages from that number in ten minutes, this one too.

    Somebody who is driving may write that they cannot breathe: what tells of more than the word emergency, which
    automatic replies are full of, is a person's.
    """
    alarmed = bool(set(said.urgent) - {"emergency"})
    if echo and not alarmed:
        return "echo"
    if within > MOST:
        return "many"
    return "phrase" if said.robot and not alarmed else ""
