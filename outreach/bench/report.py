"""What was measured against what it must be: a row for each ratio, as a table and as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

LIBRARIES = ("sqlalchemy", "psycopg", "aiohttp", "uvloop", "jinja2", "celery", "twilio")


@dataclass(frozen=True)
class Target:
    """One promise. `most`: the value may be at most `must`; else at least. `unit` "x" is a ratio."""

    name: str
    must: float
    aim: float
    unit: str = "x"
    most: bool = True

    def met(self, value: float, bound: float) -> bool:
        return value <= bound if self.most else value >= bound


TARGETS: Mapping[str, Target] = {
    "cpu": Target("worker CPU per SMS / bare POST", 1.5, 1.25),
    "cpu_db": Target("the same with PostgreSQL's CPU", 1.8, 1.4),
    "rate": Target("messages per second / bare POSTs per second", 0.75, 0.9, most=False),
    "usual": Target("CPU per SMS / one task per message", 1 / 12, 1 / 20),
    "claim": Target("claim among many scheduled rows / among 100,000", 1.3, 1.2),
    "snapshot": Target("claim while a snapshot is held / without", 1.5, 1.3),
    "receipts": Target("durable signed receipt / signature check alone, CPU", 2.5, 2.0),
    "email": Target("e-mail composed and in MIME / its HTML alone, CPU", 2.0, 1.5),
    "words_sms": Target("one SMS rendered, median of the languages, CPU", 20, 5, "µs"),
    "words_email": Target("one e-mail rendered, HTML and text, the same", 120, 60, "µs"),
    "words_check": Target("all languages checked: the command, CPU", 5, 3, "s"),
    "words_preview": Target("slowest preview of a unit as it is typed, CPU", 150, 50, "ms"),
    "lateness": Target("lateness p99 beyond the carrier's latency", 0.5, 0.2, "s"),
    "memory": Target("memory of one worker at 1,000 messages/s", 150, 100, "MB"),
    "page_median": Target("slowest page, median", 50, 25, "ms"),
    "page_p99": Target("slowest page, p99", 150, 75, "ms"),
    "page_cpu": Target("slowest page, CPU of web and PostgreSQL", 50, 25, "ms"),
    "page_ratio": Target("the same / a page that asks for one row", 40, 20),
    "page_inbox": Target("slowest page of the inbox, p99", 200, 75, "ms"),
    "page_size": Target("largest page of the console", 150, 75, "kB"),
    "page_patient_size": Target("largest page of a patient, with its style", 30, 20, "kB"),
    "kills": Target("messages lost or doubled in 50 kills and freezes", 0, 0, ""),
}


@dataclass(frozen=True)
class Row:
    """One measured value with the least and the greatest of its repetitions, and the figures it was made of."""

    target: str
    value: float
    least: float
    greatest: float
    beside: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, target: str, values: Sequence[float], **beside: float) -> Row:
        """The median of the repetitions' values."""
        return cls(target, statistics.median(values), min(values), max(values), beside)


def missed(rows: Sequence[Row], targets: Mapping[str, Target]) -> list[str]:
    """Names of the promises that are not kept."""
    return [
        targets[row.target].name for row in rows if not targets[row.target].met(row.value, targets[row.target].must)
    ]


def print_table(rows: Sequence[Row], targets: Mapping[str, Target], console: Console) -> None:
    table = Table("what", "value", "least .. greatest", "must", "aim", "", "made of", box=None, pad_edge=False)
    for row in rows:
        target = targets[row.target]
        mark = _mark(row, target)
        beside = ", ".join(f"{name.replace('_', ' ')} {value:,.4g}" for name, value in row.beside.items())
        table.add_row(
            target.name, _shown(row.value, target), f"{_shown(row.least, target)} .. {_shown(row.greatest, target)}",
            ("≤ " if target.most else "≥ ") + _shown(target.must, target), _shown(target.aim, target), mark, beside,
        )  # fmt: skip
    console.print(table)


def as_json(rows: Sequence[Row], targets: Mapping[str, Target], facts: Mapping[str, Any]) -> dict[str, Any]:
    shown = [
        asdict(row)
        | {"name": targets[row.target].name, "must": targets[row.target].must, "aim": targets[row.target].aim,
           "unit": targets[row.target].unit, "met": targets[row.target].met(row.value, targets[row.target].must)}
        for row in rows
    ]  # fmt: skip
    return {"machine": dict(facts), "rows": shown}


def machine_facts(postgres: str) -> dict[str, Any]:
    """What else decides the absolute figures."""
    return {
        "python": platform.python_version(), "system": platform.system(), "machine": platform.machine(),
        "cores": os.cpu_count(), "postgresql": postgres, **{name: version(name) for name in LIBRARIES},
    }  # fmt: skip


def _mark(row: Row, target: Target) -> str:
    if not target.met(row.value, target.must):
        return "[bold red]MISSED[/]"
    return "[green]aim[/]" if target.met(row.value, target.aim) else "[green]ok[/]"


def _shown(value: float, target: Target) -> str:
    if target.unit == "x" and value and target.must < 0.5:
        return f"1/{1 / value:.3g}"
    return f"{value:.3g}{'' if target.unit == 'x' else ' ' + target.unit}".strip()
