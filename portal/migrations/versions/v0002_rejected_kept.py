"""What is refused is kept whole; a site knows how many spools its gateway has had before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("rejected", sa.Column("record_id", sa.String(length=36), nullable=True))
    op.add_column("rejected", sa.Column("body", sa.LargeBinary(), nullable=True))
    op.create_index("ix_rejected_record_id", "rejected", ["record_id"])
    op.add_column("sites", sa.Column("spools_before", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("sites", "spools_before")
    op.drop_index("ix_rejected_record_id", "rejected")
    op.drop_column("rejected", "body")
    op.drop_column("rejected", "record_id")
