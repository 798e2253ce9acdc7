"""How pieces of HTML, filters, pages of lists and confirmations stand on a page of the console."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import metadata
from typing import NamedTuple

from nicegui import ui

from domain.errors import Forbidden
from understudy.console.frame import PREFIX, address, empty
from understudy.console.markup import Html
from understudy.console.parts import Look, box, button, heading, link, text
from understudy.identity.principals import Permission
from understudy.service.caller import Caller

_SHEET = f'<link rel="stylesheet" href="{PREFIX}/static/pages.css?{metadata.version("understudy")}">'


def sheet() -> None:
    """Have the page load the styles of tables and pictures."""
    ui.add_head_html(_SHEET)


def show(piece: Html, classes: str = "") -> None:
    """Show a piece; the browser sanitises it once more."""
    ui.html(piece.text, sanitize=True).classes(classes)


def section(title: str, piece: Html | None, *, absent: str = "", hint: str = "") -> None:
    """Show a piece under a heading; where there is none, why, or with no reason nothing at all.

    Args:
        title: The heading.
        piece: What is shown.
        absent: Why there is nothing.
        hint: What makes something appear.
    """
    if piece is None and not absent:
        return
    with box("panel", tag="section"):
        heading(title)
        if piece is not None:
            show(piece)
        elif hint:
            empty(absent, hint)
        else:
            text(absent, "soft", tag="p")


class Tab(NamedTuple):
    """A way to one of several views."""

    name: str
    path: str


def tabs(label: str, found: Sequence[Tab], here: str, caller: Caller) -> None:
    """Show the ways to the views of a page, the one at hand marked."""
    with box("tabs", tag="nav", aria_label=label):
        for tab in found:
            marked = "page" if tab.path == here else None
            link(tab.name, address(tab.path, caller), "tab", aria_current=marked)


class Field(NamedTuple):
    """A field of a filter."""

    name: str
    label: str
    value: str = ""
    choices: Sequence[str] = ()
    """With choices it is a list to choose from."""
    needed: bool = False
    """Whether one of the choices must be taken; else an empty one comes first."""


def filters(path: str, caller: Caller, fields: Sequence[Field], go: str = "Show") -> None:
    """Show fields that are part of the page's address, so that a link or a reload finds the same."""
    with box("filters", tag="form", method="get", action=f"{PREFIX}{path}", role="search"):
        if "workspace" in ui.context.client.request.query_params:
            box(tag="input", type="hidden", name="workspace", value=caller.workspace)
        for field in fields:
            with box("field" if field.choices else "field grow"):
                text(field.label, tag="label", for_=_place(field))
                _input(field)
        button(go, look="main", type="submit")


def _input(field: Field) -> None:
    place = _place(field)
    if not field.choices:
        given = {"type": "text", "name": field.name, "value": field.value, "maxlength": "2000", "autocomplete": "off"}
        box("input", tag="input", id=place, **given)
        return
    with box("input", tag="select", name=field.name, id=place):
        for choice in (*(() if field.needed else ("",)), *field.choices):
            selected = True if choice == field.value else None
            text(choice.replace("_", " ") or "all", tag="option", value=choice, selected=selected)


def _place(field: Field) -> str:
    return f"filter-{field.name}"


def pages(path: str, caller: Caller, number: int, count: int, query: Mapping[str, str]) -> None:
    """Show the ways to the page before and after, where there are several."""
    if count < 2:
        return
    with box("pages", tag="nav", aria_label="Pages of the list"):
        if number > 1:
            link("Newer", address(path, caller, **query, number=str(number - 1)), "button plain", rel="prev")
        text(f"page {number} of {count}")
        if number < count:
            link("Older", address(path, caller, **query, number=str(number + 1)), "button plain", rel="next")


def may(caller: Caller, permission: Permission) -> bool:
    """Return whether something is offered; who does it all the same is refused."""
    try:
        caller.installation.identity.allow(caller.principal, caller.workspace, permission)
    except Forbidden:
        return False
    return True


def confirmed(words: str, question: str, act: Callable[[], Awaitable[None]], *, look: Look = "danger") -> None:
    """Show a button that asks once more, in its place, before something is done.

    Args:
        words: What the button says.
        question: What is asked then.
        act: Does it.
        look: Of the button that does it.
    """
    place, client = box("confirm"), ui.context.client

    def offer() -> None:
        place.clear()
        with place:
            button(words, ask)

    def ask() -> None:
        place.clear()
        with place, box("asked", role="group", aria_label=question):
            text(question, tag="p")
            sure = button(words, go, look=look)
            button("No, leave it", offer, look="quiet")
        ui.run_javascript(f"getHtmlElement({sure.id})?.focus()")

    async def go() -> None:
        with client:  # what was pressed is gone by then
            offer()
            await act()

    offer()
