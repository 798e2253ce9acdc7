"""What the pages that look back are shown with: real runs of a team without models."""

from playwright.sync_api import Page

from tests.understudy.console.browser import Console, alive
from understudy.orchestrator import Orchestrator

QUESTION = "Which year had the most wind in Iowa?"
BRIEF = "Write a brief about wind power in Iowa"
HOSTILE = '<img src=x onerror="document.title=1"> </text><script>document.title=2</script> wind \u202egnp power'
APPROVED = {"decisions": [{"type": "approve"}]}


async def run_of(orchestrator: Orchestrator, goal: str) -> str:
    """Have a goal run to its end, whatever is asked approved, and return the run's id."""
    result = await orchestrator.run(goal)
    if result.pending is not None:
        last = [stamped async for stamped in orchestrator.resume(result.thread, APPROVED)][-1]
        return last.run
    return result.events[-1].run


def go(page: Page, console: Console, path: str) -> None:
    """Open a page of the console in a tab, and wait until it is alive."""
    page.goto(console.at(path))
    alive(page)
