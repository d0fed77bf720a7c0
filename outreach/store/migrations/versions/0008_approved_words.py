"""Approved words: what was said for ever, each clinic's decisions, its own instructions by topic and language."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "said",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("locale", sa.String(20), nullable=False),
        sa.Column("key", sa.String(60), nullable=False),
        sa.Column("units", postgresql.JSONB(), nullable=False),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("said_id", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("reviewer_role", sa.Text(), nullable=False),
        sa.Column("basis", sa.String(10), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("basis in ('named', 'demo')", name="approval_basis"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.ForeignKeyConstraint(["said_id"], ["said.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("seq"),
    )
    op.create_index("approval_of_clinic", "approval", ["clinic_id", "said_id", "seq"])
    for table in ("said", "approval"):
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each statement execute function refuse_rewrite()"
        )
    op.create_table(
        "instruction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(30), nullable=False),
        sa.Column("locale", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("clinic_id", "topic", "locale", name="instruction_once"),
    )
    op.execute(
        "insert into instruction (id, clinic_id, topic, locale, text, changed_at) "
        "select gen_random_uuid(), id, 'arrival', locale, instructions, now() from clinic where instructions <> ''"
    )
    op.drop_column("clinic", "instructions")
    _add("clinic", sa.Column("unapproved", sa.String(10), nullable=False, server_default=sa.text("'default'")))
    _add("clinic", sa.Column("words_version", sa.Integer(), nullable=False, server_default=sa.text("0")))
    # No foreign key: it would be checked for each message sent, and what was said is never deleted.
    op.add_column("message", sa.Column("said_id", sa.Integer(), nullable=True))


def _add(table: str, column: sa.Column[object]) -> None:
    """A column for the rows that are there; what is written from now on says its own value."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def downgrade() -> None:
    op.drop_column("message", "said_id")
    op.drop_column("clinic", "words_version")
    op.drop_column("clinic", "unapproved")
    op.add_column("clinic", sa.Column("instructions", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute(
        "update clinic c set instructions = i.text from instruction i "
        "where i.clinic_id = c.id and i.locale = c.locale and i.topic = 'arrival'"
    )
    for table in ("instruction", "approval", "said"):
        op.drop_table(table)
