"""Handing a parcel over from a test that is not a coroutine: a loop of its own, connections closed with it."""

from __future__ import annotations

import asyncio

from outreach.domain.message import Accepted, Parcel
from outreach.providers.base import Provider


def handed(carrier: Provider, parcel: Parcel) -> Accepted:
    """What `send` says; its errors leave as they are."""

    async def hand() -> Accepted:
        try:
            return await carrier.send(parcel)
        finally:
            await carrier.hang_up()

    return asyncio.run(hand())
