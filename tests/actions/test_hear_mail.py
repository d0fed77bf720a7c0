"""A complaint by mail ends the e-mail of that patient, and no text; a dead mailbox is written to no more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from outreach.actions import hear_mail as hearing
from outreach.actions import withdraw
from outreach.domain.consent import State, may_contact
from outreach.domain.mail_report import MailReport
from outreach.store import consents
from outreach.store.office import Audit
from outreach.store.tables import Address
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import make_world
from tests.domain.test_mail_report import ANA, GONE, NAMED, bounce, complaint


def hear_mail(session: Session, raw: bytes, now: datetime) -> tuple[MailReport, int]:
    return hearing.hear_mail(session, raw, now, replies=shipped.replies(), words=shipped.words())


def test_a_complaint_is_a_no_that_start_does_not_undo(engine: Engine, vault: Vault) -> None:
    world = make_world(engine, vault, shipped.words())
    world.agree()
    mailbox = world.agree_to_mails(ANA)
    with world.sessions.begin() as session:
        assert hear_mail(session, bounce(GONE.replace("ana@", "nobody@")), world.now)[1] == 0
        for _ in range(2):
            report, count = hear_mail(session, complaint(NAMED), world.now)
            assert (report.kind, count) == ("complaint", 1)
        assert may_contact(consents.ledger(session, mailbox), world.now).state is State.REVOKED_BY_CARRIER
        assert len(consents.ledger(session, mailbox)) == 2
        assert may_contact(consents.ledger(session, world.address_id), world.now).allowed
        assert withdraw.restore(session, mailbox, method="sms", evidence="start", now=world.now) == []
        assert session.scalars(select(Audit.action)).all() == ["consent.stopped"]
        assert session.get_one(Address, mailbox).unusable_at is None
        hear_mail(session, bounce(GONE), world.now)
        assert session.get_one(Address, mailbox, populate_existing=True).unusable_at == world.now
