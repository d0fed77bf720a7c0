"""The command `outreach`: gathers the commands of this folder and turns refusals into sentences and exit codes."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from sqlalchemy.exc import OperationalError

import outreach.cli
from outreach.errors import OutreachError


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """A module of this folder that has `register(app)` adds its commands; nothing else is touched to add one.

    Where the first argument names a module, that one alone is imported: `outreach plan` needs no database library.
    """
    app = typer.Typer(
        name="outreach",
        help="Localized SMS and e-mail outreach for clinics.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root() -> None:
        """Localized SMS and e-mail outreach for clinics."""

    names = [found.name for found in pkgutil.iter_modules(outreach.cli.__path__)]
    named = [name for name in names if name in arguments[:1]]
    for name in named or names:
        register = getattr(import_module(f"outreach.cli.{name}"), "register", None)
        if register is not None:
            register(app)
    return app


def main() -> None:
    """Exit codes: 0 done, 1 refused (the sentence on standard error says why), 2 the command line is wrong."""
    try:
        build(sys.argv[1:])()
    except OutreachError as error:
        sys.exit(f"error: {error}")
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        sys.exit(f"error: the database does not answer ({reason}). Is it running, and OUTREACH_DATABASE_URL right?")
