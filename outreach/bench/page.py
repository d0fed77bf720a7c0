"""Measured figures into docs/scaling.md and its pictures: tables stand between markers, the words around them stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from outreach.bench.plots import Chart, svg
from outreach.errors import BadFile

BUSY = 0.6
"""How much of a core is planned for: the rest is for the worst minute."""
PEAK = 4.8
"""The busiest second over the mean of a day: all within ten hours (2.4), and twice as many at the full hour."""
RECEIPTS = 2
"""Status callbacks of one SMS: sent, delivered."""
HOT_DAYS = 35
DAILY = (1_000_000, 10_000_000, 100_000_000)
_MARKED = "<!-- {name} -->\n{body}\n<!-- end of {name} -->"


def write(figures: Mapping[str, Any], page: Path, pictures: Path) -> None:
    """Replace each marked part of `page` and draw each chart. BadFile: the page lacks a marker."""
    text = page.read_text("utf-8")
    for name, body in parts(figures).items():
        pattern = re.compile(f"<!-- {name} -->\n.*?<!-- end of {name} -->", re.DOTALL)
        if not pattern.search(text):
            raise BadFile(
                page, 0, f"the marker <!-- {name} --> is missing.", "Put it and its end where the table goes."
            )
        filled = _MARKED.format(name=name, body=body)
        text = pattern.sub(lambda _found, filled=filled: filled, text)  # type: ignore[misc]
    page.write_text(text, "utf-8")
    for name, chart in charts(figures).items():
        (pictures / f"{name}.svg").write_text(svg(chart), "utf-8")


def parts(figures: Mapping[str, Any]) -> dict[str, str]:
    """The tables by their markers."""
    machine, each = figures["machine"], figures["each"]
    return {
        "machine": f"Python {machine['python']}, PostgreSQL {machine['postgresql']}, {machine['cores']} cores, window"
        f" {machine['window']}, carrier latency {machine['latency_ms']:g} ms.",
        "messages": _table(("messages", "worker µs", "PostgreSQL µs", "per second"), figures["messages"]),
        "scheduled": _table(("scheduled rows", "claim of 200, ms", "its locking alone, ms"), figures["scheduled"]),
        "clinics": _table(("clinics", "worker µs", "PostgreSQL µs", "per second"), figures["clinics"]),
        "workers": _table(("worker processes", "per second", "CPU µs of all workers"), figures["workers"]),
        "each": _table(("what", "measured"), [{"what": _NAMES[name], "value": each[name]} for name in _NAMES]),
        "growth": growth(each),
    }


_NAMES = {
    "worker_us": "w: worker CPU per SMS, µs", "postgres_us": "d: PostgreSQL's CPU per SMS, µs",
    "receipt_web_us": "r: web process's CPU per receipt, µs",
    "receipt_postgres_us": "q: PostgreSQL's CPU per receipt, µs",
    "kept_bytes": "b: bytes kept per message (row, attempt, event, indexes)",
    "logged_bytes": "l: bytes of PostgreSQL's log (WAL) per message",
    "per_second": "s: messages per second of one worker",
}  # fmt: skip


def growth(each: Mapping[str, float]) -> str:
    """What a day of so many messages needs, formula beside figure; n is the messages of the busiest second."""
    busiest = [day / 86400 * PEAK for day in DAILY]
    w, d, r, q = (each[name] / 1e6 for name in ("worker_us", "postgres_us", "receipt_web_us", "receipt_postgres_us"))
    rows = [
        ("messages in the busiest second, n", f"day / 86,400 × {PEAK}", [_said(n) for n in busiest]),
        ("worker processes", f"n × w / {BUSY}", [_said(n * w / BUSY) for n in busiest]),
        ("web processes for receipts", f"n × {RECEIPTS} × r / {BUSY}",
         [_said(n * RECEIPTS * r / BUSY) for n in busiest]),
        ("PostgreSQL cores", f"n × (d + {RECEIPTS} × q) / {BUSY}",
         [_said(n * (d + RECEIPTS * q) / BUSY) for n in busiest]),
        ("log written in the busiest second, MB", "n × l", [_said(n * each["logged_bytes"] / 1e6) for n in busiest]),
        (f"rows kept for {HOT_DAYS} days, GB", f"day × {HOT_DAYS} × b",
         [_said(day * HOT_DAYS * each["kept_bytes"] / 1e9) for day in DAILY]),
    ]  # fmt: skip
    heads = ("", "formula", *(f"{day // 1_000_000} million a day" for day in DAILY))
    return _lines([heads, *((name, formula, *values) for name, formula, values in rows)])


def charts(figures: Mapping[str, Any]) -> dict[str, Chart]:
    """One chart for each series."""
    cpu = ("worker", "PostgreSQL")

    def costs(series: str, title: str, across: str) -> Chart:
        bars = [(_short(one[series]), (one["worker_us"], one["postgres_us"])) for one in figures[series]]
        return Chart(title, "µs", across, cpu, bars)

    claims = [
        (_short(one["scheduled"]), (one["lock_ms"], one["claim_ms"] - one["lock_ms"])) for one in figures["scheduled"]
    ]
    rates = [(_short(one["workers"]), (one["per_second"],)) for one in figures["workers"]]
    return {
        "scaling-messages": costs("messages", "CPU of one SMS, by messages sent in one go", "messages"),
        "scaling-clinics": costs("clinics", "CPU of one SMS, by clinics that have something due", "clinics"),
        "scaling-scheduled": Chart("A claim of 200, by rows that are scheduled", "ms", "scheduled rows",
                                   ("find and lock", "decide, compose, begin"), claims),
        "scaling-workers": Chart("Messages per second, by worker processes", "/s", "worker processes", ("all",), rates),
    }  # fmt: skip


def _table(heads: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    return _lines([heads, *([_said(value) for value in row.values()] for row in rows)])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head, numbers stand right."""
    marks = ["---" if number == 0 else "--:" for number in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], marks, *rows[1:]))


def _said(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.3g}"


def _short(number: float) -> str:
    return f"{number / 1e6:g} M" if number >= 1e6 else f"{number:,.0f}"
