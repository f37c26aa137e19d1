"""The index by which the data sets are counted in which each rule fires."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the schema here."""
    op.drop_index("finding_by_code", table_name="finding")
    op.create_index("finding_fires", "finding", ["code", "present", "folded", "dataset_id"])
