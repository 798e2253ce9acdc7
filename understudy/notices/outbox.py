"""The outbox: notices that wait until they are told.

What is once and what is not:

- A notice is kept once by its id, for as long as its row stays (`KEPT_SECONDS` after its end). Put in the transaction
  of the change it tells of, it is kept if and only if that change is.
- Over each channel it is sent at least once: a channel that took it is noted, and not used again for it. Between the
  channel's answer and that note lies a gap. A process that dies in it, or a channel that answers after its time-out,
  leads to a second sending. Webhooks and mail carry the notice's id, by which a receiver can drop it.
- Only one process at a time delivers a notice. The claim of a process that died lapses after `claim_seconds`.
- A process without channels leaves notices to those that have some. Where there is none for `give_up_after_seconds`,
  a notice is ended as addressed to nobody; else whoever configures the first channel would get all of the past.
- It is tried again until `give_up_after_seconds` have passed since it was kept; then it is given up, which the audit
  and `understudy status` say.
"""

import asyncio
import math
import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import sqlalchemy as sa

from domain.audit import AuditEntry
from domain.errors import StorageError
from domain.notices import Notice
from domain.redaction import redacted
from domain.secrets import Secrets
from memory.audit import Audit
from memory.friction import Friction
from understudy.cli.text import clean, one_line
from understudy.durable.database import Database
from understudy.notices import table
from understudy.notices.channels import Channel, Channels
from understudy.notices.rendering import MAX_TITLE, Message, message
from understudy.notices.settings import NotifySettings
from understudy.notices.table import Claimed, Kept

KEPT_SECONDS = 35 * 24 * 3600.0
"""How long it is known of a notice that it was sent, or given up."""
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
"""Seconds before the second try, twice as long before each further one, and the most."""
_LANES = 4
"""Notices that are sent at the same time."""
_MARGIN = 30.0
"""Seconds of a claim beyond what the channels may take."""
_PRUNED_EVERY = 3600.0
NAGS = ("acted", "checkpoint", "expired", "proposal", "failed")
"""Kinds that count as a nag by themselves; the asking ones are counted where the question is opened."""


class Outbox:
    """Keeps notices in the database and sends them; implements `domain.notices.Notify`."""

    def __init__(
        self,
        database: Database,
        settings: NotifySettings,
        *,
        clock: Callable[[], float],
        audit: Audit,
        friction: Friction,
        secrets: Secrets,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Set up the outbox.

        Args:
            database: Where the notices wait.
            settings: The channels, and how long it is tried.
            clock: Returns unix time in seconds.
            audit: Where it is noted what was sent and what was given up.
            friction: Where nags are counted.
            secrets: What must not be sent.
            jitter: Returns a number from 0 to 1, by which pauses differ.
        """
        self._database, self._settings, self._clock = database, settings, clock
        self._audit, self._friction, self._secrets, self._jitter = audit, friction, secrets, jitter
        self.channels = Channels(settings)
        self._pruned = float("-inf")

    @property
    def claim_seconds(self) -> float:
        """How long a claim holds."""
        return self.channels.timeout + _MARGIN

    def put(self, connection: sa.Connection, notice: Notice) -> None:
        """Keep a notice as a part of a transaction; one whose id is kept already changes nothing."""
        texts = {name: clean(getattr(notice, name)) for name in ("id", "workspace", "body", "answer")}
        short = {"title": one_line(notice.title, MAX_TITLE), "to": tuple(map(clean, notice.to))}
        table.insert(connection, notice.model_copy(update=texts | short), self._clock())

    async def __call__(self, notice: Notice) -> None:
        """Keep a notice until it is delivered or given up."""
        await self._database.write(lambda connection: self.put(connection, notice))

    def withdraw(self, connection: sa.Connection, about: str) -> None:
        """Let what waits about a question or a run not be sent any more, as a part of a transaction."""
        table.withdraw(connection, about, self._clock())

    def forget(self, connection: sa.Connection, about: str) -> None:
        """Delete what is kept about a question or a run, as a part of a transaction."""
        table.forget(connection, about)

    async def forget_run(self, run: str) -> None:
        """Delete what is kept about a run."""
        await self._database.write(lambda connection: table.forget(connection, run))

    async def listed(self, workspace: str, *, limit: int = 100) -> list[Kept]:
        """Return a workspace's notices: what waits first, then the latest."""
        return await self._database.read(lambda connection: table.listed(connection, workspace, limit))

    async def troubles(self, workspace: str) -> list[str]:
        """Return in words what could not be told; nothing where all went well."""
        given_up = (await self._database.read(lambda c: table.counted(c, workspace))).get("given_up", 0)
        return [f"{given_up} notice(s) could not be delivered: see understudy notify list"] if given_up else []

    async def next_due(self) -> float | None:
        """Return when the next notice is to be tried; None where none waits, or where no channel is configured."""
        return await self._database.read(table.next_due) if self.channels.all() else None

    async def deliver_left(self) -> None:
        """Send what waits at the end of a command; what cannot be sent soon is left to whoever comes next."""
        with suppress(StorageError):
            await self.deliver(seconds=self.channels.timeout)

    async def deliver(self, *, limit: int = 20, seconds: float = math.inf) -> int:
        """Send the notices that are due, and return how many went out in full.

        A channel that fails is left alone for the rest of this call. A process without channels leaves notices to those
        that have some.

        Args:
            limit: Notices that are tried at most.
            seconds: After this time no other notice is begun.
        """
        await self._tidy()
        if not self.channels.all():
            return 0
        left, failed = iter(range(limit)), dict[str, str]()
        passed = asyncio.get_running_loop().time
        end = passed() + seconds

        async def lane() -> int:
            sent = 0
            while passed() < end and next(left, None) is not None and (claimed := await self._claimed()) is not None:
                sent += await self._delivered(claimed, failed)
            return sent

        ended = await asyncio.gather(*(lane() for _ in range(min(_LANES, limit))), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        return sum(sent for sent in ended if isinstance(sent, int))

    async def _tidy(self) -> None:
        now = self._clock()
        if now - self._pruned >= _PRUNED_EVERY:
            await self._database.write(lambda connection: self._tidied(connection, now))
            self._pruned = now

    def _tidied(self, connection: sa.Connection, now: float) -> None:
        table.prune(connection, now - KEPT_SECONDS)
        if not self.channels.all():
            table.lapse(connection, now - self._settings.give_up_after_seconds, now)

    async def _claimed(self) -> Claimed | None:
        now, holder = self._clock(), uuid.uuid4().hex
        return await self._database.write(partial(table.claim, holder=holder, now=now, until=now + self.claim_seconds))

    async def _delivered(self, claimed: Claimed, failed: dict[str, str]) -> bool:
        """Send a notice over the channels that do not have it yet; `failed` holds those that failed, and why."""
        wanted = self.channels.of(claimed.notice)
        if not wanted:
            await self._end(claimed, "unaddressed", "no channel is configured for it")
            return False
        text = message(claimed.notice, hidden=self._hidden, link=self._settings.link)
        open_ones = [channel for channel in wanted if channel.key not in claimed.took]
        reasons = await asyncio.gather(*(self._sent(claimed, text, channel, failed) for channel in open_ones))
        if problems := [reason for reason in reasons if reason]:
            await self._later(claimed, "; ".join(problems)[:500])
            return False
        await self._audited(claimed, f"sent over {len(wanted)} channel(s)", "sent")
        await self._end(claimed, "sent")
        await self._count(claimed.notice)
        return True

    async def _sent(self, claimed: Claimed, text: Message, channel: Channel, failed: dict[str, str]) -> str:
        """Send over one channel and return what went wrong, in words; empty when nothing did."""
        if reason := failed.get(channel.key, ""):
            return reason
        if problem := await self.channels.send(channel, text, claimed.notice.id):
            failed[channel.key] = f"{channel.name}: {self._secrets.text(problem)}"
            return failed[channel.key]
        await self._database.write(lambda connection: table.took(connection, claimed, channel.key))
        return ""

    async def _later(self, claimed: Claimed, reason: str) -> None:
        """Postpone a notice, or give it up when its time is over."""
        now, last = self._clock(), claimed.created + self._settings.give_up_after_seconds
        if now >= last:
            await self._audited(claimed, "given up: no channel took it in time", "given_up")
            await self._end(claimed, "given_up", reason)
            return
        pause = min(FIRST_PAUSE * 2 ** min(claimed.tries - 1, 20), LONGEST_PAUSE) * (1 + self._jitter()) / 2
        due = min(now + pause, last)
        await self._database.write(lambda connection: table.postpone(connection, claimed, due, reason))

    async def _end(self, claimed: Claimed, status: table.NoticeStatus, reason: str = "") -> None:
        now = self._clock()
        await self._database.write(lambda connection: table.end(connection, claimed, status, now, reason))

    async def _audited(self, claimed: Claimed, why: str, status: str) -> None:
        """Note how it ended; before the row says so, as a crash between them then only repeats it."""
        notice = claimed.notice
        entry = AuditEntry(
            kind="notice", who="outbox", why=why, data={"notice": notice.id, "kind": notice.kind, "to": list(notice.to)}
        )
        await self._audit.note(notice.workspace, entry, once=f"notice:{notice.id}:{status}")

    async def _count(self, notice: Notice) -> None:
        if notice.kind in NAGS:
            await self._friction.nagged(notice.workspace, notice.to, once=notice.id)

    def _hidden(self, text: str) -> str:
        """Return a text without what must not leave this machine."""
        return redacted(self._secrets.text(text))
