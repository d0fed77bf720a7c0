"""`outreach zones refresh`: plans follow new zone data now, not at the next hourly round."""

from __future__ import annotations

import typer

from outreach.actions import rezone
from outreach.actions.rezone import Progress
from outreach.cli.opened import opened
from outreach.cli.supervise import say
from outreach.domain.window import tz_version


def register(commands: typer.Typer) -> None:
    app = typer.Typer(help="Zone data and the plans made with them.", no_args_is_help=True)
    app.callback()(about)
    app.command("refresh")(refresh)
    commands.add_typer(app, name="zones")


def about() -> None:
    """Zone data and the plans made with them."""


def refresh() -> None:
    """Give everything unsent the instant its wall time means by the zone data installed here. Safe to repeat.

    Exit 1: some courses could not be dated, such as those in a zone whose name is gone; the log names them.
    """
    done = Progress()
    with opened() as out:
        for so_far in rezone.steps(out.sessions, out.sequences, out.clock):
            done = so_far
            say(f"{done.looked} messages looked at, {done.moved} of them moved")
    print(
        f"zone data {tz_version()}: {done.looked} messages were planned with other data; {done.moved} moved,"
        f" {done.replanned} courses planned anew, {done.failed} failed"
    )
    if done.failed:
        raise typer.Exit(1)
