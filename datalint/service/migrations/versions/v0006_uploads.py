"""Scans of data that was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("scan", sa.Column("upload", sa.String(length=250), nullable=True))
    op.create_index("ix_scan_upload", "scan", ["upload"])
