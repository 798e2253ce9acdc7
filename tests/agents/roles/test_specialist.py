from collections.abc import Callable
from typing import Any

import pytest

from agents.contracts import Assignment
from agents.roles.specialist import LAST_WORD, MAX_ROUNDS, SpecialistPlayer
from agents.team import Team
from agents.tools.registry import Tool, Toolbox
from domain.briefings import Briefing, BriefingPart
from domain.errors import MalformedAnswer
from domain.events import ModelCalled, ToolCalled, ToolReturned
from domain.outcomes import Source, StepResult, Usage
from domain.plans import Step
from prompts.loader import Prompts

Opened = Callable[..., Any]

READ = {"tool_calls": [{"name": "read", "args": {"path": "report.md"}}]}
ANSWER = {"content": "Sales were 12 [report.md]."}


def reading(path: str) -> dict[str, Any]:
    return {"name": "read", "args": {"path": path}}


@pytest.fixture
def worked(team: Team, briefing: Briefing, read_tool: Tool, write_tool: Tool) -> Callable[..., Any]:
    """Has the researcher do a step on a stage."""

    async def work(on: Any) -> StepResult:
        assignment = Assignment(
            goal="How were sales?", briefing=briefing, team=team, emit=on.events.append,
            step=Step(id="find", agent="researcher", task="Find the sales."), specialist=team.specialist("researcher"),
            inputs={}, tools=Toolbox.of([read_tool, write_tool]),
        )  # fmt: skip
        return await SpecialistPlayer(lambda _: on.model, Prompts().load("specialist"))(assignment)

    return work


def replies(on: Any) -> list[str]:
    """Return what the tools told the model in the last request."""
    return [m["content"] for m in on.sent()[-1]["messages"] if m["role"] == "tool"]


async def test_answers_at_once(stage: Opened, worked: Callable[..., Any]) -> None:
    result = await worked(stage(ANSWER))
    assert result == StepResult(
        step="find", agent="researcher", text="Sales were 12 [report.md].", confidence=0.6, seconds=result.seconds,
        usage=Usage(calls=1, input_tokens=10, output_tokens=5),
    )  # fmt: skip


async def test_works_with_its_tools(stage: Opened, worked: Callable[..., Any]) -> None:
    on = stage(READ, ANSWER)
    result = await worked(on)
    assert result == StepResult(
        step="find", agent="researcher", text="Sales were 12 [report.md].", data={"rows": [[12]]},
        sources=[Source(name="report.md", locator="line 1", quote="Sales were 12.")], confidence=0.7,
        seconds=result.seconds, usage=Usage(calls=2, input_tokens=20, output_tokens=10),
    )  # fmt: skip
    assert replies(on) == ['<data name="read">\nSales were 12.\n</data>']


async def test_tool_calls_are_events(stage: Opened, worked: Callable[..., Any]) -> None:
    on = stage(READ, ANSWER)
    await worked(on)
    assert [type(event) for event in on.events] == [ModelCalled, ToolCalled, ToolReturned, ModelCalled]
    called, returned = on.events[1:3]
    assert called == ToolCalled(step="find", tool="read", args={"path": "report.md"})
    assert returned == ToolReturned(step="find", tool="read", seconds=returned.seconds, summary="Sales were 12.")


async def test_several_calls_in_one_round(stage: Opened, worked: Callable[..., Any]) -> None:
    on = stage({"tool_calls": [reading("secrets.md"), reading("report.md")]}, ANSWER)
    result = await worked(on)
    assert ["failed" in reply for reply in replies(on)] == [True, False]
    assert [source.name for source in result.sources] == ["report.md"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (reading("secrets.md"), "path_not_allowed"),
        ({"name": "read", "args": {"page": 1}}, "invalid_arguments"),
        ({"name": "read", "args": "{broken"}, "invalid_arguments"),
        ({"name": "fetch", "args": {}}, "tool_refused"),
        ({"name": "write_file", "args": {"path": "a", "text": "b"}}, "tool_refused"),
    ],
    ids=["refused", "misfit", "not-json", "unknown", "writes"],
)
async def test_failed_call_is_told_to_the_model(
    stage: Opened, worked: Callable[..., Any], call: dict[str, Any], code: str
) -> None:
    on = stage({"tool_calls": [call]}, ANSWER)
    result = await worked(on)
    assert replies(on)[0].startswith(f'<data name="{call["name"]} failed">\n{code}: ')
    assert [e.failure.code for e in on.events if isinstance(e, ToolReturned) and e.failure] == [code]
    assert result.status == "done"


async def test_tools_that_write_are_not_offered(stage: Opened, worked: Callable[..., Any]) -> None:
    on = stage(ANSWER)
    await worked(on)
    assert [tool["function"]["name"] for tool in on.sent()[0]["tools"]] == ["read"]


async def test_rounds_are_bounded(stage: Opened, worked: Callable[..., Any]) -> None:
    on = stage(*[READ] * MAX_ROUNDS, {"match": LAST_WORD, **ANSWER})
    assert (await worked(on)).text == "Sales were 12 [report.md]."
    assert "tools" not in on.sent()[-1]


async def test_empty_answer(stage: Opened, worked: Callable[..., Any]) -> None:
    with pytest.raises(MalformedAnswer, match="empty"):
        await worked(stage({"content": " "}, {"content": " "}))


@pytest.mark.parametrize(("parts", "shown"), [(("brand_voice",), "Voice: tone: plain"), ((), "Voice: none")])
async def test_the_voice_reaches_who_asks_for_it(
    stage: Opened, team: Team, briefing: Briefing, parts: tuple[BriefingPart, ...], shown: str
) -> None:
    on = stage(ANSWER)
    writer = team.specialist("writer").model_copy(update={"briefing": parts})
    assignment = Assignment(
        goal="Tell it.", briefing=briefing.only(parts), team=team, emit=on.events.append, inputs={},
        step=Step(id="tell", agent="writer", task="Tell it."), specialist=writer, tools=Toolbox.of([]),
    )  # fmt: skip
    await SpecialistPlayer(lambda _: on.model, Prompts().load("specialist"))(assignment)
    assert f"\n{shown}\n" in on.sent()[0]["messages"][1]["content"]
