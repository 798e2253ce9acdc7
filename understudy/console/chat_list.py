"""The list of conversations beside the one that is open."""

from collections.abc import Sequence
from urllib.parse import quote

from understudy.cli.text import one_line
from understudy.console.frame import address
from understudy.console.parts import box, link, text
from understudy.service.caller import Caller
from understudy.threads import ThreadEntry

_SIGNS = {
    "running": ("▶", "running", "accent"), "waiting": ("?", "waits for you", "warn"),
    "stopped": ("❚❚", "stopped", "warn"), "ended": ("", "ended", "plain"),
}  # fmt: skip


def place_of(thread: str) -> str:
    """Return where a conversation is, below the console."""
    return f"/c/{quote(thread, safe='')}"


def conversations(caller: Caller, entries: Sequence[ThreadEntry], here: str) -> None:
    """Show conversations, the one that is open marked."""
    if not entries:
        text("No conversations yet.", "hint", tag="p")
        return
    with box("threads", tag="ul"):
        for entry in entries:
            sign, word, kind = _SIGNS[entry.state]
            current = {"aria_current": "true"} if entry.thread == here else {}
            with box(tag="li"), link("", address(place_of(entry.thread), caller), "thread-link", **current):
                text(one_line(entry.goal, 80), "thread-goal")
                if sign:
                    text(sign, f"thread-sign {kind}", role="img", aria_label=word, title=word)
