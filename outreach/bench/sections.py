"""The sections of the bench by name, and a run of some of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from outreach.bench.claims import claim_rows, snapshot_rows
from outreach.bench.comparison import usual_rows
from outreach.bench.ground import ground
from outreach.bench.mail import email_rows
from outreach.bench.paced import lateness_rows, memory_rows
from outreach.bench.pages import page_rows
from outreach.bench.plan import Plan
from outreach.bench.pumping import pump_rows
from outreach.bench.receipts import receipt_rows
from outreach.bench.report import Row, machine_facts
from outreach.bench.wording import words_rows
from outreach.errors import BadInput

SECTIONS: Mapping[str, Callable[[Any, Plan], list[Row]]] = {
    "pump": pump_rows,
    "usual": usual_rows,
    "claim": claim_rows,
    "snapshot": snapshot_rows,
    "receipts": receipt_rows,
    "email": lambda _ground, plan: email_rows(plan),
    "words": lambda _ground, plan: words_rows(plan),
    "lateness": lateness_rows,
    "memory": memory_rows,
    "pages": page_rows,
}


def run(names: Sequence[str], plan: Plan) -> tuple[list[Row], dict[str, Any]]:
    """The rows of these sections and the facts of the machine. Wrong (an OutreachError): a run was not right."""
    wireless = set(names) <= {"email", "words"}  # nothing of it needs engines
    with nullcontext() if wireless else ground(plan.latency) as made:
        facts = machine_facts(made.version() if made else "not used") | {
            "messages": plan.messages, "window": plan.window, "latency_ms": plan.latency, "reps": plan.reps,
            "quick": plan.quick,
        }  # fmt: skip
        rows = []
        for name in names:
            begun = time.monotonic()
            rows += SECTIONS[name](made, plan)
            facts[f"seconds_{name}"] = round(time.monotonic() - begun, 1)
    return rows, facts


KILLS = 50
"""So many kills and freezes a run needs to speak for the target."""


def kills_row(found: Path) -> Row:
    """The row of what `outreach chaos --json` printed. BadInput: it is not that, or not enough of it."""
    how = f"`outreach chaos --kills {KILLS} --json > {found}` writes it."
    try:
        told = json.loads(found.read_text("utf-8"))
        kills, bad = int(told["kills"]), float(told["lost"]) + float(told["doubled"])
    except FileNotFoundError:
        raise BadInput(f"There is no file {found}. {how}") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{found} is not what `outreach chaos --json` prints. {how}") from None
    if kills < KILLS:
        raise BadInput(f"{found} tells of {kills} kills and freezes; the target is about {KILLS}. {how}")
    return Row("kills", bad, bad, bad, {"kills": float(kills)})
