"""`outreach bench`: what the engine costs, as ratios to the bare work of the same run; exit 1 past a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from outreach.errors import BadInput

CHAOS = "run `outreach chaos --kills 50 --json > chaos.json`, then `outreach bench --kills chaos.json`"
NAMES = ("pump", "usual", "claim", "snapshot", "receipts", "email", "words", "lateness", "memory", "pages")


def register(app: typer.Typer) -> None:
    app.command("bench")(bench)


def bench(
    section: Annotated[list[str] | None, typer.Option(help=f"One of: {', '.join(NAMES)}. Else all of them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the facts of the machine.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A smoke test: small numbers, figures of little worth.")
    ] = False,
    messages: Annotated[int, typer.Option(min=10, help="Messages of one measured stretch.")] = 8000,
    window: Annotated[int, typer.Option(min=1, help="Posts in flight at once.")] = 256,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds the carrier's stand-in takes.")] = 50.0,
    reps: Annotated[int, typer.Option(min=1, help="Repetitions; floor and engine by turns.")] = 5,
    page: Annotated[Path | None, typer.Option(help="Write the figures of the section pages into this page.")] = None,
    kills: Annotated[Path | None, typer.Option(help="What `outreach chaos --json` printed.")] = None,
) -> None:
    """Measure on engines of its own, in a temporary folder. Exit 1 when a `must` is missed."""
    from outreach.bench import page_table
    from outreach.bench.plan import Plan
    from outreach.bench.report import TARGETS, missed, print_table
    from outreach.bench.report import as_json as shown
    from outreach.bench.sections import kills_row, run

    names = section or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        raise BadInput(f"There is no section {unknown[0]!r}. The sections are: {', '.join(NAMES)}.")
    if page is not None:  # first, as the kills: a wrong file costs no minutes
        if "pages" not in names:
            raise BadInput("--page takes the figures of the section pages, which is not among those asked for.")
        page_table.ready(page)
    survived = [kills_row(kills)] if kills is not None else []
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160
    with _progress(Console(stderr=True)) as tell:
        rows, facts = run(names, Plan(messages, window, latency, reps, quick, tell))
    rows += survived
    if page is not None:
        page_table.write(rows, facts, page)
    faults = missed(rows, TARGETS)
    if as_json:
        print(json.dumps(shown(rows, TARGETS, facts), indent=1))
    else:
        print_table(rows, TARGETS, console)
        for fault in faults:
            console.print(f"[bold red]missed:[/] {fault}")
        if kills is None:
            console.print(f"{TARGETS['kills'].name}: not measured; {CHAOS}")
    if faults:
        raise typer.Exit(1)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    """A bar where somebody watches; silence in a file."""
    if not console.is_terminal:
        yield lambda _text: None
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("starting engines", total=None)
        yield partial(_describe, bar, task)


def _describe(bar: Progress, task: TaskID, text: str) -> None:
    bar.update(task, description=text)
