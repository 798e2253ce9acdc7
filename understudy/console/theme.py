"""How pages look: the style sheet, the script for keyboard and theme, and the icons. All of it comes from this host."""

import html
from importlib import metadata
from pathlib import Path

STATIC = Path(__file__).parent / "static"
_ASSETS = "/console/static"


def head(csrf: str) -> str:
    """Return what every page has in its head.

    Args:
        csrf: What requests that change something must carry.
    """
    version = metadata.version("understudy")
    return (
        f'<meta name="csrf" content="{html.escape(csrf, quote=True)}">'
        f'<script src="{_ASSETS}/theme.js?{version}"></script>'
        f'<link rel="stylesheet" href="{_ASSETS}/console.css?{version}">'
        f'<script defer src="{_ASSETS}/console.js?{version}"></script>'
    )


def _icon(paths: str) -> str:
    return (
        '<svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.6" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{paths}</svg>'
    )


ICONS = {
    "Chat": _icon('<path d="M3 5h14v9H9l-4 3v-3H3z"/>'),
    "Inbox": _icon('<path d="M3 11 5 4h10l2 7v5H3z"/><path d="M3 11h4l1 2h4l1-2h4"/>'),
    "Runs": _icon('<path d="M3 5h7M6 10h8M10 15h7"/>'),
    "Memory": _icon(
        '<circle cx="6" cy="6" r="2"/><circle cx="14" cy="8" r="2"/><circle cx="8" cy="14" r="2"/>'
        '<path d="m8 6.5 4 1M7 12l-.5-4M10 13l3-3.5"/>'
    ),
    "Team": _icon(
        '<circle cx="7" cy="7" r="2.5"/><path d="M2.5 16c.5-3 2-4.5 4.5-4.500s4 1.5 4.5 4.5"/>'
        '<path d="M12.5 5a2.5 2.5 0 0 1 0 4.500M14 12c2 .5 3 2 3.5 4"/>'
    ),
    "Experience": _icon('<path d="M3 16V4M3 16h14M6 12l3-3 3 2 4-5"/>'),
    "Evaluation": _icon('<path d="M5 3h10v14H5zM8 7h4M8 10h4M8 13h2"/>'),
    "Audit": _icon('<path d="M10 3 4 5v5c0 4 3 6 6 7 3-1 6-3 6-7V5z"/><path d="m7.5 10 2 2 3-4"/>'),
}
"""Drawings beside the names of pages; they say nothing that the name does not."""
