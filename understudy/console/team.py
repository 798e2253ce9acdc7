"""The page of the team: who is in it, how they did over time, what is worth its price, its tools and its trials."""

from typing import Literal, get_args

from agents.delegation.standings import Standing
from agents.team import Team
from memory.success import wilson
from understudy.cli.text import one_line
from understudy.console import pareto
from understudy.console.frame import empty, page
from understudy.console.markup import Child, Column, Html, Tone, badge, dollars, duration, el, share_bar, table
from understudy.console.markup_view import Field, Tab, filters, section, sheet, show, tabs
from understudy.console.parts import heading, text
from understudy.console.team_multiples import courses, multiples
from understudy.console.team_trials import trials_part
from understudy.service.caller import Caller
from understudy.tool_desk import Standing as ToolStanding

_TABS = (
    Tab("Specialists", "/team"), Tab("Performance", "/team/performance"), Tab("Worth its price", "/team/front"),
    Tab("Tools", "/team/tools"), Tab("Trials", "/team/trials"),
)  # fmt: skip
_BREAKERS: dict[str, Tone] = {"closed": "good", "half_open": "warn", "open": "bad"}
_ROWS = 100
"""Lines of a table that are shown, those with the most runs."""
_NO_RUNS = "Nothing has been run here yet."
_RUN_FIRST = "Ask for something in the chat; what came of it is counted here."
Of = Literal["sequences", "agents"]


async def _team(caller: Caller) -> Team:
    return await caller.installation.house.team(caller.orchestrator.context.team)


def _tabs(here: str, caller: Caller) -> None:
    sheet()
    tabs("Views of the team", _TABS, here, caller)


@page("/team", title="Team", permission="read")
async def specialists(caller: Caller) -> None:
    """Build the list of specialists."""
    _tabs("/team", caller)
    team = await _team(caller)
    heading(f"{team.name}, version {team.version}")
    text(one_line(team.description, 600), "soft", tag="p")
    rows: list[list[Child]] = [
        [
            el("strong", s.name), one_line(s.description, 400), ", ".join(s.tools) or "–", s.model or "–",
            s.fallback or "–", ", ".join(s.alternatives) or "–",
        ]
        for s in team.specialists
    ]  # fmt: skip
    columns = [Column("specialist"), Column("does", "long"), Column("tools"), Column("model"), Column("fallback")]
    show(table("Specialists", [*columns, Column("alternatives")], rows))


@page("/team/performance", title="Team", permission="read")
async def performance(caller: Caller) -> None:
    """Build how the latest runs went."""
    _tabs("/team/performance", caller)
    found = await caller.orchestrator.performance()
    if not found.overall.runs:
        empty(_NO_RUNS, _RUN_FIRST)
        return
    trend = "" if found.trend is None else f"; the later half {found.trend:+.0%} against the earlier one"
    text(f"{found.overall.runs:,} runs, {found.overall.rate:.0%} succeeded{trend}.", "lead", tag="p")
    episodes = await caller.orchestrator.lessons.episodes.recent(caller.workspace)
    over_time = courses(episodes)
    section(
        "Success over time, by agent",
        multiples(over_time) if over_time else None,
        absent="No run says anything about an agent yet.",
    )
    standings = await caller.orchestrator.standings()
    section("By kind of step and agent", _standings(standings[:_ROWS]) if standings else None)
    if found.errors:
        rows: list[list[Child]] = [[el("code", code), str(count)] for code, count in found.errors[:_ROWS]]
        section("Usual errors", table("Usual errors", [Column("code"), Column("runs", "number")], rows))


def _standings(found: list[Standing]) -> Html:
    rows: list[list[Child]] = []
    for s in found:
        low, high = wilson(s.successes, s.tasks)
        rate = s.successes / s.tasks
        told = f"{rate:.0%}, between {low:.0%} and {high:.0%}"
        rows.append([
            s.kind.replace("_", " "), el("strong", s.agent), str(s.tasks), told, share_bar(rate, told, low, high),
            f"{s.quality:.2f}", duration(s.seconds), dollars(s.cost),
        ])  # fmt: skip
    columns = [Column("kind of step"), Column("agent"), Column("steps", "number"), Column("succeeded")]
    rest = [Column("", "plot"), *(Column(name, "number") for name in ("quality", "mean time", "mean cost"))]
    return table("How each agent did at each kind of step, with 95 % intervals", [*columns, *rest], rows)


@page("/team/front", title="Team", permission="read")
async def worth(caller: Caller, of: str = "", against: str = "", kind: str = "") -> None:
    """Build quality against what it takes."""
    _tabs("/team/front", caller)
    of = of if of in get_args(Of) else "sequences"
    axis: pareto.Axis = "dollars" if against == "cost" else "seconds"
    standings = await caller.orchestrator.standings()
    kinds = sorted({s.kind for s in standings}, key=lambda k: -sum(s.tasks for s in standings if s.kind == k))
    kind = kind if kind in kinds else (kinds[0] if kinds else "")
    fields = [
        Field("of", "What is compared", of, get_args(Of), needed=True),
        Field("against", "Against", "cost" if axis == "dollars" else "time", ("time", "cost"), needed=True),
    ]
    if of == "agents" and kinds:
        fields.append(Field("kind", "Kind of step", kind, kinds, needed=True))
    filters("/team/front", caller, fields)
    if of == "agents":
        choices, caption = pareto.agents(standings, kind), f"Agents at steps of kind {kind}"
    else:
        episodes = await caller.orchestrator.lessons.episodes.recent(caller.workspace)
        choices, caption = pareto.sequences(episodes), "Sequences of agents"
    if not choices:
        empty(_NO_RUNS, _RUN_FIRST)
        return
    text(
        "On the front is whoever no other beats in both: better work for no more, or the same for less. "
        "A failed run counts as quality 0, one that nobody judged as 1.",
        "soft",
        tag="p",
    )
    show(pareto.picture(caption, choices, axis))


@page("/team/tools", title="Team", permission="read")
async def tools(caller: Caller) -> None:
    """Build how the tools stand."""
    _tabs("/team/tools", caller)
    found = await caller.orchestrator.tools.standings()
    if not found:
        empty("The team has no tools.", "Declare tools in the team file; built-in ones come with a folder of data.")
        return
    columns = [Column("tool", "long"), Column("from"), Column("effect"), Column("declared"), Column("next call works")]
    rest = [Column("", "plot"), Column("calls", "number"), Column("mean time", "number"), Column("breaker")]
    show(table("Tools", [*columns, *rest], [_tool(each) for each in found]))


def _tool(standing: ToolStanding) -> list[Child]:
    tool, seen = standing.tool, standing.seen
    told = f"{standing.expected:.0%} expected"
    about = el("details", el("summary", el("strong", tool.name)), el("p", one_line(tool.description, 600)))
    return [
        about,
        tool.origin,
        badge("writes", "warn") if tool.effect == "write" else tool.effect,
        tool.level.lower(),
        told,
        share_bar(standing.expected, told),
        f"{seen.calls:,}",
        duration(seen.seconds / seen.weight) if seen.weight else "–",
        badge(standing.breaker.replace("_", " "), _BREAKERS.get(standing.breaker, "plain")),
    ]


@page("/team/trials", title="Team", permission="read")
async def trials(caller: Caller) -> None:
    """Build the trials."""
    _tabs("/team/trials", caller)
    await trials_part(caller)
