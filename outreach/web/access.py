"""The table of doors: every route of the application and who may pass. A route that is not here opens for nobody."""

from __future__ import annotations

from enum import Enum

from outreach.domain.access import TO_GRANT, Permission, Role, Scope, may
from outreach.errors import NotAllowed


class Anyone(Enum):
    """Doors without a role. PUBLIC: nobody signs in (a link, a signature or nothing is enough). SIGNED: any staff."""

    PUBLIC = "public"
    SIGNED = "signed"


Who = Permission | Scope | Anyone
PUBLIC, SIGNED = Anyone.PUBLIC, Anyone.SIGNED
P, S = Permission, Scope

DOORS: dict[tuple[str, str], Who] = {
    # Everybody's
    ("GET", "/"): PUBLIC,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("GET", "/sign-in/code"): PUBLIC,
    ("POST", "/sign-in/code"): PUBLIC,
    ("GET", "/invite/{token}"): PUBLIC,
    ("POST", "/invite/{token}"): PUBLIC,
    # The carriers', who sign
    ("POST", "/hooks/twilio/inbound"): PUBLIC,
    ("POST", "/hooks/twilio/status/{attempt_id}"): PUBLIC,
    # The patients', by unguessable links
    ("GET", "/p/{token}"): PUBLIC,
    ("GET", "/p/{token}/privacy"): PUBLIC,
    ("GET", "/p/{token}/visit.ics"): PUBLIC,
    ("GET", "/p/{token}/preferences"): PUBLIC,
    ("POST", "/p/{token}/preferences"): PUBLIC,
    ("POST", "/p/{token}/agree"): PUBLIC,
    ("POST", "/p/{token}/answer"): PUBLIC,
    ("GET", "/p/{rest:path}"): PUBLIC,
    ("GET", "/u/{rest:path}"): PUBLIC,
    ("POST", "/p/{token}/stop"): PUBLIC,
    ("GET", "/u/{token}"): PUBLIC,
    ("GET", "/join/{slug}"): PUBLIC,
    ("POST", "/join/{slug}"): PUBLIC,
    ("POST", "/u/{token}"): PUBLIC,
    # Staff's
    ("POST", "/sign-out"): SIGNED,
    ("GET", "/account"): SIGNED,
    ("POST", "/account"): SIGNED,
    ("POST", "/account/password"): SIGNED,
    ("POST", "/account/codes"): SIGNED,
    ("GET", "/staff"): P.STAFF,
    ("POST", "/staff"): P.STAFF,
    ("POST", "/staff/{staff_id}"): P.STAFF,
    ("POST", "/staff/{staff_id}/invite"): P.STAFF,
    ("GET", "/settings"): P.SETTINGS,
    ("POST", "/settings"): P.SETTINGS,
    ("GET", "/join-poster"): P.SEE,
    ("GET", "/audit"): P.AUDIT,
    ("GET", "/styleguide"): SIGNED,
    ("GET", "/styleguide.css"): SIGNED,
    ("GET", "/today"): P.PATIENTS,
    ("GET", "/today/messages"): P.PATIENTS,
    ("GET", "/patients"): P.PATIENTS,
    ("POST", "/patients"): P.PATIENTS,
    ("GET", "/patients/{patient_id}"): P.PATIENTS,
    ("GET", "/patients/new"): P.ENROL,
    ("POST", "/patients/new"): P.ENROL,
    ("POST", "/patients/{patient_id}/notes"): P.ENROL,
    ("POST", "/patients/{patient_id}/agreement"): P.ENROL,
    ("POST", "/patients/{patient_id}/stop"): P.ENROL,
    ("POST", "/patients/{patient_id}/restore"): P.ENROL,
    ("GET", "/patients/{patient_id}/consent.html"): P.PATIENTS,
    ("GET", "/patients/{patient_id}/edit"): P.ENROL,
    ("POST", "/patients/{patient_id}/edit"): P.ENROL,
    ("GET", "/patients/{patient_id}/visits"): P.ENROL,
    ("POST", "/patients/{patient_id}/visits"): P.ENROL,
    ("GET", "/visits/{visit_id}"): P.ENROL,
    ("POST", "/visits/{visit_id}/move"): P.ENROL,
    ("POST", "/visits/{visit_id}/cancel"): P.ENROL,
    ("GET", "/inbox"): P.ANSWER,
    ("GET", "/inbox/{task_id}"): P.ANSWER,
    ("POST", "/inbox/{task_id}/take"): P.ANSWER,
    ("POST", "/inbox/{task_id}/give-back"): P.ANSWER,
    ("POST", "/inbox/{task_id}/close"): P.ANSWER,
    ("GET", "/inbox/patients/{patient_id}"): P.ANSWER,
    ("POST", "/inbox/patients/{patient_id}/answer"): P.ANSWER,
    ("POST", "/inbox/patients/{patient_id}/count"): P.ANSWER,
    ("POST", "/inbox/patients/{patient_id}/notes"): P.ANSWER,
    ("POST", "/inbox/patients/{patient_id}/read"): P.ANSWER,
    ("GET", "/inbox/numbers/{inbound_id}"): P.ANSWER,
    ("POST", "/inbox/numbers/{inbound_id}/read"): P.ANSWER,
    ("GET", "/on-call"): P.SETTINGS,
    ("POST", "/on-call"): P.SETTINGS,
    ("GET", "/imports"): P.ENROL,
    ("POST", "/imports"): P.ENROL,
    ("GET", "/imports/example.csv"): P.ENROL,
    ("GET", "/imports/{upload_id}"): P.ENROL,
    ("GET", "/imports/{upload_id}/columns"): P.ENROL,
    ("POST", "/imports/{upload_id}/columns"): P.ENROL,
    ("POST", "/imports/{upload_id}/load"): P.ENROL,
    ("POST", "/imports/{upload_id}/drop"): P.ENROL,
    ("GET", "/imports/{upload_id}/errors.csv"): P.ENROL,
    ("GET", "/imports/{upload_id}/undo"): P.ENROL,
    ("POST", "/imports/{upload_id}/undo"): P.ENROL,
    ("GET", "/doubts"): P.DELIVERY,
    ("POST", "/doubts/{message_id}"): P.DELIVERY,
    ("GET", "/held"): P.DELIVERY,
    ("POST", "/held"): P.DELIVERY,
    ("POST", "/held/{pause_id}/resume"): P.DELIVERY,
    ("POST", "/held/alerts/{alert_id}"): P.DELIVERY,
    ("GET", "/senders"): P.DELIVERY,
    ("GET", "/delivery"): P.REPORTS,
    ("GET", "/delivery.csv"): P.REPORTS,
    ("GET", "/delivery.xlsx"): P.REPORTS,
    ("GET", "/languages"): P.SEE,
    ("GET", "/languages/{locale}"): P.SEE,
    ("POST", "/languages/{locale}"): P.APPROVE,
    ("GET", "/languages/{locale}/{key}"): P.SEE,
    ("POST", "/languages/{locale}/{key}"): P.APPROVE,
    ("POST", "/languages/{locale}/{key}/withdraw"): P.APPROVE,
    ("GET", "/said/{message_id}"): P.PATIENTS,
    ("GET", "/instructions"): P.SEE,
    ("POST", "/instructions"): P.TRANSLATE,
    ("POST", "/instructions/approve"): P.APPROVE,
    ("GET", "/translate"): P.TRANSLATE,
    ("GET", "/translate/{locale}"): P.TRANSLATE,
    ("GET", "/translate/{locale}/{key}"): P.TRANSLATE,
    ("POST", "/translate/{locale}/{key}"): P.TRANSLATE,
    ("POST", "/translate/{locale}/{key}/preview"): P.TRANSLATE,
    ("GET", "/translate/{locale}/{key}/email.html"): P.TRANSLATE,
    ("GET", "/translate/{locale}/{key}/page.html"): P.TRANSLATE,
    ("GET", "/sequences"): P.SEE,
    ("GET", "/sequences/{name}"): P.SEE,
    ("GET", "/sequences/{name}/course"): P.SEE,
    ("GET", "/sequences/{name}/test"): P.SEE,
    ("POST", "/sequences/{name}/test"): P.SEE,
    ("GET", "/sequences/{name}/change"): P.SEQUENCES,
    ("POST", "/sequences/{name}/change"): P.SEQUENCES,
    ("GET", "/keys"): P.KEYS,
    ("POST", "/keys"): P.KEYS,
    ("POST", "/keys/{key_id}/revoke"): P.KEYS,
    ("GET", "/webhooks"): P.DOORS,
    ("POST", "/webhooks"): P.DOORS,
    ("GET", "/webhooks/{webhook_id}"): P.DOORS,
    ("POST", "/webhooks/{webhook_id}/switch"): P.DOORS,
    ("POST", "/webhooks/{webhook_id}/try"): P.DOORS,
    ("POST", "/webhooks/{webhook_id}/replay"): P.DOORS,
    ("POST", "/webhooks/{webhook_id}/remove"): P.DOORS,
    ("POST", "/webhooks/{webhook_id}/calls/{call_id}/replay"): P.DOORS,
    # Other software's, by key
    ("GET", "/api/v1/openapi.json"): PUBLIC,
    ("GET", "/api/v1/me"): SIGNED,
    ("GET", "/api/v1/patients"): S.PATIENTS_READ,
    ("POST", "/api/v1/patients"): S.PATIENTS_WRITE,
    ("POST", "/api/v1/patients/search"): S.PATIENTS_READ,
    ("GET", "/api/v1/patients/{patient_id}"): S.PATIENTS_READ,
    ("PATCH", "/api/v1/patients/{patient_id}"): S.PATIENTS_WRITE,
    ("GET", "/api/v1/patients/{patient_id}/addresses"): S.PATIENTS_READ,
    ("PUT", "/api/v1/patients/{patient_id}/addresses/{channel}"): S.PATIENTS_WRITE,
    ("GET", "/api/v1/patients/{patient_id}/consents"): S.PATIENTS_READ,
    ("GET", "/api/v1/patients/{patient_id}/consents/export"): S.PATIENTS_READ,
    ("POST", "/api/v1/patients/{patient_id}/consents"): S.CONSENTS_WRITE,
    ("POST", "/api/v1/patients/{patient_id}/consents/revoke"): S.CONSENTS_WRITE,
    ("GET", "/api/v1/patients/{patient_id}/courses"): S.PATIENTS_READ,
    ("GET", "/api/v1/patients/{patient_id}/enrolments"): S.PATIENTS_READ,
    ("POST", "/api/v1/enrolments/{enrolment_id}/end"): S.VISITS_WRITE,
    ("GET", "/api/v1/courses/{course_id}/infusions"): S.PATIENTS_READ,
    ("POST", "/api/v1/patients/{patient_id}/infusions"): S.VISITS_WRITE,
    ("GET", "/api/v1/infusions/{infusion_id}"): S.PATIENTS_READ,
    ("PATCH", "/api/v1/infusions/{infusion_id}"): S.VISITS_WRITE,
    ("POST", "/api/v1/infusions/{infusion_id}/cancel"): S.VISITS_WRITE,
    ("POST", "/api/v1/infusions/{infusion_id}/preview"): S.VISITS_WRITE,
    ("GET", "/api/v1/messages"): S.MESSAGES_READ,
    ("GET", "/api/v1/messages/{message_id}"): S.MESSAGES_READ,
    ("GET", "/api/v1/messages/{message_id}/words"): S.MESSAGES_READ,
    ("GET", "/api/v1/messages/{message_id}/events"): S.MESSAGES_READ,
    ("GET", "/api/v1/inbound"): S.INBOUND_READ,
    ("GET", "/api/v1/tasks"): S.INBOUND_READ,
    ("POST", "/api/v1/plan"): S.SEQUENCES_READ,
    ("GET", "/api/v1/sequences"): S.SEQUENCES_READ,
    ("GET", "/api/v1/sequences/{name}"): S.SEQUENCES_READ,
    ("GET", "/api/v1/languages"): S.SEQUENCES_READ,
    ("GET", "/api/v1/approvals"): S.SEQUENCES_READ,
    ("GET", "/api/v1/approvals/{locale}/{text}"): S.SEQUENCES_READ,
    ("POST", "/api/v1/approvals"): S.APPROVALS_WRITE,
    ("POST", "/api/v1/approvals/withdraw"): S.APPROVALS_WRITE,
    ("GET", "/api/v1/webhooks"): S.WEBHOOKS_WRITE,
    ("POST", "/api/v1/webhooks"): S.WEBHOOKS_WRITE,
    ("GET", "/api/v1/webhooks/{webhook_id}"): S.WEBHOOKS_WRITE,
    ("PATCH", "/api/v1/webhooks/{webhook_id}"): S.WEBHOOKS_WRITE,
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): S.WEBHOOKS_WRITE,
    ("GET", "/api/v1/webhooks/{webhook_id}/calls"): S.WEBHOOKS_WRITE,
    ("POST", "/api/v1/webhooks/{webhook_id}/calls/{call_id}/replay"): S.WEBHOOKS_WRITE,
}


def who_may(method: str, path: str) -> Who:
    """What the door of this route asks for. NotAllowed for a route that the table does not know: closed, not open."""
    found = DOORS.get((("GET" if method == "HEAD" else method), path))
    if found is None:
        raise NotAllowed("This page is not in the table of doors, so nobody may see it.")
    return found


def staff_may(role: Role, method: str, path: str) -> bool:
    """Whether a signed-in person of this role may pass."""
    needed = who_may(method, path)
    return needed in (PUBLIC, SIGNED) or (isinstance(needed, Permission) and may(role, needed))


WHO = {PUBLIC: "nobody signs in", SIGNED: "whoever is signed in"}


def table() -> str:
    """The doors as a page of Markdown: every route with the roles, or the scope of a key, that it opens for."""
    staff = [(door, who) for door, who in DOORS.items() if isinstance(who, Permission)]
    roles, bars = " | ".join(role.value for role in Role) + " |", ":-: | " * (len(Role) - 1) + ":-: |"
    lines = [
        "# Who may do what",
        "",
        "Written by `outreach access --write` from `outreach/web/access.py` and `outreach/domain/access.py`; a test",
        "holds it against the running application. A route that is not here opens for nobody.",
        "",
        "## Roles",
        "",
        f"| may | {roles}",
        f"| --- | {bars}",
        *(f"| {one.value} | {_marks(one)}" for one in Permission),
        "",
        "## Pages of the console",
        "",
        f"| route | asks for | {roles}",
        f"| --- | --- | {bars}",
        *(f"| `{method} {path}` | {who.value} | {_marks(who)}" for (method, path), who in staff),
        "",
        "## Doors without a role",
        "",
        "| route | opens for |",
        "| --- | --- |",
        *(
            f"| `{method} {path}` | {'any key' if (who, path[:5]) == (SIGNED, '/api/') else WHO[who]} |"
            for (method, path), who in DOORS.items()
            if isinstance(who, Anyone)
        ),
        "",
    ]
    keys = [f"| `{method} {path}` | {who.value} |" for (method, path), who in DOORS.items() if isinstance(who, Scope)]
    made = [f"| {one.value} | {_marks(TO_GRANT[one])}" for one in Scope]
    made = ["## Who makes a key", "", "Administrators revoke every key; approvers those that may approve.", "",
            f"| with | {roles}", f"| --- | {bars}", *made, ""]  # fmt: skip
    return "\n".join([*lines, *made, "## API", "", "| call | a key with |", "| --- | --- |", *keys, ""])


def _marks(permission: Permission) -> str:
    return " | ".join("yes" if may(role, permission) else "" for role in Role) + " |"
