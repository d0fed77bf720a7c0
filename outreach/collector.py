"""The garbage collector of a process at work: what lives long is not walked again for every few messages or pages."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (20_000, 20, 50)
"""A page, or a few messages, leave some hundred objects to the collector, and what it walks in full (templates and
languages that were opened since the start) takes fifty milliseconds: so that is for every few thousand of them, not for
every hundred."""


@contextmanager
def calm() -> Iterator[None]:
    """What is alive now stays alive: until the end the collector need not look at it, and looks seldom at the rest."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def settle() -> None:
    """Spare the collector what lives as long as the process: words, rules, the application itself.

    It walks all of that every few hundred requests, for a sixth of a second in which nobody is answered. What was
    spared earlier is looked at once more: words that were exchanged are gone, or every save would cost memory for ever.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
