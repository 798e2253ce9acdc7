"""A process of its own that works on the questions of a folder: it says when it is ready and begins when it is told.

It prints what happened to each question as one JSON object.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from domain.errors import QuestionClosed, StorageAway
from tests.understudy.durable.desks import Clock, Reception, open_reception
from understudy.durable.questions import QUESTIONS


async def main(folder: str, now: str, url: str, what: str, *args: str) -> dict[str, str]:
    async with open_reception(Path(folder), SecretStr(url) if url else None, Clock(float(now))) as at:
        query = sa.select(QUESTIONS.c.id).order_by(QUESTIONS.c.id)
        names = await at.database.read(lambda connection: list(connection.execute(query).scalars()))
        print("ready", flush=True)  # noqa: T201  # the parent reads it
        await asyncio.to_thread(sys.stdin.readline)
        if what == "settle":
            return {question.id: question.status for question in await at.desk.settle_all()}
        if what == "die":
            await die(at, names)
        return {name: await answered(at, name, *args) for name in names}


async def answered(at: Reception, name: str, by: str, kind: str) -> str:
    while True:
        try:
            return (await at.desk.answer("default", name, {"type": kind}, by=by)).closed_by
        except QuestionClosed as error:
            return f"refused: {error.by}"
        except StorageAway:
            continue  # too many others wrote; whether it is in is unknown, so it is delivered again


async def die(at: Reception, names: list[str]) -> None:
    """Answer, and end with nothing but the database written."""

    async def killed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    at.audit.note = killed  # type: ignore[method-assign, assignment]  # the moment is what is tested
    await at.desk.answer("default", names[0], {"type": "approve"}, by="bob")


def act(folder: str, now: str, url: str, what: str, *args: str) -> None:
    """Be the process.

    Args:
        folder: Where the records are.
        now: The time that it goes by.
        url: Of the database; empty for a file in the folder.
        what: `answer`, `settle` or `die`.
        *args: Who answers and how.
    """
    print(json.dumps(asyncio.run(main(folder, now, url, what, *args))))  # noqa: T201 - the parent reads it
