"""What would be sent: a plan without a patient, and the sequences it follows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from outreach.actions.load import SEQUENCE
from outreach.actions.replan import quiet_of
from outreach.domain.access import Scope
from outreach.domain.channel import Channel
from outreach.domain.plan import Visit, plan
from outreach.domain.sequence import Sequence
from outreach.domain.window import moment
from outreach.errors import NotFound
from outreach.store import choices
from outreach.store.keys import Key
from outreach.web.api.door import AtDoor
from outreach.web.api.enrolments import SequenceName, named
from outreach.web.api.fields import Asked, At, Instant, Minutes, Wall, Zone
from outreach.web.api.visits import Line

router = APIRouter(prefix="/v1", tags=["sequences"])
_NOBODY = UUID(int=0)


class PlanVisit(Asked):
    """A visit that might be booked."""

    starts: Wall
    minutes: Minutes = 60
    zone: Zone | None = Field(None, description="Of `starts`; the clinic's, if left out.")


class PlanIn(Asked):
    """A course that might be."""

    sequence: SequenceName = SEQUENCE
    zone: Zone | None = Field(None, description="The patient's; the clinic's, if left out.")
    channels: list[Channel] = Field(default_factory=lambda: [Channel.SMS], min_length=1, max_length=2)
    infusions: list[PlanVisit] = Field(min_length=1, max_length=60)
    now: Instant | None = Field(None, description="As seen from then; now, if left out.")


class PlanOut(BaseModel):
    """Every message, also those that would not be sent, with the reason."""

    items: list[Line]


class StepOut(BaseModel):
    """One message of a sequence."""

    key: str = Field(examples=["pre.tomorrow"])
    channels: list[Channel]
    when: str | None = Field(description="null: an event calls for it.", examples=["1 day before start at 10:00"])
    trigger: str | None = Field(examples=["moved"])
    once_per: str
    answers: list[str]


class SequenceOut(BaseModel):
    """A sequence as this clinic has it."""

    name: str
    active: bool
    steps: list[StepOut]


class Sequences(BaseModel):
    """By name."""

    items: list[SequenceOut]


class Me(BaseModel):
    """The key that asks."""

    id: UUID
    name: str
    clinic: str
    scopes: list[Scope]
    expires_at: At | None


@router.get("/me", tags=["keys"])
def me(caller: AtDoor) -> Me:
    """Which key this is, of which clinic, and what it may do."""
    key: Key = caller.key
    with caller.out.sessions() as session:
        name = caller.clinic(session).name
    return Me(id=key.id, name=key.name, clinic=name, scopes=sorted(key.scopes), expires_at=key.expires_at)


@router.post("/plan")
def previewed(caller: AtDoor, given: PlanIn) -> PlanOut:
    """What a course would bring, and when. Nothing is written, and nobody needs to be enrolled."""
    with caller.out.sessions() as session:
        clinic = caller.clinic(session)
        sequence = named(caller, given.sequence)
        chosen = choices.get(session, clinic.id, sequence.name).of(sequence)
    visits = []
    for number, one in enumerate(given.infusions):
        visit_id = uuid5(_NOBODY, f"{number}")
        visits.append(Visit(visit_id, _NOBODY, one.starts, one.zone or clinic.zone, one.minutes))
        moment(visits[-1].starts, visits[-1].zone)
    now = given.now or caller.out.clock()
    found = plan(chosen, visits, given.zone or clinic.zone, set(given.channels), now, quiet_of(clinic))
    return PlanOut(
        items=[
            Line(step=one.step, channel=one.channel, due_at=one.due_at, local=one.wall, zone=one.zone,
                 status=one.status, reason=one.reason)
            for one in found
        ]
    )  # fmt: skip


@router.get("/sequences")
def sequences(caller: AtDoor) -> Sequences:
    """The sequences and what this clinic chose of them."""
    return Sequences(items=[_shown(caller, one) for _, one in sorted(caller.out.sequences.items())])


@router.get("/sequences/{name}")
def sequence(caller: AtDoor, name: Annotated[str, Path(max_length=60, pattern=r"^[a-z0-9-]+$")]) -> SequenceOut:
    """One sequence."""
    return _shown(caller, _named(caller, name))


def _named(caller: AtDoor, name: str) -> Sequence:
    found = caller.out.sequences.get(name)
    if found is None:
        raise NotFound("no such sequence")
    return found


def _shown(caller: AtDoor, of_file: Sequence) -> SequenceOut:
    with caller.out.sessions() as session:
        choice = choices.get(session, caller.clinic_id, of_file.name)
    steps = [
        StepOut(key=one.key, channels=list(one.channels), when=one.when.text if one.when else None,
                trigger=one.trigger, once_per=one.once_per, answers=list(one.answers))
        for one in choice.of(of_file).steps
    ]  # fmt: skip
    return SequenceOut(name=of_file.name, active=choice.active, steps=steps)
