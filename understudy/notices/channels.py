"""Channels: who is reached over which, and the sending itself through apprise, which is loaded when first needed."""

import asyncio
import hashlib
import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from agents.plugins import guarded, installed, required
from domain.errors import InvalidPlugin, InvalidSettings
from domain.notices import Notice
from domain.secrets import Secrets
from memory.worker import Worker
from understudy.cli.text import one_line
from understudy.notices.rendering import Message
from understudy.notices.settings import ChannelSettings, NotifySettings

if TYPE_CHECKING:
    from apprise import Apprise, AppriseAsset, NotifyBase

_EXTRA = {"json": ":", "jsons": ":", "form": ":", "forms": ":", "xml": ":", "xmls": ":", "mailto": "+", "mailtos": "+"}
"""How a URL of the scheme names one more field of the body, or one more header."""
_STAMPED = re.compile(r"^[\d: ,-]+ - [A-Z]+ - ")
_MAX_REASON = 200


class Channel(NamedTuple):
    """A configured way to reach somebody."""

    name: str
    """Where it is configured, and its kind; never its URL, which may hold secrets."""
    key: str
    """Hash of its URL: the same in every process."""
    settings: ChannelSettings


class Channels:
    """The configured channels."""

    def __init__(self, settings: NotifySettings) -> None:
        self._users = {user: _named(f"users.{user}", each) for user, each in settings.users.items()}
        self._workspaces = {name: _named(f"workspaces.{name}", each) for name, each in settings.workspaces.items()}
        self.timeout = settings.timeout_seconds

    def all(self) -> list[Channel]:
        """Return every channel once."""
        groups = [*self._users.values(), *self._workspaces.values()]
        return _once([channel for group in groups for channel in group])

    def of(self, notice: Notice) -> list[Channel]:
        """Return the channels of a notice, each once.

        They are those of the users it is addressed to. Those of its workspace are taken when it is addressed to nobody,
        or to a user who has none; never those of another workspace.
        """
        found = [channel for user in notice.to for channel in self._users.get(user, [])]
        if not notice.to or any(not self._users.get(user) for user in notice.to):
            found += self._workspaces.get(notice.workspace, [])
        return [c for c in _once(found) if not c.settings.kinds or notice.kind in c.settings.kinds]

    async def send(self, channel: Channel, message: Message, notice: str) -> str:
        """Send a message over one channel and return why that failed, in words; empty when the channel took it.

        A channel that takes too long has failed; whether it delivers in the end is then unknown.

        Args:
            channel: One of these.
            message: Is taken as plain text, whatever the channel shows.
            notice: Id of the notice. Webhooks and mail carry it, so that a receiver can tell when one comes twice.
        """
        worker = Worker("notice")  # its own thread, which nobody waits for when the channel hangs
        try:
            sent = worker.done(lambda: _sent(channel, message, notice, self.timeout))
            return await asyncio.wait_for(sent, self.timeout)
        except TimeoutError:
            return f"it took longer than {self.timeout:g} s"
        except InvalidSettings as error:
            return str(error)
        except InvalidPlugin as error:  # in the words of somebody else's code, which may repeat what it was given
            return one_line(Secrets([channel.settings.url.get_secret_value()]).text(str(error)), _MAX_REASON)
        finally:
            worker.close()


def _named(place: str, channels: Sequence[ChannelSettings]) -> list[Channel]:
    keys = [hashlib.sha256(each.url.get_secret_value().encode()).hexdigest()[:16] for each in channels]
    return [
        Channel(f"{place}[{number}] ({each.scheme})", key, each)
        for number, (key, each) in enumerate(zip(keys, channels, strict=True))
    ]


def _once(channels: Sequence[Channel]) -> list[Channel]:
    return list({channel.key: channel for channel in reversed(channels)}.values())[::-1]


def _sent(channel: Channel, message: Message, notice: str, timeout: float) -> str:
    from apprise import AppriseAsset, NotifyFormat

    # What it says is read from its result; where a program logs, it would repeat it there.
    logging.getLogger("apprise").propagate = False
    # Without a time-out of its own it works in this thread, and leaves none behind that ends with the process only.
    asset = AppriseAsset(app_id="Understudy", service_timeout=0, http_redirects=False)
    service = _service(channel, notice, asset)
    if service is None:
        return _sent_by_plugin(channel, message, notice)
    result = _opened(service, asset, timeout).notify(
        title=message.title, body=message.body, body_format=NotifyFormat.TEXT
    )
    if result:
        return ""
    told = [_STAMPED.sub("", str(entry)) for entry in result.logs()]
    return one_line("; ".join(told) or "it refused, and gave no reason", _MAX_REASON)


def _sent_by_plugin(channel: Channel, message: Message, notice: str) -> str:
    """Send a message by the plug-in for the URL's scheme; what it raises is the reason why that failed.

    Raises:
        InvalidSettings: There is none; the URL is not repeated.
        InvalidPlugin: It cannot be used, or it broke down.
    """
    scheme, url = channel.settings.scheme, channel.settings.url.get_secret_value()
    if not any(plugin.name == scheme for plugin in installed("notifiers")):
        msg = f"the URL of channel notify.{channel.name} is none that apprise can use"
        raise InvalidSettings(msg)
    send = required("notifiers", scheme)
    guarded(f"plug-in {scheme!r}", lambda: send(url=url, title=message.title, body=message.body, notice=notice))
    return ""


def _service(channel: Channel, notice: str, asset: "AppriseAsset") -> "NotifyBase | None":
    """Return what apprise has for a URL."""
    from apprise import Apprise

    return Apprise.instantiate(_with_id(channel.settings, notice), asset=asset)


def _opened(service: "NotifyBase", asset: "AppriseAsset", timeout: float) -> "Apprise":
    """Return a service ready to send."""
    from apprise import Apprise, OverflowMode

    service.socket_connect_timeout = min(service.socket_connect_timeout, timeout)
    service.socket_read_timeout = min(service.socket_read_timeout, timeout)
    service.overflow_mode = OverflowMode.TRUNCATE  # the first lines say how to answer
    opened = Apprise(asset=asset)
    opened.add(service)
    return opened


def _with_id(settings: ChannelSettings, notice: str) -> str:
    url = settings.url.get_secret_value()
    if (mark := _EXTRA.get(settings.scheme)) is None:
        return url
    field = "notice" if mark == ":" else "X-Understudy-Notice"
    shown = re.sub(r"[^\w.:+-]", "_", notice[:200], flags=re.ASCII)
    return f"{url}{'&' if '?' in url else '?'}{mark}{field}={quote(shown, safe='')}"
