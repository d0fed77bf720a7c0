"""The delivery engine: senders with limits, lanes, attempts that are never changed, brakes and alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _senders()
    _clinic()
    _messages()
    _attempts_and_events()
    _brakes()


def _senders() -> None:
    op.create_table(
        "sender",
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("burst", sa.Float(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("weight > 0 and burst > 0 and (per_second is null or per_second > 0)", name="sender_limits"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("clinic_id", "channel", "address", name="sender_of_clinic_once"),
    )
    op.create_index("sender_sms_once", "sender", ["address"], unique=True, postgresql_where=sa.text("channel = 'sms'"))
    for channel, carrier in (("sms", "twilio"), ("email", "smtp")):
        op.execute(
            f"""insert into sender (id, clinic_id, channel, address, carrier, weight, burst, active)
            select gen_random_uuid(), id, '{channel}', {channel}_sender, '{carrier}', 1, 1, true
            from clinic where {channel}_sender <> ''"""
        )


def _clinic() -> None:
    op.drop_index("clinic_sms_sender_once", table_name="clinic")
    op.drop_column("clinic", "sms_sender")
    op.drop_column("clinic", "email_sender")
    _add("clinic", sa.Column("most_a_day", sa.Integer(), nullable=False, server_default="4"))
    _add("clinic", sa.Column("most_a_week", sa.Integer(), nullable=False, server_default="14"))


def _messages() -> None:
    _add("message", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("message_due", table_name="message")
    op.create_index(
        "message_turn",
        "message",
        ["clinic_id", "channel", "urgent", "due_at", "id"],
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    # Links are the message's id enciphered: nothing of them needs to be stored, or kept in an index.
    op.drop_column("message", "link_hash")


def _attempts_and_events() -> None:
    for table, keys in (
        ("attempt", ("clinic_id_message_id", "clinic_id")),
        ("event", ("clinic_id_message_id", "clinic_id")),
    ):
        for key in keys:
            op.drop_constraint(f"{table}_{key}_fkey", table, type_="foreignkey")
    op.drop_constraint("message_of_clinic", "message", type_="unique")
    for column in ("ended_at", "outcome", "carrier_id", "reason", "code"):  # told by events
        op.drop_column("attempt", column)
    op.add_column("attempt", sa.Column("sender_id", sa.Uuid(), nullable=True))


def _brakes() -> None:
    op.create_table(
        "pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=True),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    _once("pause_once", "pause", ["clinic_id", "scope", "key"], "lifted_at is null")
    op.create_table(
        "strike",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("clinic_id", "scope", "key"),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    _once("alert_once", "alert", ["clinic_id", "kind", "key"], "cleared_at is null")


def _add(table: str, column: sa.Column[object]) -> None:
    """A column for the rows that are there; what is written from now on says its own value."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def _once(name: str, table: str, columns: list[str], where: str) -> None:
    """While it lasts there is one; an operator's row, without a clinic, too."""
    op.create_index(
        name, table, columns, unique=True, postgresql_where=sa.text(where), postgresql_nulls_not_distinct=True
    )


def downgrade() -> None:
    """Only far enough for a test of an empty database: what 0002 dropped is not brought back with its data."""
    for table in ("alert", "strike", "pause", "sender"):
        op.drop_table(table)
