"""Alembic runs this to migrate the connection that it is handed."""

from alembic import context

from datalint.service.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
