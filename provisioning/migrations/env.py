"""What Alembic runs for each upgrade: on the connection, and in the transaction, it was given."""

from alembic import context

from provisioning.migrations.models import METADATA, is_ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_name=is_ours,
    # The caller's transaction holds the lock; SQLite, too, can undo a half-made schema.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
