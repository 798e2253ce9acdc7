"""A run that goes on in the browser: reloaded in the middle, stopped, carried on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from evals.scripted import ScriptedServer
from tests.understudy.console.browser import Console, alive, opened, shot
from tests.understudy.console.conftest import Configured, settings_in
from understudy.settings import Settings

GOAL = "Explain in detail what a heat pump does"
SLOW = 30_000


@contextmanager
def silent(folder: Path) -> Iterator[Settings]:
    """A model that is asked and never answers."""
    with ScriptedServer([{"hang": 60}], repeat="cycle") as server:
        yield settings_in(
            folder, openai_api_key="sk-test-key-0123456789", openai_base_url=server.base_url, drain_grace=0.05
        )


@pytest.fixture(scope="module")
def configured() -> Configured:
    """A console whose runs go on until they are stopped."""
    return silent


def test_a_run_is_reloaded_stopped_and_carried_on(console: Console, window: BrowserContext) -> None:
    page = opened(window, console.at("/c/long"))
    page.get_by_label("What should be done?").fill(GOAL)
    page.get_by_role("button", name="Send").click()
    head = page.locator(".part.head")
    expect(head).to_contain_text("Working", timeout=SLOW)
    page.reload()
    alive(page)
    expect(head).to_contain_text("Working")
    shot(page, "chat-working-light")
    second = opened(window, page.url)
    page.get_by_role("button", name="Stop").click()
    expect(head).to_contain_text("Stopped", timeout=SLOW)
    expect(second.locator(".part.head")).to_contain_text("Stopped", timeout=SLOW)
    shot(page, "chat-stopped-light")
    page.get_by_role("button", name="Resume").click()
    expect(head).to_contain_text("Working")
    page.get_by_role("button", name="Stop").click()
    expect(head).to_contain_text("Stopped", timeout=SLOW)
