"""Alembic's entrance: runs on the connection that migrate.upgrade() hands over."""

from alembic import context

from outreach.store import brakes, doors, intake, office, tallies, traffic, wordings  # noqa: F401  every table must be known to the metadata
from outreach.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
