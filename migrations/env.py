"""How Alembic runs a migration: on the connection that service.storage.schema has opened and will commit."""

from alembic import context

from service.storage.activation_tables import RegisteredActivation
from service.storage.diagnostic_tables import Layer
from service.storage.tables import Experiment

TABLES = (Experiment, Layer, RegisteredActivation)  # importing one of a module registers all of it
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES[0].metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
