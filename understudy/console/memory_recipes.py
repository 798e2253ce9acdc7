"""The page of recipes: patterns in what succeeded, and the plans with gaps that they became."""

from memory.recipes import Recipe
from understudy.cli.text import one_line
from understudy.console.frame import empty, page
from understudy.console.markup import Child, Column, Html, badge, el, score, share_bar, table, when
from understudy.console.markup_view import pages, show
from understudy.console.memory_tabs import memory_tabs
from understudy.console.parts import text
from understudy.service.caller import Caller

_SIZE = 25


@page("/memory/recipes", title="Memory", permission="read")
async def recipes(caller: Caller, number: int = 1) -> None:
    """Build the page."""
    memory_tabs("/memory/recipes", caller)
    found = await caller.orchestrator.lessons.recipes.patterns(caller.workspace)
    if not found:
        empty(
            "No pattern was seen yet.", "Goals of one kind that succeed more than once make one; three make a recipe."
        )
        return
    text("A pattern that held often enough is a recipe: its plan is used for new goals of its kind.", "soft", tag="p")
    count = -(-len(found) // _SIZE)
    number = min(max(1, number), count)
    show(_table(found[(number - 1) * _SIZE : number * _SIZE]))
    pages("/memory/recipes", caller, number, count, {})


def _table(found: list[Recipe]) -> Html:
    rows: list[list[Child]] = [
        [
            el("span", one_line(r.name, 140), _examples(r)),
            badge("recipe", "good") if r.ready else badge("pattern"),
            " → ".join(r.sequence),
            f"{r.successes} of {r.successes + r.failures}",
            str(r.used),
            score(r.confidence),
            share_bar(r.confidence, f"confidence {r.confidence:.2f}"),
            when(r.updated),
        ]
        for r in found
    ]
    columns = [Column("goal", "long"), Column("state"), Column("sequence"), Column("succeeded", "number")]
    rest = [Column("used", "number"), Column("confidence", "number"), Column("", "plot"), Column("last seen")]
    return table("Patterns and recipes", [*columns, *rest], rows)


def _examples(recipe: Recipe) -> Html:
    goals = (el("li", one_line(example.goal, 200)) for example in recipe.examples)
    return el("details", el("summary", f"{len(recipe.examples)} example(s)"), el("ul", *goals), class_="small-fold")
