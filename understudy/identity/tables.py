"""The tables of identity: API keys, members, sessions and sign-ins that have begun."""

import sqlalchemy as sa

from understudy.durable.database import TABLES, Database
from understudy.migrations.schema import prepare

KEYS = sa.Table(
    "identity_keys", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("memberships", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text),
    sa.Column("budget", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("revoked", sa.Double),
    sa.Column("used", sa.Double),
    sa.Index("identity_keys_user", "user"),
)  # fmt: skip
"""`memberships`, `scopes` and `budget` are JSON; `hash` is all that is kept of the secret."""
MEMBERS = sa.Table(
    "identity_members", TABLES,
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
)  # fmt: skip
SESSIONS = sa.Table(
    "identity_sessions", TABLES,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("via", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("claimed", sa.Text, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("ends", sa.Double, nullable=False),
    sa.Index("identity_sessions_expires", "expires"),
    sa.Index("identity_sessions_key", "key"),
    sa.Index("identity_sessions_user", "user"),
)  # fmt: skip
"""`claimed` is JSON: the memberships that the issuer's token named. `expires` moves on with use, `ends` does not."""
LOGINS = sa.Table(
    "identity_logins", TABLES,
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("redirect", sa.Text, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Index("identity_logins_expires", "expires"),
)  # fmt: skip
"""`state` is the hash of what the issuer sends back."""


async def create_tables(database: Database) -> None:
    """Create the tables that a database lacks which was opened before these were known."""
    await database.write(lambda connection: prepare(connection, TABLES))
