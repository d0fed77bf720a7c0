"""`outreach scaling`: measure how cost grows, and write the figures, pictures and tables of docs/scaling.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from outreach.errors import BadFile
from outreach.settings import ROOT


def register(app: typer.Typer) -> None:
    app.command("scaling")(scaling)


def scaling(
    docs: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Where scaling.md, figures.json and pictures/ are.")
    ] = ROOT / "docs",
    measured: Annotated[
        bool, typer.Option("--measured", help="Measure nothing: write page and pictures from figures.json.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A smoke test: small numbers.")] = False,
    messages: Annotated[int, typer.Option(min=100, help="Messages of one measured stretch.")] = 8000,
    window: Annotated[int, typer.Option(min=1, help="Posts in flight at once.")] = 256,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds the carrier's stand-in takes.")] = 50.0,
) -> None:
    """Measure how the cost of a message grows with messages, scheduled rows, clinics and workers."""
    from outreach.bench.page import write
    from outreach.bench.plan import Plan
    from outreach.bench.scaling import measure

    figures = docs / "figures.json"
    if not measured:
        found = measure(Plan(messages, window, latency, 3, quick, lambda text: print(text, flush=True)))
        figures.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    try:
        told = json.loads(figures.read_text("utf-8"))
    except (OSError, ValueError):
        raise BadFile(figures, 0, "it is not there or is not JSON.", "`outreach scaling` measures it.") from None
    write(told, docs / "scaling.md", docs / "pictures")
