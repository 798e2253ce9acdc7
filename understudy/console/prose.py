"""Markdown that models, documents and people wrote, as HTML that can do nothing.

No HTML of theirs passes, no pictures are loaded, addresses that run scripts are no links, and the browser sanitises
what is left once more.
"""

from functools import lru_cache

from markdown_it import MarkdownIt
from nicegui import ui

from understudy.cli.text import clean

MAX_CHARS = 200_000


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def rendered(markdown: str) -> str:
    """Return Markdown of unknown origin as HTML."""
    text = clean(markdown)
    if len(text) > MAX_CHARS:
        text = f"{text[:MAX_CHARS]}\n\n*What follows is left out here.*"
    html = _reader().render(text)
    return str(html)


def prose(markdown: str) -> ui.html:
    """Show Markdown of unknown origin."""
    return ui.html(rendered(markdown), sanitize=True).classes("prose")
