"""Where a patient stands with consent is kept beside the ledger, so that no list asks the ledgers of thousands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# domain.consent as SQL tells it, once, for what was written before.
AGREES = """exists (
  select from consent_event given where given.address_id = address.id and given.purpose = 'care'
    and (given.kind = 'agreed' or (given.kind = 'restored' and exists (
      select from consent_event first
      where first.address_id = address.id and first.kind = 'agreed' and first.seq < given.seq and not exists (
        select from consent_event over
        where over.address_id = address.id and over.seq > first.seq
          and (over.kind in ('revoked_by_staff', 'address_changed') or (over.kind = 'revoked_by_carrier'
            and over.method <> 'unsubscribed_at_carrier'))))))
    and not exists (
      select from consent_event taken
      where taken.address_id = address.id and (taken.seq > given.seq or taken.at >= given.at)
        and taken.kind in ('opted_out', 'revoked_by_staff', 'revoked_by_carrier', 'address_changed')))"""
BACKFILL = f"""
update patient set standing = known.standing from (
  select address.patient_id, case when bool_or({AGREES}) then 'agreed' else 'refused' end as standing
  from address where address.active and ({AGREES} or exists (
    select from consent_event taken where taken.address_id = address.id
      and taken.kind in ('opted_out', 'revoked_by_staff', 'revoked_by_carrier')))
  group by address.patient_id
) as known
where known.patient_id = patient.id"""


def upgrade() -> None:
    op.add_column("patient", sa.Column("standing", sa.String(10), nullable=False, server_default="open"))
    op.execute(BACKFILL)
    op.create_index(
        "patient_stands", "patient", ["clinic_id", "standing", "created_at", "id"],
        postgresql_where=sa.text("active and not test"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("patient_stands", table_name="patient")
    op.drop_column("patient", "standing")
