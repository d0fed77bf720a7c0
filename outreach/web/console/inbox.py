"""The inbox: who wrote or waits, most pressing first; and taking, giving back and closing what waits."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import attend
from outreach.actions.attend import News, TooLate
from outreach.content.formats import phone as readable
from outreach.errors import BadInput, NotFound
from outreach.store import colleagues, patients, tasks, threads
from outreach.store.tasks import Known
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.talk import place
from outreach.web.forms import Wired, id_of

router = APIRouter()
PAGE = 40


@router.get("/inbox")
def listed(desk: AtDesk, out: Wired, show: str = "", after: str = "") -> HTMLResponse:
    """Threads, a page at a time: `show` one of threads.SHOWS, open by default."""
    show, now, clinic_id = show if show in threads.SHOWS else "open", out.clock(), desk.clinic.id
    with out.sessions() as session:
        waits = tasks.waits(session, clinic_id, desk.signed.staff_id, now)
        page = threads.page(session, clinic_id, desk.signed.staff_id, now, PAGE, show=show, after=after)
        names = patients.named(session, clinic_id, {one.patient_id for one in page.threads if one.patient_id})
        takers = colleagues.names(session, clinic_id, {one for thread in page.threads for one in thread.takers})
    following = "/inbox?" + urlencode({"show": show, "after": page.next}) if page.next else ""
    return desk.page("inbox.html", threads=page.threads, next=following, waits=waits, show=show, shows=threads.SHOWS,
                     names=names, takers=takers, now=now, after=after, readable=readable)  # fmt: skip


@router.get("/inbox/{task_id}")
def opened(task_id: str, desk: AtDesk, out: Wired) -> Response:
    """The thread that a task belongs to: what a message to somebody on call leads to."""
    with out.sessions() as session:
        return RedirectResponse(thread_of(tasks.get(session, desk.clinic.id, id_of(task_id))), 303)


@router.post("/inbox/{task_id}/take")
def taken(task_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Make the task one's own; whoever comes second is told."""
    now, by = out.clock(), desk.signed.staff_id
    return _do(desk, out, task_id, "taken",
               lambda session, task: attend.take(session, desk.clinic.id, task, now, by=by))  # fmt: skip


@router.post("/inbox/{task_id}/give-back")
def given_back(task_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Let others take it."""
    now, by = out.clock(), desk.signed.staff_id
    return _do(desk, out, task_id, "given_back",
               lambda session, task: attend.give_back(session, desk.clinic.id, task, now, by=by))  # fmt: skip


@router.post("/inbox/{task_id}/close")
def closed(task_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Close it, with how it ended and, if wanted, a note for colleagues."""
    now, by, fields = out.clock(), desk.signed.staff_id, form.fields
    outcome, remark, until = fields.get("outcome", ""), fields.get("remark", ""), place(fields.get("until", ""))
    return _do(desk, out, task_id, "closed", lambda session, task: attend.close(
        session, desk.clinic.id, task, outcome, remark, now, by=by, read_until=until))  # fmt: skip


def thread_of(task: Known) -> str:
    """Where a task's conversation is. A task of nobody, about nothing, leads to the list."""
    if task.patient_id is not None:
        return f"/inbox/patients/{task.patient_id}"
    return f"/inbox/numbers/{task.inbound_id}" if task.inbound_id is not None else "/inbox"


def _do(desk: Desk, out: Wired, task_id: str, done: str, act: Callable[[Session, Known], None]) -> Response:
    """Act on a task, and go back to its thread with what came of it."""
    with out.sessions() as session:
        task = tasks.get(session, desk.clinic.id, id_of(task_id))
    try:
        with out.sessions.begin() as session:
            act(session, task)
    except TooLate:
        done = "late"
    except News:
        done = "news"
    except NotFound:
        raise
    except BadInput:
        done = "choose"
    return RedirectResponse(f"{thread_of(task)}?done={done}#tasks", 303)
