"""Who sits at the workbench, and before which files: somebody of the console's staff, or whoever runs it alone."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from outreach.content.workbench import Workbench
from outreach.errors import OutreachError, Sentence, say
from outreach.web.console.desk import Desk, at_desk
from outreach.web.forms import Form, Posted, language_of, outreach_of
from outreach.web.tongue import tongue
from outreach.web.views import page, render


@dataclass(frozen=True)
class Alone:
    """A workbench without accounts: a name for the credits, and a secret for its forms."""

    name: str
    csrf: str


@dataclass(frozen=True)
class Seat:
    """`desk` is None where the workbench runs alone. `spoken`: the language of its own pages."""

    bench: Workbench
    name: str
    csrf: str
    spoken: str
    desk: Desk | None

    def page(self, name: str, /, status: int = 200, **values: Any) -> HTMLResponse:
        """A page with its frame."""
        return page(f"translate/{name}", status, staff_locale=self.spoken, desk=self.desk, seat=self, **values)

    def piece(self, name: str, /, **values: Any) -> HTMLResponse:
        """A part of a page, which a script puts in its place."""
        return HTMLResponse(render(f"translate/{name}", self.spoken, desk=self.desk, seat=self, **values))

    def say(self, text: str | OutreachError) -> str:
        """A sentence, or an error's, in the reader's language."""
        if isinstance(text, OutreachError):
            text = text.args[0] if text.args and isinstance(text.args[0], Sentence) else str(text)
        return tongue(self.spoken).gettext(text)

    def shown(self, path: Path) -> str:
        """A file by its place among the words, without where those lie on this machine."""
        root = self.bench.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def at_seat(request: Request) -> Seat:
    """The seat of whoever sent this request; in the console, its door is guarded as every other."""
    bench, alone = request.app.state.workbench, getattr(request.app.state, "alone", None)
    assert isinstance(bench, Workbench)
    if isinstance(alone, Alone):
        return Seat(bench, alone.name, alone.csrf, language_of(request), None)
    desk = at_desk(request, outreach_of(request))
    return Seat(bench, desk.signed.name, desk.signed.csrf, desk.signed.locale, desk)


AtSeat = Annotated[Seat, Depends(at_seat)]


def checked(seat: AtSeat, form: Posted) -> Form:
    """The form, if it came from one of this seat's own pages; 403 otherwise."""
    if not hmac.compare_digest(form.fields.get("csrf", "").encode(), seat.csrf.encode()):
        raise HTTPException(403, say("This form is from another session. Load its page again, then send it."))
    return form


FromSeat = Annotated[Form, Depends(checked)]
