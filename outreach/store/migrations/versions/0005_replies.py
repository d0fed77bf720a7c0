"""Replies: what is urgent, who is on call, what the carrier answers itself, and which law a clinic writes under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    ("clinic", "law", sa.String(10), "'us'"),
    ("clinic", "carrier_answers", sa.String(12), "'none'"),
    ("clinic", "join_open", sa.Boolean(), "false"),
    ("inbound", "urgent", postgresql.ARRAY(sa.String(20)), "'{}'"),
    ("inbound", "wish", sa.String(10), "''"),
    ("inbound", "robot", sa.Boolean(), "false"),
)


def upgrade() -> None:
    for table, name, kind, before in COLUMNS:
        # A value for the rows that are there; what is written from now on says its own.
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.text(before)))
        op.alter_column(table, name, server_default=None)
    op.add_column("staff", sa.Column("on_call", sa.Integer(), nullable=True))
    op.add_column("inbound", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("inbound", sa.Column("read_by", sa.Uuid(), nullable=True))
    op.create_index("infusion_by_day", "infusion", ["clinic_id", "starts"])
    op.create_index("inbound_of_patient", "inbound", ["patient_id", "received_at"])


def downgrade() -> None:
    op.drop_index("inbound_of_patient", table_name="inbound")
    op.drop_index("infusion_by_day", table_name="infusion")
    for table, name in (("inbound", "read_by"), ("inbound", "read_at"), ("staff", "on_call")):
        op.drop_column(table, name)
    for table, name, _, _ in COLUMNS:
        op.drop_column(table, name)
