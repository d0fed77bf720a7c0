"""Statuses leave the indexes, so that an answer is written into none; claims keep a list of what they hold.

Stop the workers before it: what an older one claims stands in no list.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OPEN = (
    "(ARRAY['sending'::character varying, 'unknown'::character varying, 'accepted'::character varying, "
    "'sent'::character varying])::text[]"
)
FLAGS = {
    "waiting": "((status)::text = 'scheduled'::text)",
    "open": f"((status)::text = ANY ({OPEN}))",
    "doubtful": "((status)::text = 'unknown'::text)",
    "withdrawn": "((status)::text = 'cancelled'::text)",
}
REMADE = ("message_once_per_infusion", "message_once_per_course", "message_turn", "message_open")


def upgrade() -> None:
    flags = ", ".join(
        f"add column {name} boolean not null generated always as {how} stored" for name, how in FLAGS.items()
    )
    op.execute("alter table message set (fillfactor = 60)")
    op.execute(f"alter table message {flags}")  # one pass, which also leaves the room
    for name in (*REMADE, "message_lease"):
        op.drop_index(name, table_name="message")
    _once("not withdrawn")
    _index("message_turn", ["clinic_id", "channel", "urgent", "due_at", "id"], "waiting")
    _index("message_open", ["due_at"], "open")
    _index("message_doubt", ["lease_until"], "doubtful")
    op.create_table(
        "flight",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("flight_over", "flight", ["lease_until"], unique=False)
    op.execute(
        "insert into flight (lease_until, messages) select coalesce(lease_until, now()), array[id] from message "
        "where status = 'sending'"
    )


def downgrade() -> None:
    op.drop_table("flight")
    for name in (*REMADE, "message_doubt"):
        op.drop_index(name, table_name="message")
    _once("status <> 'cancelled'")
    _index("message_turn", ["clinic_id", "channel", "urgent", "due_at", "id"], "status = 'scheduled'")
    _index("message_lease", ["lease_until"], "status = 'sending'")
    _index("message_open", ["sent_at"], "status in ('accepted', 'sent', 'unknown')")
    for name in FLAGS:
        op.drop_column("message", name)
    op.execute("alter table message reset (fillfactor)")


def _once(standing: str) -> None:
    step = ["step", "channel"]
    _index("message_once_per_infusion", ["infusion_id", *step, "revision"], f"infusion_id is not null and {standing}",
           unique=True)  # fmt: skip
    _index("message_once_per_course", ["course_id", *step],
           f"infusion_id is null and occasion is null and {standing}", unique=True)  # fmt: skip


def _index(name: str, columns: list[str], where: str, unique: bool = False) -> None:
    op.create_index(name, "message", columns, unique=unique, postgresql_where=sa.text(where))
