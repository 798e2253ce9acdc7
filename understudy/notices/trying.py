"""Trying out the channels."""

import asyncio
from typing import NamedTuple

from domain.errors import InvalidSettings
from understudy.known_secrets import known_secrets
from understudy.notices.channels import Channel, Channels
from understudy.notices.rendering import Message
from understudy.settings import Settings


class Tried(NamedTuple):
    """What became of a test notice."""

    channel: str
    """Where it is configured."""
    problem: str
    """Why it failed, in words; empty when the channel took it."""


async def tried(settings: Settings) -> list[Tried]:
    """Send a test notice over every channel, each once, whatever kinds it wants.

    Raises:
        InvalidSettings: No channel is configured.
    """
    channels, secrets = Channels(settings.notify), known_secrets(settings)
    if not channels.all():
        msg = "no channel is configured: name some under [notify] in understudy.toml, see understudy notify --help"
        raise InvalidSettings(msg)
    text = Message("Understudy: a test notice", f"{settings.user} tries out this channel. Nothing is to be done.")

    async def one(channel: Channel) -> Tried:
        return Tried(channel.name, secrets.text(await channels.send(channel, text, "test")))

    return list(await asyncio.gather(*(one(channel) for channel in channels.all())))
