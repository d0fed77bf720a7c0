"""An address a carrier says is dead is kept, with its ledger and its STOP, and nothing more is sent to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("address", sa.Column("unusable_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("address", "unusable_at")
