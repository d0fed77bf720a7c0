"""Who may do what: the roles of a clinic's staff, and what each grants. Decided here, asked everywhere."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """One kind of thing a person may do. Stored nowhere: roles are, and this table can change under them."""

    SEE = "see"  # today, sequences, languages: nothing of a patient
    PATIENTS = "patients"  # names, addresses, what was said
    ENROL = "enrol"  # enrol, edit, move, cancel, consent, notes, lists
    ANSWER = "answer"  # the inbox and its tasks
    DELIVERY = "delivery"  # pauses, messages in doubt
    REPORTS = "reports"  # figures and their export
    SEQUENCES = "sequences"  # switch sequences, change their times
    TRANSLATE = "translate"
    APPROVE = "approve"  # words, as a clinician
    SETTINGS = "settings"  # clinic, senders, hours, caps
    STAFF = "staff"
    DOORS = "doors"  # keys of the API, webhooks
    AUDIT = "audit"


class Role(StrEnum):
    """What a person is at the clinic. Stored; never rename a value."""

    ADMINISTRATOR = "administrator"
    COORDINATOR = "coordinator"
    APPROVER = "approver"
    TRANSLATOR = "translator"
    VIEWER = "viewer"


P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    # Everything but the clinician's word: who runs the service does not approve what it says.
    Role.ADMINISTRATOR: frozenset(P) - {P.APPROVE},
    Role.COORDINATOR: frozenset({P.SEE, P.PATIENTS, P.ENROL, P.ANSWER, P.DELIVERY, P.REPORTS}),
    Role.APPROVER: frozenset({P.SEE, P.PATIENTS, P.ANSWER, P.REPORTS, P.TRANSLATE, P.APPROVE}),
    Role.TRANSLATOR: frozenset({P.SEE, P.TRANSLATE}),
    Role.VIEWER: frozenset({P.SEE, P.PATIENTS, P.REPORTS}),
}


def may(role: Role, permission: Permission) -> bool:
    return permission in GRANTS[role]


class Scope(StrEnum):
    """What a key of the API may do in its clinic. Stored in keys; never rename a value."""

    PATIENTS_READ = "patients:read"
    PATIENTS_WRITE = "patients:write"
    CONSENTS_WRITE = "consents:write"
    VISITS_WRITE = "visits:write"
    MESSAGES_READ = "messages:read"
    INBOUND_READ = "inbound:read"
    SEQUENCES_READ = "sequences:read"
    APPROVALS_WRITE = "approvals:write"
    WEBHOOKS_WRITE = "webhooks:write"
