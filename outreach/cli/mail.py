"""`outreach mail`: what comes back by mail, read from a pipe of the mail server."""

from __future__ import annotations

import sys

import typer

from outreach.actions.hear_mail import hear_mail
from outreach.cli.opened import opened
from outreach.domain.mail_report import MOST_BYTES

app = typer.Typer(help="What comes back by mail.", no_args_is_help=True)


def register(commands: typer.Typer) -> None:
    commands.add_typer(app, name="mail")


@app.callback()
def main() -> None:
    """What comes back by mail."""


@app.command("in")
def mail_in() -> None:
    """Read one raw mail from standard input: a complaint or a dead mailbox ends what was to go there.

    What a patient writes is read like a text: a stop ends everything, anything else waits in the inbox.

    Anything else is passed over with exit code 0, so that a mail server does not try it again.
    """
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    with opened() as out, out.sessions.begin() as session:
        report, count = hear_mail(session, raw, out.clock(), replies=out.replies, words=out.words)
    whose = "clinics" if report.kind == "letter" else "patients"
    typer.echo(f"{report.kind} {report.code}".strip() + (f": {count} {whose}" if report.kind != "other" else ""))
