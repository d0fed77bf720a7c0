"""`outreach restored`: after a restore from a backup, before any worker starts."""

from __future__ import annotations

from typing import Annotated

import typer

from outreach.actions.restored import end_what_may_have_gone, hold_everything
from outreach.cli.opened import opened
from outreach.cli.pause import instant, who


def register(app: typer.Typer) -> None:
    app.command("restored")(restored)


def restored(
    stopped: Annotated[
        str, typer.Option(help="When the last worker before the restore stopped, such as 2026-11-28T10:00Z.")
    ],
) -> None:
    """After a restore from a backup, before any worker starts: pause the service, and end what may have gone out since.

    The backup knows of nothing that was sent after it. What was due until the workers stopped is ended as too late.
    """
    at = instant(stopped, "")
    with opened() as out:
        with out.sessions.begin() as session:
            ended = end_what_may_have_gone(session, at, out.clock())
            pause = hold_everything(session, who(), out.clock())
    print(f"{ended} messages that were due by {at:%Y-%m-%d %H:%MZ} will not be sent again")
    print(f"{pause}  everything is paused. When all is put right: outreach pause off {pause}")
