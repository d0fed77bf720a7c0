"""`outreach chaos`: kill and freeze everything while messages flow; then compare the database with the carrier."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from outreach.chaos import disasters
from outreach.chaos.disasters import Disaster
from outreach.chaos.ground import Ground, Pace, ground, wait_until_up
from outreach.chaos.recovery import Recovery, recoveries
from outreach.chaos.run import Run, Told, silent
from outreach.chaos.stock import fill
from outreach.chaos.verdict import Verdict
from outreach.cli.up import child_environment, children
from outreach.settings import Settings
from outreach.wiring import WINDOW

APART = 5.5
"""Seconds between two disasters, on average."""
BEFORE = 3.0
"""Seconds of messages before the first and after the last disaster."""


DOUBT = 0.05
"""The greatest share of all messages that a run may leave in doubt, however many disasters it had."""


def register(app: typer.Typer) -> None:
    app.command("chaos")(chaos)


def chaos(
    kills: Annotated[int, typer.Option(min=1, help="How many kills and freezes.")] = 50,
    messages: Annotated[int, typer.Option(min=8, help="How many messages flow meanwhile.")] = 20_000,
    seed: Annotated[
        int | None, typer.Option(help="The same seed plans the same disasters.", show_default=False)
    ] = None,
    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")] = False,
) -> None:
    """Kill and freeze workers, beat, web, Valkey and PostgreSQL while messages flow; exit 0 if the promise held."""
    console = Console(soft_wrap=True, highlight=False, stderr=json_out)
    chosen = seed if seed is not None else random.randrange(2**31)
    with bar(console, kills) as told:
        pace = Pace()
        outcome = play(disasters.plan(kills, chosen, pace.lease, APART), messages, chosen, pace, told)
    if json_out:
        print(json.dumps(outcome.as_json(), indent=1))
    else:
        show(outcome, console)
    if outcome.faults:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Outcome:
    """What a run showed."""

    seed: int
    kills: int
    verdict: Verdict
    faults: list[str]
    most_in_doubt: int
    recoveries: list[Recovery]
    carrier: dict[str, Any]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed, "kills": self.kills, **self.verdict.as_json(), "most_in_doubt": self.most_in_doubt,
            "faults": self.faults, "recovery": [asdict(one) for one in self.recoveries], "carrier": self.carrier,
            "seconds": round(self.seconds, 1),
        }  # fmt: skip


def play(
    planned: Sequence[Disaster], messages: int, seed: int, pace: Pace, told: Told = silent, *, durable: bool = True
) -> Outcome:
    """One run from empty engines to the verdict. `durable=False` (tests): PostgreSQL without fsync."""
    began = time.monotonic()
    seconds = sum(one.after for one in planned) + 2 * BEFORE
    with ground(commands, child_environment, pace, durable=durable) as on:
        told("setting up", 0, 0)
        wait_until_up(on)
        on.call_back(seed)
        start = datetime.now(UTC)
        fill(on.out, [start + timedelta(seconds=one) for one in disasters.due(messages, planned, seconds, seed)])
        run = Run(on, planned, disasters.skies(seconds, seed), seed, told=told)
        return _outcome(on, run, run.play(), began)


def _outcome(on: Ground, run: Run, verdict: Verdict, began: float) -> Outcome:
    met = on.carrier.counts()
    # What the carrier dropped without an answer we cannot know either.
    dropped = met["faults"].get("hang", 0) + met["faults"].get("error", 0)
    most = most_in_doubt([one.disaster for one in run.struck], verdict.messages, dropped)
    return Outcome(
        run.seed, len(run.struck), verdict, verdict.faults(most), most,
        recoveries(run.struck, [at for _, at in on.carrier.taken()]),
        {"posts": met["posts"], "faults": met["faults"], "callbacks": met["callbacks"]}, time.monotonic() - began,
    )  # fmt: skip


def most_in_doubt(struck: Sequence[Disaster], messages: int, dropped: int) -> int:
    """How many messages may be left to a person: a window for each disaster that can cost one, and what the carrier
    dropped; never more than DOUBT of all, for with many disasters the windows alone would excuse everything."""
    costly = sum(one.target.startswith("worker") or one.target == "postgres" for one in struck)
    return min(WINDOW * costly + dropped, math.ceil(messages * DOUBT))


def commands(settings: Settings) -> Mapping[str, Sequence[str]]:
    """The service's own processes, as `outreach up` starts them."""
    return {child.name: child.command for child in children(settings, {})}


@contextmanager
def bar(console: Console, kills: int) -> Iterator[Told]:
    """A bar where somebody watches; silence in a file."""
    if not console.is_terminal:
        yield silent
        return
    columns = TextColumn("{task.fields[taken]} taken"), TextColumn("{task.fields[what]}")
    with Progress(
        TextColumn("chaos"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *columns, console=console
    ) as shown:
        task = shown.add_task("", total=kills, taken=0, what="")
        yield lambda what, met, taken: shown.update(task, completed=met, taken=taken, what=what)


def show(outcome: Outcome, console: Console) -> None:
    """The table, and a sentence for each fault."""
    verdict = outcome.verdict
    console.print(f"seed {outcome.seed}: {outcome.kills} kills and freezes in {outcome.seconds:.0f} s")
    for name, count in verdict.as_json().items():
        if name != "statuses":
            told = {True: "holds", False: "DOES NOT HOLD"}.get(count, count) if name == "balance" else count
            console.print(f"  {name.replace('_', ' '):<12} {told}")
    console.print("  rows: " + ", ".join(f"{count} {name}" for name, count in sorted(verdict.statuses.items())))
    met = outcome.carrier["faults"]
    if met:
        console.print(
            "  carrier: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(met.items()))
        )
    console.print(f"  {'':<28} {'times':>5} {'back, median':>13} {'longest':>8} {'silence, longest':>17}")
    for one in outcome.recoveries:
        console.print(
            f"  {one.what:<28} {one.times:>5} {one.back_median:>11.2f} s {one.back_longest:>6.2f} s"
            f" {one.silence_longest:>15.2f} s"
        )
    for fault in outcome.faults:
        console.print(f"[bold red]{fault}[/]")
    if not outcome.faults:
        console.print(f"[green]lost 0, doubled 0; {len(verdict.in_doubt)} left for a person to decide[/]")
