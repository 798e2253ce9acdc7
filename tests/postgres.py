"""A database of its own for each test, on one PostgreSQL server that the test process starts at its first use."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
from psycopg import sql
from pydantic import SecretStr

from evals.benchmarks.private_servers import PostgresServer


@contextmanager
def new_database() -> Iterator[SecretStr]:
    """Create a database, yield its URL, and drop it."""
    name, server_url = f"test_{uuid.uuid4().hex}", _server().url
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield SecretStr(server_url.removesuffix("postgres") + name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def stop() -> None:
    """End the server and delete what it kept, where it was ever started."""
    if _server.cache_info().currsize:
        _server().remove()


@cache
def _server() -> PostgresServer:
    return PostgresServer()
