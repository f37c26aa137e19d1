"""When data sets are scanned without being asked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("dataset", sa.Column("schedule", sa.Text(), nullable=False, server_default=""))
    op.add_column("dataset", sa.Column("due", sa.Double(), nullable=True))
    op.create_index("ix_dataset_due", "dataset", ["due"])
