"""A console that runs, and a browser that looks at it: both real."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from understudy.orchestrator import Orchestrator
from understudy.service.app import create_app
from understudy.service.installation import Installation
from understudy.settings import Settings

CHROMIUM = "/usr/bin/chromium"
ENERGY = Path(__file__).parents[3] / "examples" / "energy"
PATIENCE = 60.0
"""Seconds after which what does not happen counts as never happening."""
DESKTOP, PHONE = (1200, 800), (360, 740)
SHOTS = os.environ.get("CONSOLE_SHOTS", "")
"""Folder that pictures are written to; empty: none are made."""
_SERIOUS = ("serious", "critical")
_COLOURS = ["color-contrast", "link-in-text-block"]
"""Rules that another theme can break."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Console:
    """A served console, in a thread with a loop of its own, as it is for one workspace."""

    url: str
    app: FastAPI
    loop: asyncio.AbstractEventLoop
    settings: Settings
    workspace: str = "default"

    def within(self, workspace: str) -> "Console":
        """Return it for another workspace, where nothing is known of this one."""
        return replace(self, workspace=workspace)

    def at(self, path: str = "/") -> str:
        """Return the address of a page in the workspace."""
        if self.workspace == self.settings.workspace:
            return f"{self.url}{path}"
        return f"{self.url}{path}{'&' if '?' in path else '?'}workspace={self.workspace}"

    @property
    def installation(self) -> Installation:
        """What the service works with."""
        installation: Installation = self.app.state.installation
        return installation

    @property
    def orchestrator(self) -> Orchestrator:
        """What the pages of the workspace work with."""
        whole = self.installation.orchestrator
        return whole.within(replace(whole.context, workspace=self.workspace))

    @property
    def out(self) -> Path:
        """Where deliveries are written."""
        assert self.settings.out is not None
        return self.settings.out

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do something in the service's loop and return what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def run(self, goal: str, thread: str | None = None) -> str:
        """Have a goal run to its next stop, and return its thread."""
        return self.do(self.orchestrator.run(goal, thread=thread)).thread


class Consoles:
    """The consoles of a test process, one at a time: what serves pages is one for a process."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._shown, self._open = folder, "", ExitStack()
        self._console: Console | None = None

    def shown(self, name: str, configured: Callable[[Path], AbstractContextManager[Settings]]) -> Console:
        """Return the console of this name; another one that is open is closed.

        Args:
            name: Of its folder, too, which it finds again.
            configured: Makes what it needs, in a folder, for as long as it is open.
        """
        if self._console is None or self._shown != name:
            self.close()
            self._console = self._open.enter_context(serving(self._open.enter_context(configured(self._folder / name))))
            self._shown = name
        return self._console

    def close(self) -> None:
        """Close what is open."""
        self._console = None
        self._open.close()


class _Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self._ready.set()


@contextmanager
def serving(settings: Settings) -> Iterator[Console]:
    """Serve a console on a free port of this machine."""
    app, ready, ended = create_app(settings), threading.Event(), threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio", lifespan="on")
        server = _Server(config, ready)
        loops = list[asyncio.AbstractEventLoop]()
        broken = list[BaseException]()

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve(sockets=[listening])

        def work() -> None:
            try:
                asyncio.run(serve())
            except BaseException as error:  # noqa: BLE001  # the thread's edge: the test tells it
                broken.append(error)
            finally:
                ready.set()
                ended.set()

        thread = threading.Thread(target=work, name="console")
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            assert not broken, broken
            assert server.started, "the console did not start"
            yield Console(f"http://127.0.0.1:{port}/console", app, loops[0], settings)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
        assert ended.is_set()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def looking(
    browser: Browser, *, size: tuple[int, int] = DESKTOP, theme: Literal["light", "dark"] = "light"
) -> Iterator[BrowserContext]:
    """Open a window of its own, with cookies of its own."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


def opened(context: BrowserContext, address: str) -> Page:
    """Open a page and wait until it is alive: it is drawn, and what is pressed arrives."""
    page = context.new_page()
    page.goto(address)
    alive(page)
    return page


def alive(page: Page) -> None:
    """Wait until a page is drawn and connected."""
    page.wait_for_selector("main")
    page.wait_for_function("window.did_handshake === true")


def axe(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return the serious violations of accessibility on a page, each with where it is.

    Args:
        page: What is looked at, as it is.
        rules: Only these; none: all.
    """
    only = {"runOnly": list(rules)} if rules else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **only}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]} ({node.get('failureSummary', '')[:300]})"
        for rule in found
        if rule["impact"] in _SERIOUS
        for node in rule["nodes"]
    ]


def problems(page: Page, name: str) -> list[str]:
    """Return what is not accessible on a page in daylight and in the dark, and whether phones scroll it sideways."""
    unfold(page)
    shot(page, f"{name}-light")
    found = axe(page)
    page.emulate_media(color_scheme="dark")
    shot(page, f"{name}-dark")
    found += [f"dark: {problem}" for problem in axe(page, _COLOURS)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    shot(page, f"{name}-phone")
    if is_too_wide(page):
        found.append("it must be scrolled sideways")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    return [f"{name}: {problem}" for problem in found]


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def shot(page: Page, name: str) -> None:
    """Take a picture of a whole page, where somebody wants to look at pictures."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS, f"{name}.png")), full_page=True)


def is_too_wide(page: Page) -> bool:
    """Return whether a page must be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
