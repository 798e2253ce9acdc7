"""The frame that all pages share: who looks at them, the way to the other pages, and what is said when all is empty.

A page is a function with `@page`; `mounting.mount` makes routes of all of them.
"""

import functools
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from nicegui import Client, ui

from domain.errors import Forbidden, Unauthenticated, UnderstudyError
from understudy.console.parts import box, button, heading, link, svg, text
from understudy.console.theme import ICONS, head
from understudy.console.visits import Visit, caller_here, visit_of
from understudy.identity.principals import Permission
from understudy.service.caller import Caller

PREFIX = "/console"
"""Where the console is."""
Build = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Page:
    """One page: where it is, who may see it, and what builds it."""

    path: str
    title: str
    permission: Permission
    build: Build
    wide: bool = False


PAGES: list[Page] = []
"""Filled by `page` as the modules of the pages are imported."""
NAVIGATION: tuple[tuple[str, str, Permission], ...] = (
    ("/", "Chat", "read"),
    ("/inbox", "Inbox", "read"),
    ("/runs", "Runs", "read"),
    ("/memory", "Memory", "read"),
    ("/team", "Team", "read"),
    ("/experience", "Experience", "read"),
    ("/evaluation", "Evaluation", "read"),
    ("/audit", "Audit", "audit"),
)
"""Path, name and what it takes to see it, in the order of the navigation."""
_log = logging.getLogger(__name__)


def page(path: str, *, title: str, permission: Permission, wide: bool = False) -> Callable[[Build], Build]:
    """Make a page of an async function `(caller: Caller, ...)`; further arguments come from the path or the query.

    Args:
        path: Below `/console`, as FastAPI writes it: `/runs/{run}`.
        title: What the browser's tab and the page's heading say.
        permission: What a visitor must be allowed; others are told so in the frame.
        wide: Whether it uses the whole width and draws its own heading.
    """

    def taken(build: Build) -> Build:
        PAGES.append(Page(path, title, permission, build, wide))
        return build

    return taken


def address(path: str, caller: Caller | None = None, **query: str) -> str:
    """Return the address of a page in the caller's workspace, for links.

    Args:
        path: Below `/console`, encoded.
        caller: Whose workspace is kept; None leaves it out.
        query: Further parameters; empty ones are left out.
    """
    named = {name: value for name, value in query.items() if value}
    if caller is not None and "workspace" in ui.context.client.request.query_params:
        named["workspace"] = caller.workspace
    return f"{PREFIX}{path}" + (f"?{urlencode(named)}" if named else "")


def shown(each: Page) -> Callable[..., Awaitable[None]]:
    """Return what the route of a page calls."""

    @functools.wraps(each.build)
    async def build(client: Client, **given: Any) -> None:
        client.on_exception(told)
        ui.add_head_html(head(visit_of(client.request.scope).csrf))
        try:
            caller = await caller_here(each.permission)
        except UnderstudyError as error:
            with _framed(each, None):
                failed(error)
            return
        with _framed(each, caller):
            try:
                await each.build(caller, **given)
            except UnderstudyError as error:
                failed(error)

    own = [p for p in inspect.signature(each.build).parameters.values() if p.name not in ("caller", "client")]
    client = inspect.Parameter("client", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Client)
    build.__signature__ = inspect.Signature([client, *own])  # type: ignore[attr-defined]  # what the router reads
    return build


@contextmanager
def _framed(each: Page, caller: Caller | None) -> Iterator[None]:
    """Draw the frame around a page."""
    link("Skip to content", "#main", "skip")
    with box("frame"):
        _navigation(each, caller)
        with box("main wide" if each.wide else "main", tag="main", id="main", tabindex="-1"):
            if not each.wide:
                heading(each.title, 1)
            yield
    box("toasts", role="status", aria_live="polite", id="toasts")


def _navigation(each: Page, caller: Caller | None) -> None:
    visit = visit_of(ui.context.client.request.scope)
    with box("side", tag="header"):
        with box("brand-row"):
            link("Understudy", address("/", caller), "brand")
            button("Menu", look="quiet", id="menu", aria_expanded="false", aria_controls="navigation")
        with box("navigation", id="navigation"):
            with box("links", tag="nav", aria_label="Pages"):
                for path, name, permission in NAVIGATION:
                    if caller is None or caller.principal.permits(caller.workspace, permission):
                        _page_link(path, name, caller, is_here=_is_within(each.path, path))
            _foot(visit, caller)


def _page_link(path: str, name: str, caller: Caller | None, *, is_here: bool) -> None:
    here = {"aria_current": "page"} if is_here else {}
    with link("", address(path, caller), "nav-link", **here):
        svg(ICONS[name], "icon")
        text(name)


def _is_within(path: str, root: str) -> bool:
    if root == "/":
        return path == "/" or path.startswith("/c/")
    return path == root or path.startswith(f"{root}/")


def _foot(visit: Visit, caller: Caller | None) -> None:
    """Draw who is here, where, and the switches."""
    with box("foot"):
        if caller is not None:
            _workspaces(caller)
            text(visit.principal.user, "who", title="You are signed in as this user")
        with box("switches"):
            button("Theme: system", look="quiet", id="theme", title="Switch between system, light and dark (t)")
            button("Keys", look="quiet", id="keys", title="Keyboard shortcuts (?)")
        if visit.session is not None:
            with box("logout", tag="form", method="post", action=f"{PREFIX}/logout"):
                box(tag="input", type="hidden", name="csrf", value=visit.csrf)
                button("Sign out", look="quiet", type="submit")


def _workspaces(caller: Caller) -> None:
    """Draw the workspace, and the way to others where there are any."""
    named = sorted({*caller.principal.memberships, caller.workspace} - {"*"})
    if len(named) == 1:
        text(caller.workspace, "where", title="Workspace")
        return
    with box("where", tag="select", aria_label="Workspace", id="workspace"):
        for name in named:
            text(name, tag="option", value=name, selected=True if name == caller.workspace else None)


def empty(words: str, hint: str = "") -> None:
    """Say that there is nothing yet, and what makes something appear."""
    with box("empty"):
        text(words, "empty-words", tag="p")
        if hint:
            text(hint, "hint", tag="p")


def failed(error: UnderstudyError) -> None:
    """Say what is wrong in place of what was to be shown, and what can be done."""
    with box("failed", role="alert"):
        text(_title(error), "failed-words", tag="p")
        text(str(error), tag="p")
        if isinstance(error, Unauthenticated):
            link("Sign in", f"{PREFIX}/login", "button main")
        else:
            text(_advice(error), "hint", tag="p")


def _title(error: UnderstudyError) -> str:
    if isinstance(error, Unauthenticated):
        return "You are not signed in any more."
    return "You may not do this here." if isinstance(error, Forbidden) else "This cannot be shown."


def _advice(error: UnderstudyError) -> str:
    if isinstance(error, Forbidden):
        return "Ask an administrator of the workspace for the role that it takes, or go to another workspace."
    return "Nothing was changed. Mend what is named here and reload the page."


def toast(words: str, kind: str = "plain") -> None:
    """Tell something in passing; screen readers say it."""
    ui.run_javascript(f"understudy.toast({json.dumps(words)}, {json.dumps(kind)})")


def told(error: Exception) -> None:
    """Tell what went wrong in a handler of the page; what is nobody's doing goes to the log."""
    if isinstance(error, Unauthenticated):
        ui.navigate.to(f"{PREFIX}/login")
    elif isinstance(error, UnderstudyError):
        toast(str(error), "bad")
    else:
        _log.error("a page failed", exc_info=error)
        toast("Something went wrong here, and it was logged. Reload the page.", "bad")
