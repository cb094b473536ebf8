"""Run a migration on the connection that `service.storage.migrate` has opened and will commit.

That module also hands over the metadata of all tables, so that nothing of ours is imported here.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
