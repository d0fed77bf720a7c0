"""Handing a parcel over from a test that is not a coroutine: a loop of its own, connections closed with it."""

from __future__ import annotations

import asyncio

from outreach.domain.message import Accepted, Parcel
from outreach.providers.base import Provider


def handed(carrier: Provider, parcel: Parcel, hang_up: bool = True) -> Accepted:
    """What `send` says; its errors leave as they are. Connections are kept where `hang_up` is False (SMTP's only)."""

    async def hand() -> Accepted:
        try:
            return await carrier.send(parcel)
        finally:
            if hang_up:
                await carrier.hang_up()

    return asyncio.run(hand())
