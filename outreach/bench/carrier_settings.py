"""How the stand-in calls back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CallbackSettings:
    """`token` signs; `url_base` (scheme://host:port) replaces where to connect, never what is signed.

    The first word is told after `delay_ms`, each further one as long after that. `duplicates` and `reversed` are
    shares (0 to 1) of messages whose news comes twice, and whose last word comes first. A failure to connect or an
    answer that is no 2xx is tried `retries` times more, `pause_ms` apart.
    """

    token: str
    url_base: str | None = None
    delay_ms: float = 0.0
    duplicates: float = 0.0
    reversed: float = 0.0
    words: tuple[str, ...] = ("sent", "delivered")
    retries: int = 5
    pause_ms: float = 500.0
    seed: int = 1
