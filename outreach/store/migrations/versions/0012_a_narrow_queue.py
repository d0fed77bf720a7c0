"""What waits stands in a narrow table of its own, and words with their hand-over: a message's row is written in place.

Triggers keep `queued` beside `message`, whoever writes: what is scheduled and not queued would never be sent. Only what a
claim begins is taken out by the claim itself, all at once.
"""

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

OPEN = "status in ('scheduled', 'sending', 'unknown', 'accepted', 'sent')"
WAS_OPEN = "status in ('sending', 'unknown', 'accepted', 'sent')"
COLUMNS = "message_id, clinic_id, patient_id, channel, urgent, due_at"
FUNCTIONS = f"""
create function queue_planned() returns trigger language plpgsql as $$
begin
  insert into queued ({COLUMNS})
  select id, clinic_id, patient_id, channel, urgent, due_at from planned where status = 'scheduled';
  return null;
end $$;
create function queue_changed() returns trigger language plpgsql as $$
begin
  if new.status = 'scheduled' then
    insert into queued ({COLUMNS})
    values (new.id, new.clinic_id, new.patient_id, new.channel, new.urgent, new.due_at)
    on conflict (message_id) do update set channel = excluded.channel, urgent = excluded.urgent, due_at = excluded.due_at;
  else
    delete from queued where message_id = new.id;
  end if;
  return null;
end $$;
create function queue_left() returns trigger language plpgsql as $$
begin
  delete from queued where message_id = old.id;
  return null;
end $$;
create trigger message_planned after insert on message referencing new table as planned
  for each statement execute function queue_planned();
create trigger message_changed after update on message for each row
  when ((old.status = 'scheduled' or new.status = 'scheduled') and new.status <> 'sending'
    and (old.status, old.channel, old.urgent, old.due_at) is distinct from
      (new.status, new.channel, new.urgent, new.due_at))
  execute function queue_changed();
create trigger message_left after delete on message for each row
  when (old.status = 'scheduled') execute function queue_left();
"""


def upgrade() -> None:
    for name in SEALED:
        op.add_column("attempt", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.execute(OVER)
    op.drop_index("message_turn", table_name="message")
    op.drop_index("message_open", table_name="message")
    op.drop_index("message_doubt", table_name="message")
    for name in (*SEALED, "waiting", "open"):
        op.drop_column("message", name)
    op.execute("alter table message set (fillfactor = 50)")
    op.execute(f"alter table message add column open boolean not null generated always as ({OPEN}) stored")
    op.create_index("message_open", "message", ["due_at"], postgresql_where=sa.text("open"))
    # Not by the lease, which every claim writes: a column that any index names keeps a row from being written in place.
    op.create_index("message_doubt", "message", ["due_at"], postgresql_where=sa.text("doubtful"))
    op.create_table(
        "queued",
        sa.Column("message_id", sa.Uuid(), primary_key=True),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(
        f"insert into queued ({COLUMNS}) select id, clinic_id, patient_id, channel, urgent, due_at from message "
        "where status = 'scheduled'"
    )
    op.create_index("queued_turn", "queued", ["clinic_id", "channel", "urgent", "due_at", "message_id"])
    # Rows come and go all day: the default (a fifth of the table) would let it bloat.
    op.execute("alter table queued set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000)")
    op.execute(FUNCTIONS)


def downgrade() -> None:
    for name in ("planned", "changed", "left"):
        op.execute(f"drop trigger message_{name} on message")
        op.execute(f"drop function queue_{name}()")
    op.drop_table("queued")
    op.drop_index("message_open", table_name="message")
    op.drop_index("message_doubt", table_name="message")
    op.drop_column("message", "open")
    op.execute("alter table message set (fillfactor = 60)")
    for name in SEALED:
        op.add_column("message", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.execute(
        f"alter table message add column open boolean not null generated always as ({WAS_OPEN}) stored, "
        "add column waiting boolean not null generated always as (status = 'scheduled') stored"
    )
    op.execute(BACK)
    op.create_index("message_open", "message", ["due_at"], postgresql_where=sa.text("open"))
    op.create_index("message_doubt", "message", ["lease_until"], postgresql_where=sa.text("doubtful"))
    op.create_index(
        "message_turn", "message", ["clinic_id", "channel", "urgent", "due_at", "id"],
        postgresql_where=sa.text("waiting"),
    )  # fmt: skip
    for name in SEALED:
        op.drop_column("attempt", name)
