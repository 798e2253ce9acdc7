"""How quickly the console's pages come and answer, in a headless Chromium."""

import shutil
import statistics
import time
from typing import TYPE_CHECKING

from domain.errors import MissingExtra
from evals.benchmarks.serve_clients import quantile
from evals.benchmarks.serve_stage import Stage
from evals.report import Aim

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

PAGES_AIMS = (
    Aim("pages.cold_ms", "<=", 1000),
    Aim("pages.warm_p50_ms", "<=", 1000),
    Aim("pages.interaction_p95_ms", "<=", 100),
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_MILLISECONDS = 20_000
_PRESSES = 3
_SOCKET_READY = "() => window.socket && window.socket.connected"
_DRAWN = """([root, act]) => new Promise(done => {
    const began = performance.now()
    const seen = new MutationObserver(() => {
        seen.disconnect()
        requestAnimationFrame(() => done(performance.now() - began))
    })
    seen.observe(document.querySelector(root), {attributes: true, subtree: true, characterData: true, childList: true})
    document.querySelector(act).click()
})"""
"""Presses something, and returns the milliseconds until a part of the page has changed and is drawn."""
_IN_PAGE, _WITH_SERVER = ["html", "#theme"], ["#toasts", "form.composer button[type=submit]"]
"""What the page does by itself, and what the server answers: that there is nothing to send."""


async def pages(stage: Stage, *, visits: int) -> dict[str, object]:
    """Visit the console and return the figures.

    Raises:
        MissingExtra: The package playwright, or a Chromium, is not installed.
    """
    try:
        from playwright.async_api import async_playwright
    except ImportError as error:
        msg = "playwright is not installed; install it with: pip install playwright"
        raise MissingExtra(msg) from error
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        msg = "there is no Chromium (Debian: apt-get install chromium)"
        raise MissingExtra(msg)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            return await _visited(browser, f"{stage.urls[0]}/console", visits)
        finally:
            await browser.close()


async def _visited(browser: "Browser", url: str, visits: int) -> dict[str, object]:
    """Look at the pages: with nothing known, with what a browser keeps, and at what presses of a key do."""
    cold, warm, other = list[float](), list[float](), list[float]()
    pressed, asked = list[float](), list[float]()
    for _ in range(visits):
        context = await browser.new_context()
        page = await context.new_page()
        page.set_default_timeout(_MILLISECONDS)
        cold.append(await _loaded(page, url))
        warm.append(await _loaded(page, url))
        other.append(await _followed(page, "Runs"))
        await page.wait_for_function(_SOCKET_READY)
        pressed += [await page.evaluate(_DRAWN, _IN_PAGE) for _ in range(_PRESSES)]
        await _loaded(page, url)
        await page.wait_for_function(_SOCKET_READY)
        asked += [await page.evaluate(_DRAWN, _WITH_SERVER) for _ in range(_PRESSES)]
        await context.close()
    return {
        "visits": visits,
        "first_ever_ms": cold[0], "cold_ms": statistics.median(cold), "warm_p50_ms": statistics.median(warm),
        "next_page_p50_ms": statistics.median(other), "interactions": len(pressed) + len(asked),
        "in_page_p95_ms": quantile(pressed, 0.95), "with_server_p95_ms": quantile(asked, 0.95),
        "interaction_p50_ms": quantile(pressed + asked, 0.5), "interaction_p95_ms": quantile(pressed + asked, 0.95),
    }  # fmt: skip


async def _loaded(page: "Page", url: str) -> float:
    """Return the milliseconds until a page is there with its heading and everything that it loads."""
    began = time.perf_counter()
    await page.goto(url, wait_until="load")
    await page.wait_for_selector("h1")
    return 1000 * (time.perf_counter() - began)


async def _followed(page: "Page", name: str) -> float:
    """Return the milliseconds from pressing a link of the navigation until that page is there."""
    began = time.perf_counter()
    await page.click(f"nav >> text={name}")
    await page.wait_for_selector(f"h1:has-text('{name}')")
    return 1000 * (time.perf_counter() - began)
