"""The exact words of a message stand with the hand-over they went out with, and not in the row that is written anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SEALED = ("subject_sealed", "body_sealed")
# What was said is bound to its message's id by its seal, and opens there as it did here.
OVER = """update attempt set subject_sealed = message.subject_sealed, body_sealed = message.body_sealed
from message where attempt.message_id = message.id and attempt.number = message.attempts
  and message.body_sealed is not null"""
BACK = """update message set subject_sealed = attempt.subject_sealed, body_sealed = attempt.body_sealed
from attempt where attempt.message_id = message.id and attempt.number = message.attempts
  and attempt.body_sealed is not null"""


def upgrade() -> None:
    for name in SEALED:
        op.add_column("attempt", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.execute(OVER)
    for name in SEALED:
        op.drop_column("message", name)


def downgrade() -> None:
    for name in SEALED:
        op.add_column("message", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.execute(BACK)
    for name in SEALED:
        op.drop_column("attempt", name)
