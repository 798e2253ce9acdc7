"""Small pieces that pages are made of: native elements, which screen readers and keyboards know."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from understudy.cli.text import clean

Look = Literal["plain", "main", "danger", "quiet"]
"""How much a button asks to be pressed."""
Click = Callable[..., Awaitable[None] | None]
_E = TypeVar("_E", bound=ui.element)


def text(words: str, classes: str = "", *, tag: str = "span", **attributes: Any) -> TextElement:
    """Return an element that shows words as they are: nothing in them is markup.

    Args:
        words: What it says.
        classes: CSS classes.
        tag: HTML element.
        attributes: Further HTML attributes; `_` stands for `-` in their names.
    """
    element = TextElement(tag=tag, text=clean(words))
    return _dressed(element, classes, attributes)


def box(classes: str = "", *, tag: str = "div", **attributes: Any) -> ui.element:
    """Return an element for others, to be used with `with`; arguments as for `text`."""
    return _dressed(ui.element(tag), classes, attributes)


def heading(words: str, level: int = 2, classes: str = "") -> TextElement:
    """Return a heading."""
    return text(words, classes, tag=f"h{level}")


def link(words: str, target: str, classes: str = "", **attributes: Any) -> TextElement:
    """Return a link; the target is one of our own addresses, never one that somebody else wrote."""
    return text(words, classes, tag="a", href=target, **attributes)


def button(words: str, on_click: Click | None = None, *, look: Look = "plain", **attributes: Any) -> TextElement:
    """Return a native button.

    Args:
        words: What it says.
        on_click: Called when it is pressed.
        look: How much it asks to be pressed.
        attributes: Further HTML attributes.
    """
    element = text(words, f"button {look}", tag="button", type=attributes.pop("type", "button"), **attributes)
    if on_click is not None:
        element.on("click", steady(on_click), args=[])
    return element


def steady(handler: Click) -> Click:
    """Return a handler that outlives the element it belongs to, which may be drawn anew while it works.

    Args:
        handler: Takes nothing, or the event.
    """
    client = ui.context.client

    async def handle() -> None:
        with client:
            if (result := handler()) is not None:
                await result

    async def handle_event(event: Any) -> None:
        with client:
            if (result := handler(event)) is not None:
                await result

    return handle_event if inspect.signature(handler).parameters else handle


def details(summary: str, classes: str = "", *, is_open: bool = False) -> ui.element:
    """Return what is folded until somebody wants to see it, to be used with `with`."""
    element = box(f"fold {classes}", tag="details", **({"open": True} if is_open else {}))
    with element:
        text(summary, tag="summary")
    return element


def badge(words: str, kind: str = "plain") -> TextElement:
    """Return a word that tells a state; it never says by colour alone what it does not say in words."""
    return text(words, f"badge {kind}")


def svg(drawing: str, classes: str = "") -> ui.html:
    """Return a drawing whose texts were escaped; it is sanitised once more in the browser."""
    return ui.html(drawing, sanitize=True).classes(classes)


def _dressed(element: _E, classes: str, attributes: dict[str, Any]) -> _E:
    if classes:
        element.classes(classes)
    for name, value in attributes.items():
        if value is not None:
            element.props[name.rstrip("_").replace("_", "-")] = clean(value) if isinstance(value, str) else value
    return element
