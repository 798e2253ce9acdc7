"""A conversation whose team has a model: its words as they come, and what they cannot do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agents.team import Quality
from evals.scripted import ScriptedServer
from tests.understudy.console.browser import Console, Consoles
from tests.understudy.console.conftest import settings_in
from tests.understudy.console.lived_in import go
from understudy.settings import Settings

HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> [here](javascript:window.hit=1) **bold**'
TEXT = "Renewables grew most [iowa_electricity], from a small share to the largest one, and coal fell as they did. " * 8
GOAL = "Which source of electricity grew most, and by how much?"
SLOW = 30_000


def planned(text: str) -> list[dict[str, Any]]:
    """What a model answers until a step of its plan is at work, with a text wherever it may say what it likes."""
    plan = {"steps": [{"id": "find", "agent": "search", "task": text}], "rationale": text}
    return [
        {"match": "You are the supervisor",
         "content": {"route": "plan", "kind": "analysis", "message": "", "reason": text}},
        {"match": "You plan the work", "content": {"alternatives": [plan]}},
        {"match": "You review a plan", "content": {"problems": []}},
    ]  # fmt: skip


JUDGED: dict[str, Any] = {
    "match": "You judge a draft", "content": {"aspects": dict.fromkeys(Quality().critique_aspects, 1), "issues": []}
}  # fmt: skip
HOSTILE_SCRIPT = [*planned(HOSTILE), {"match": "You are `search`", "content": f"{TEXT}{HOSTILE}"}, JUDGED]


@pytest.fixture
def console(bare_environment: None, consoles: Consoles, request: pytest.FixtureRequest) -> Iterator[Console]:
    """A console whose model follows the script that a test names."""

    @contextmanager
    def scripted(folder: Path) -> Iterator[Settings]:
        replies: Sequence[Any] = request.param
        with ScriptedServer(replies) as server:
            yield settings_in(
                folder, openai_api_key="sk-test-key-0123456789", openai_base_url=server.base_url, drain_grace=0.05
            )

    yield consoles.shown(request.node.name, scripted)
    consoles.close()


def ask(page: Page, console: Console) -> None:
    go(page, console, "/")
    page.get_by_label("What should be done?").fill(GOAL)
    page.get_by_role("button", name="Send").click()


@pytest.mark.parametrize("console", [HOSTILE_SCRIPT], indirect=True, ids=["hostile"])
def test_what_a_model_writes_is_shown_and_does_nothing(console: Console, page: Page) -> None:
    ask(page, console)
    expect(page.locator(".part.head")).to_contain_text("Done", timeout=SLOW)
    page.get_by_text("Why this route").click()
    page.locator(".step summary").first.click()
    expect(page.locator(".answer-text strong")).to_have_text("bold")
    expect(page.locator(".step .hint").first).to_contain_text("<script>window.hit=1</script>")
    assert page.evaluate("window.hit") is None
    assert page.locator("#turns img, #turns script, #turns a[href^=javascript]").count() == 0
