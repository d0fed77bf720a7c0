"""The command `outreach`: gathers the commands of this folder and turns refusals into sentences and exit codes."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module

import typer
from sqlalchemy.exc import OperationalError

import outreach.cli
from outreach.cli import plan, sms
from outreach.errors import OutreachError


def build() -> typer.Typer:
    """A module of this folder that has `register(app)` adds its commands; nothing else is touched to add one."""
    app = typer.Typer(
        name="outreach",
        help="Localized SMS and e-mail outreach for clinics.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root() -> None:
        """Keeps the commands sub-commands, even while there is only one."""

    app.command("plan")(plan.plan)
    app.add_typer(sms.app, name="sms")
    for found in pkgutil.iter_modules(outreach.cli.__path__):
        register = getattr(import_module(f"outreach.cli.{found.name}"), "register", None)
        if register is not None:
            register(app)
    return app


def main() -> None:
    """Exit codes: 0 done, 1 refused (the sentence on standard error says why), 2 the command line is wrong."""
    try:
        build()()
    except OutreachError as error:
        sys.exit(f"error: {error}")
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        sys.exit(f"error: the database does not answer ({reason}). Is it running, and OUTREACH_DATABASE_URL right?")
