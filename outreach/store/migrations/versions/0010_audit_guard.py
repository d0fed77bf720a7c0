"""Ledgers cannot be emptied either: TRUNCATE passes by the guards against UPDATE and DELETE, so it has one of its own."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LEDGERS = ("audit", "consent_event", "event", "said", "approval")


def upgrade() -> None:
    for table in LEDGERS:
        op.execute(
            f"create trigger {table}_never_emptied before truncate on {table} "
            "for each statement execute function refuse_rewrite()"
        )


def downgrade() -> None:
    for table in LEDGERS:
        op.execute(f"drop trigger {table}_never_emptied on {table}")
