"""Consent: what each event of the ledger speaks for and rests on; and what is counted of the public page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("scope", "basis"):
        # The ledger is append-only: rows that are there say "", which is read as "not written down then".
        column = sa.Column(name, sa.String(20), nullable=False, server_default=sa.text("''"))
        op.add_column("consent_event", column)
    op.create_table(
        "join_try",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("join_try_key", "join_try", ["clinic_id", "key", "at"])
    op.create_index("join_try_at", "join_try", ["at"])


def downgrade() -> None:
    op.drop_table("join_try")
    for name in ("basis", "scope"):
        op.drop_column("consent_event", name)
