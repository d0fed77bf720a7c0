"""The list of patients leaves out who is inactive; who was taken back with a list has no number of the clinic's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "patient_current", "patient", ["clinic_id", "created_at", "id"],
        postgresql_where=sa.text("active and not test"),
    )  # fmt: skip
    op.create_index("patient_gone", "patient", ["clinic_id", "id"], postgresql_where=sa.text("not active"))
    op.execute("update patient set external_sealed = null where not active and external_index is null")
    op.execute(
        "update course set label = 'taken back' from patient where patient.id = course.patient_id and not patient.active "
        "and course.status = 'ended' and patient.search = '{}'"
    )


def downgrade() -> None:
    op.drop_index("patient_gone", table_name="patient")
    op.drop_index("patient_current", table_name="patient")
