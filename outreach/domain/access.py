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
    KEYS = "keys"  # of the API, with what their maker may hand on: `grantable`
    DOORS = "doors"  # webhooks, and keys for all but approving
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
    Role.APPROVER: frozenset({P.SEE, P.PATIENTS, P.ANSWER, P.REPORTS, P.TRANSLATE, P.APPROVE, P.KEYS}),
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


TO_GRANT: dict[Scope, Permission] = dict.fromkeys(Scope, P.DOORS) | {
    Scope.APPROVALS_WRITE: P.APPROVE,
    Scope.SEQUENCES_READ: P.KEYS,  # who approves must read the words first
}
"""What somebody must be allowed who makes a key with such a scope.

A program that approves speaks with a clinician's word: whoever runs the service can no more give it than say it.
"""


def grantable(role: Role) -> tuple[Scope, ...]:
    """What a key that this role makes may do."""
    return tuple(scope for scope in Scope if may(role, TO_GRANT[scope]))


def may_revoke(role: Role, scopes: frozenset[Scope]) -> bool:
    """Administrators end every key; who approves, those that approve."""
    return may(role, P.DOORS) or (may(role, P.APPROVE) and Scope.APPROVALS_WRITE in scopes)
