import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from evals.comparison import compared
from evals.report_page import page
from evals.results import PromptDrift, SuiteResult, TaskResult, TurnScores
from evals.scoring.expectations import Score
from evals.turn_traces import StepTrace, TurnTrace

EVIL = "<script>alert('x')</script>"
GOOD, BAD = (0x1A, 0x7F, 0x4B), (0xC0, 0x36, 0x2C)
"""What passes and what fails is drawn in these by day."""


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.heads: list[tuple[str, str]] = []
        self.text = ""
        self._head: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self._head = dict(attrs).get("class") if tag == "th" else None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._head is not None:
            self.heads.append((data, self._head))


def task(name: str, *, good: bool) -> TaskResult:
    score = Score(name="result.contains", value=float(good), passed=good, detail="" if good else f"it says {EVIL}")
    tokens = Score(name="efficiency.tokens", value=1234, kind="efficiency")
    drift = PromptDrift(role="planner", position=1, diff=f"@@ -1 +1 @@\n-{EVIL}\n+be brief", answered=True)
    trace = TurnTrace(
        turn=1,
        said=f"Post it {EVIL}",
        run=["route: memory reader > writer (reuse, confidence 0.91)"],
        steps=[StepTrace(step="s1", agent="writer", status="done" if good else "failed", lines=["files.write(out/a)"])],
        questions=[f"publish: {EVIL} - approve"],
        status="done",
        answer=EVIL,
    )
    turns = [TurnScores(turn=1, scores=[score, tokens])]
    return TaskResult(suite="home", task=name, turns=turns, traces=[trace], drifts=[drift], changed_output=not good)


def read(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    return seen


def report(failing: int = 4) -> str:
    before = [task(f"t{n:02}", good=True) for n in range(12)]
    after = [task(f"t{n:02}", good=n >= failing) for n in range(12)]
    return page([SuiteResult(name="home", results=after)], title="Home", comparison=compared(before, after))


def test_the_page_stands_alone_and_shows_failures_first() -> None:
    suite = SuiteResult(name="home", results=[task("alpha", good=True), task("beta", good=False)])
    seen = read(page([suite], title="home at 0.1"))
    assert "1 of 2 tasks pass" in seen.text
    assert seen.text.index("beta") < seen.text.index("alpha")
    assert "svg" in seen.tags


def test_every_link_leads_to_a_task_of_the_page() -> None:
    seen = read(report())
    assert {link.removeprefix("#") for link in seen.links} == set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids)) == 12


def test_headings_of_numbers_stand_over_their_numbers() -> None:
    heads = dict(read(report()).heads)
    assert {heads[name] for name in ("rate", "tokens", "change", "95 % interval", "value", "plays")} == {"n"}


def test_a_task_shows_what_happened_in_it() -> None:
    text = read(report()).text
    for told in ("route: memory reader > writer", "s1", "files.write(out/a)", "publish:", "+be brief", "1,234"):
        assert told in text


def test_nothing_from_a_task_becomes_markup() -> None:
    broken = TaskResult(suite="x", task="y", error=EVIL)
    suite = SuiteResult(name=EVIL, results=[task(EVIL, good=False), broken])
    seen = read(page([suite], title=EVIL, comparison=compared([task(EVIL, good=True)], [task(EVIL, good=False)])))
    assert "script" not in seen.tags
    assert EVIL in seen.text


def test_a_comparison_is_shown_with_verdicts_flips_and_where_they_part() -> None:
    text = read(report(failing=6)).text
    for told in ("worse", "now fails", "- step s1 ended done", "+ step s1 ended failed"):
        assert told in text


def test_what_is_the_same_is_folded_and_what_goes_over_lines_is_told_in_short() -> None:
    before = [task(f"task-{n}", good=True) for n in range(7)]
    drifted = "call 1 was never recorded like this:\n--- recorded\n+++ asked now"
    after = [TaskResult(suite="home", task=f"task-{n}", error=drifted if n < 6 else "") for n in range(7)]
    text = page([SuiteResult(name="home", results=after)], title="Home", comparison=compared(before, after))
    assert text.count("<li>call 1 was never recorded like this:</li>") == 2 * 6
    assert "1 of 7 tasks pass in the second version" in read(text).text
    alike = read(page([SuiteResult(name="home", results=before)], title="Home", comparison=compared(before, before)))
    assert "2 other metrics are the same" in alike.text


def test_no_suites_make_a_page_too() -> None:
    assert "0 of 0 tasks pass" in read(page([], title="empty")).text


@pytest.fixture
def browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium")
    assert found, "the page is looked at in Chromium, which is not installed"
    return found


def test_a_browser_draws_the_page(browser: str, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(report(), encoding="utf-8")
    wide, high = 900, 1500
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={wide},{high}",
            f"--screenshot={tmp_path / 'report.png'}", "--dump-dom", (tmp_path / "report.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    drawn = read(done.stdout)
    assert drawn.tags.count("svg") == read(report()).tags.count("svg") > 12
    assert "8 of 12 tasks pass" in drawn.text
    pixels = (imread(tmp_path / "report.png")[:, :, :3] * 255).round().astype(int)
    assert pixels.shape[:2] == (high, wide)
    assert (pixels[0, 0] == 255).all(), "the page is white by day"
    inked = (pixels != 255).any(axis=2).any(axis=1)
    assert np.flatnonzero(inked)[-1] > 0.9 * high, "the page is longer than the window"
    good, bad = ((pixels == colour).all(axis=2).sum() for colour in (GOOD, BAD))
    assert good > bad > 100, "eight of twelve are drawn green, the rest red"
