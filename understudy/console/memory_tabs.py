"""The views of what is remembered."""

from understudy.console.markup_view import Tab, sheet, tabs
from understudy.service.caller import Caller

_TABS = (
    Tab("Tasks", "/memory"),
    Tab("Map", "/memory/map"),
    Tab("Recipes", "/memory/recipes"),
    Tab("Rules", "/memory/rules"),
    Tab("State", "/memory/state"),
)


def memory_tabs(here: str, caller: Caller) -> None:
    """Show the ways to the views, the one at hand marked."""
    sheet()
    tabs("Views of memory", _TABS, here, caller)
