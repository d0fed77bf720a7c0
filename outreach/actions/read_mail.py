"""Reading what a patient wrote by mail, like a text: kept once, its stop obeyed, a person told; never answered by mail.

Anybody can write any mailbox into From. So a mail can silence and open a task, and no more: it agrees to nothing, takes
no stop back, answers no question of ours, and brings no dead mailbox to life. And where nothing is answered, two
machines cannot go on for ever.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.actions import reply
from outreach.actions.size_up import Sized, size_up
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.domain.letter import Letter
from outreach.domain.message import Inbound
from outreach.domain.replies import ReplyWords, Understood, understand
from outreach.domain.response import Response, respond
from outreach.errors import BadInput
from outreach.store import clinics, inbox

NOTHING = frozenset({"stop", "thanks"})
"""What needs no person, as of a text. HELP does: a text is answered with whom to call, a mail is not."""


def read_mail(
    session: Session, letter: Letter, evidence: str, now: datetime, *, replies: ReplyWords, words: Words
) -> int:  # fmt: skip
    """Take in one mail; of how many clinics' patients it is. `evidence` names the mail: the same one twice is one.

    Several patients of a clinic with one mailbox are treated like several with one number: see actions.reply. Of a
    mailbox that nobody has nothing is kept.
    """
    try:
        normal = index_form(Channel.EMAIL, letter.mailbox)
    except BadInput:  # no mailbox that a patient could have
        return 0
    found, body = 0, letter.text or letter.subject
    for clinic in sorted(clinics.every(session), key=lambda one: one.id):
        index = inbox.take_turn(session, clinic.id, Channel.EMAIL, normal)
        people = inbox.senders(session, clinic.id, Channel.EMAIL, normal)
        if not people:
            continue
        found += 1
        inbound = Inbound(evidence, Channel.EMAIL, letter.mailbox, "", body)
        sized = size_up(session, clinic, inbound, people, replies, index, now)
        sized = Sized(_with_subject(sized.said, letter, replies), sized.seen, None)
        response = _without_answers(sized)
        if people[0].test:
            response = replace(response, tasks=())
        soon = reply.days_after_infusion(session, clinic.id, people[0], sized, response, now)
        inbound_id = reply.keep(session, clinic.id, inbound, normal, people[0], sized, response, now)
        if inbound_id is not None:
            reply.act(session, people[0], clinic.id, inbound_id, body, sized, response, words, reply.ANSWER_WITHIN,
                      now, soon, channel=Channel.EMAIL, evidence=evidence)  # fmt: skip
    return found


def _with_subject(said: Understood, letter: Letter, replies: ReplyWords) -> Understood:
    """A subject that says nothing but stop is one, whatever stands below it: a signature, often."""
    if not letter.text or said.kind == "stop":
        return said
    above = understand(letter.subject, replies)
    if above.kind != "stop" or above.doubtful:
        return said
    return replace(said, kind="stop", answer=None, locale=above.locale, locales=above.locales, doubtful=True,
                   why=f"subject: {above.why}")  # fmt: skip


def _without_answers(sized: Sized) -> Response:
    """What is done about a mail: as about a text that answers nothing of ours, and is not answered.

    An automatic reply that says so in its words alone is kept, and opens no task; its stop is obeyed.
    """
    done = respond(sized.said, replace(sized.seen, asked="", before="", reachable=True))
    tasks = done.tasks
    if sized.seen.robot == "phrase":
        tasks = ()
    elif not tasks and (sized.said.kind not in NOTHING or sized.said.ambiguous):  # who says "cancel" is not told of it
        tasks = ("reply",)
    return Response("stop" if done.effect == "stop" else "none", (), tasks)
