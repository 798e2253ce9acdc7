"""A notifier for URLs like `logbook:///var/log/harbour.jsonl`: notices become lines of a file."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit


def send(*, url: str, title: str, body: str, notice: str) -> None:
    """Write one notice down; an error that is raised is told as the reason why it was not sent.

    Args:
        url: Of the channel, as configured.
        title: One line.
        body: The text.
        notice: Id by which a second sending can be recognised.
    """
    line = json.dumps({"notice": notice, "title": title, "body": body})
    with Path(unquote(urlsplit(url).path)).open("a") as book:
        book.write(line + "\n")
