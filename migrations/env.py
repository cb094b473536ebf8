"""How Alembic runs a migration: on the connection that service.storage.schema has opened and will commit."""

from alembic import context

from service.storage.tables import Experiment

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Experiment.metadata,  # importing one table has registered all
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
