"""Indexes for pages of a clinic that has written for years: the inbox, the audit, a patient's consent, languages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("patient_reads", "patient", ["clinic_id", "locale"], "active and not test"),
    ("consent_event_of_patient", "consent_event", ["patient_id", "seq"], None),
    ("consent_event_taken", "consent_event", ["address_id"],
     "kind in ('opted_out', 'revoked_by_staff', 'revoked_by_carrier', 'address_changed')"),
    ("inbound_of_number", "inbound", ["clinic_id", "sender_index", "received_at"], "patient_id is null"),
    ("inbound_unread", "inbound", ["clinic_id", "received_at"],
     "read_at is null and (needs_person or patient_id is null)"),
    ("audit_of_day", "audit", ["clinic_id", "at"], None),
    ("audit_of_actor", "audit", ["clinic_id", "actor_kind", "seq"], None),
    ("audit_of_staff", "audit", ["clinic_id", "actor_id", "seq"], None),
)  # fmt: skip


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
