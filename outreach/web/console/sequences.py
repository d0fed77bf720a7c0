"""Sequences: what each is, as a time line with its words; and switching it on or off, changing its times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions import choose as choosing
from outreach.actions.envisage import CHANGED, Lens, Reader
from outreach.actions.replan import quiet_of
from outreach.content.formats import Language
from outreach.domain.channel import Channel
from outreach.domain.choices import EARLIEST, LATEST, Wish, check
from outreach.domain.message import Content
from outreach.domain.plan import Visit
from outreach.domain.sequence import Sequence, Step
from outreach.domain.window import wall_at
from outreach.errors import BadInput, NotFound, Sentence, say
from outreach.store import choices
from outreach.store.choices import Choice
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Wired

router = APIRouter()
COURSE, INFUSION = UUID(int=1), UUID(int=2)
BY_HAND = ("staff", "escalated")
"""Calls for messages whose words, or readers, are not a patient's: no example can be shown."""
SAVED = {
    "now": say("Saved. Everything planned follows it already."),
    "soon": say("Saved. What goes out next follows it already; the rest is planned anew within minutes."),
}


@dataclass(frozen=True)
class Spoken:
    """The words of a step on one channel; `content` None: they are missing in this language."""

    channel: Channel
    content: Content | None


@dataclass(frozen=True)
class Line:
    """A step as a line of the page. `own`: its time of day is the clinic's; `off`: the clinic leaves it out."""

    step: Step
    spoken: tuple[Spoken, ...]
    own: bool
    off: bool


@router.get("/sequences")
def listed(desk: AtDesk, out: Wired) -> HTMLResponse:
    """Each sequence, whether it is on here, and how many patients follow it."""
    with out.sessions() as session:
        chosen = choices.of_clinics(session, [desk.clinic.id])
        followed = choices.enrolled(session, desk.clinic.id)
    rows = [
        (one, chosen.get((desk.clinic.id, one.name), choices.AS_WRITTEN), followed.get(one.name, 0))
        for one in out.sequences.values()
    ]
    return desk.page("sequences.html", rows=rows)


@router.get("/sequences/{name}")
def shown(name: str, desk: AtDesk, out: Wired, locale: str = "", saved: str = "") -> HTMLResponse:
    """The time line, with what each message says in the language that is looked at."""
    sequence, language = sequence_of(out, name), language_of(desk, out, locale)
    with out.sessions() as session:
        choice = choices.get(session, desk.clinic.id, name)
        followed = choices.enrolled(session, desk.clinic.id).get(name, 0)
    lines = _lines(desk, out, sequence, choice, language)
    return desk.page(
        "sequence.html", sequence=sequence, choice=choice, followed=followed, language=language,
        languages=[out.words.language(one) for one in out.words.voices], parts=_parts(lines),
        saved=SAVED.get(saved, ""),
    )  # fmt: skip


@router.get("/sequences/{name}/change")
def asked(name: str, desk: AtDesk, out: Wired) -> HTMLResponse:
    """The form, as the clinic has it now."""
    sequence = sequence_of(out, name)
    with out.sessions() as session:
        choice = choices.get(session, desk.clinic.id, name)
    values = {"active": "on" if choice.active else "off", "revision": str(choice.revision)}
    for step in choice.of(sequence).timed:
        values[f"at.{step.key}"] = f"{step.clock:%H:%M}" if step.clock else ""
    for step in sequence.timed:
        change = choice.changes.get(step.key, {})
        values.setdefault(f"at.{step.key}", str(change.get("at", f"{step.clock:%H:%M}" if step.clock else "")))
        values[f"off.{step.key}"] = "yes" if change.get("off") else ""
    return _form(desk, sequence, values, {})


@router.post("/sequences/{name}/change")
def changed(name: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Show what a change would do to whom; back to the form; save."""
    sequence, values, now = sequence_of(out, name), form.fields, out.clock()
    wishes = {
        step.key: Wish(values.get(f"at.{step.key}", ""), values.get(f"off.{step.key}") == "yes")
        for step in sequence.timed
    }
    checked = check(sequence, wishes, quiet_of(desk.clinic))
    wrong = {f"at.{key}": text for key, text in checked.wrong.items()}
    if values.get("step") == "change" or wrong:
        return _form(desk, sequence, values, wrong)
    choice = Choice(values.get("active") == "on", checked.changes, _number(values.get("revision", "")))
    if values.get("step") != "save":
        return _preview(desk, out, sequence, choice, values)
    try:
        with out.sessions.begin() as session:
            done = choosing.choose(session, desk.clinic.id, sequence, choice, now, staff_id=desk.signed.staff_id)
    except BadInput as error:
        return _form(desk, sequence, values, {"": desk.say(error)}, 409)
    return RedirectResponse(f"/sequences/{name}?saved={'soon' if done.more else 'now'}", 303)


def sequence_of(out: Wired, name: str) -> Sequence:
    """The sequence of this name, as its file has it; NotFound otherwise."""
    found = out.sequences.get(name)
    if found is None:
        raise NotFound("no such sequence")
    return found


def language_of(desk: Desk, out: Wired, locale: str) -> Language:
    """The language that was asked for, else English, else whatever there is."""
    for wanted in (locale, "en", desk.locale, *out.words.voices):
        if wanted in out.words.voices:
            return out.words.language(wanted)
    raise NotFound("no language is loaded")


def lens(desk: Desk, out: Wired) -> Lens:
    """What envisaging looks through, at this desk."""
    return Lens(out.spoken(desk.clinic), out.sequences, desk.clinic, f"{out.settings.public_url}/p/example")


def example(desk: Desk, now: datetime) -> Visit:
    """A visit to tell about: two weeks from now at ten, by the clinic's clock."""
    day = wall_at(now, desk.clinic.zone).date() + timedelta(days=14)
    return Visit(INFUSION, COURSE, datetime.combine(day, time(10)), desk.clinic.zone, 60)


def _lines(desk: Desk, out: Wired, sequence: Sequence, choice: Choice, language: Language) -> list[Line]:
    now = out.clock()
    visit, through = example(desk, now), lens(desk, out)
    reader = Reader(language.locale, desk.clinic.zone)
    adapted = {step.key: step for step in Choice(True, choice.changes).of(sequence).steps}
    lines = []
    for written in sequence.steps:
        step = adapted.get(written.key, written)
        # What staff write themselves has no words of its own.
        channels = () if step.trigger in BY_HAND else step.channels
        spoken = tuple(Spoken(channel, through.said(step, channel, reader, visit, now)) for channel in channels)
        lines.append(Line(step, spoken, step.clock != written.clock, written.key not in adapted))
    return lines


def _parts(lines: list[Line]) -> dict[str, list[Line]]:
    """Dated steps by when they come; the others by what calls for them."""
    dated = [line for line in lines if line.step.when is not None]
    before = [line for line in dated if line.step.when and line.step.when.before]
    return {
        "first": [line for line in lines if line.step.trigger in ("enrolment", "agreed")],
        "before": before,
        "after": [line for line in dated if line not in before],
        "events": [line for line in lines if line.step.trigger in CHANGED],
        "answers": [line for line in lines if line.step.trigger not in (None, "enrolment", "agreed", *CHANGED)],
    }


def _form(
    desk: Desk, sequence: Sequence, values: Mapping[str, str], wrong: Mapping[str, Sentence | str], status: int = 0
) -> HTMLResponse:
    return desk.page(
        "sequence_change.html", status or (422 if wrong else 200), sequence=sequence, values=values, wrong=wrong,
        limits={"min": f"{EARLIEST:%H:%M}", "max": f"{LATEST:%H:%M}"},
    )  # fmt: skip


def _preview(desk: Desk, out: Wired, sequence: Sequence, choice: Choice, values: Mapping[str, str]) -> HTMLResponse:
    with out.sessions() as session:
        before = choices.get(session, desk.clinic.id, sequence.name)
        gone = choosing.leaving(sequence, choice) - choosing.leaving(sequence, before)
        waiting = choices.waiting(session, desk.clinic.id, sequence.name, gone) if gone else 0
        followed = choices.enrolled(session, desk.clinic.id).get(sequence.name, 0)
    was, will = ({step.key: step for step in one.of(sequence).timed} for one in (before, choice))
    moved = [(was[key], will[key]) for key in was if key in will and was[key].clock != will[key].clock]
    return desk.page(
        "sequence_preview.html", sequence=sequence, values=values, before=before, choice=choice, moved=moved,
        left=[step for step in sequence.timed if step.key in gone],
        back=[step for step in sequence.timed if step.key in will and step.key not in was],
        waiting=waiting, many=waiting >= choices.MOST_COUNTED, followed=followed, same=was == will,
        at_once=choosing.AT_ONCE,
    )  # fmt: skip


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1
