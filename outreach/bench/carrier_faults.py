"""How the stand-in fails: each answer's turn is drawn from shares, with a random number generator of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from random import Random


class Turn(Enum):
    """What becomes of one request; the names are the shares' names."""

    TAKE = "take"
    TOO_MANY = "too_many"
    ERROR = "error"
    ERROR_TAKEN = "error_taken"
    GARBLED = "garbled"
    SILENT = "half_open"
    HANG = "hang"

    @property
    def takes(self) -> bool:
        """Whether the message goes out, whatever the client is told."""
        return self in _TAKES


_TAKES = frozenset({Turn.TAKE, Turn.ERROR_TAKEN, Turn.GARBLED, Turn.SILENT})


@dataclass
class Faults:
    """Shares are between 0 and 1 of all requests; milliseconds. All zero: a carrier in good health.

    too_many     429 with Retry-After `retry_after` seconds; not taken
    error        500; not taken
    error_taken  500 after having taken the message
    garbled      201 whose body is not JSON; taken
    half_open    taken, and never an answer on a connection that stays open
    hang         not taken, and never an answer
    spike        `spike_ms` on top of `latency_ms`
    """

    latency_ms: float = 0.0
    spike: float = 0.0
    spike_ms: float = 0.0
    too_many: float = 0.0
    error: float = 0.0
    error_taken: float = 0.0
    garbled: float = 0.0
    half_open: float = 0.0
    hang: float = 0.0
    retry_after: int = 1
    list_lag_ms: float = 0.0
    seed: int = 1
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        shares = [(turn, float(getattr(self, turn.value))) for turn in Turn if turn is not Turn.TAKE]
        self._ladder, total = [], 0.0
        for turn, share in shares:
            if share < 0:
                raise ValueError(f"{turn.value} must not be below 0")
            if share:
                total += share
                self._ladder.append((total, turn))
        if total > 1:
            raise ValueError("the shares add up to more than 1")
        self._random = Random(self.seed)
        self._plain = not self._ladder and not self.spike

    def turn(self) -> tuple[Turn, float]:
        """Draw: what happens, and after how many seconds the answer comes."""
        seconds = self.latency_ms / 1000
        if self._plain:
            return Turn.TAKE, seconds
        if self.spike and self._random.random() < self.spike:
            self.met["spike"] += 1
            seconds += self.spike_ms / 1000
        drawn = self._random.random()
        for bound, turn in self._ladder:
            if drawn < bound:
                self.met[turn.value] += 1
                return turn, seconds
        return Turn.TAKE, seconds

    def failure(self, turn: Turn) -> tuple[bytes, bytes]:
        """Status line (with what headers it needs) and body of an answer that is not 201."""
        if turn is Turn.TOO_MANY:
            head = b"HTTP/1.1 429 TOO MANY REQUESTS\r\nRetry-After: %d\r\n" % self.retry_after
            return head, b'{"code": 20429, "message": "Too Many Requests", "more_info": "", "status": 429}'
        return (
            b"HTTP/1.1 500 INTERNAL SERVER ERROR\r\n",
            b'{"code": 20500, "message": "Internal Server Error", "more_info": "", "status": 500}',
        )
