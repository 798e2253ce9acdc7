"""A specialist: does one step with its own tools, in a bounded loop of model calls and tool calls."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agents.contracts import Assignment
from agents.handing import Handing
from agents.models import Model, conversation, text_of, usage_of
from agents.roles import sections
from agents.streaming import as_it_stands
from agents.team import Specialist
from agents.tools.registry import Toolbox, ToolOutput
from domain.errors import InvalidArguments, ToolError
from domain.events import ToolCalled, ToolReturned
from domain.outcomes import Failure, Source, StepResult, Usage
from prompts.loader import Prompt, Rendered
from prompts.quoting import DATA_RULE, quoted

MAX_ROUNDS = 6
"""Rounds of tool calls before the specialist must answer."""
CONFIDENCE_SOURCED = 0.7
"""Confidence in a finding whose tools named sources."""
CONFIDENCE_UNSOURCED = 0.6
"""Confidence in a finding without sources of its own."""
HANDED_CHARS = 2 * sections.RESULT_CHARS
"""Characters of an earlier step's text that a prompt shows: its tables stand in it, too."""
SUMMARY_CHARS = 200
"""Characters of a tool's output that its event shows."""
QUOTED_CHARS = 1000
"""Characters of a tool's output that stay with a finding as its source's words."""
LAST_WORD = "No tool calls are left. Answer now from what you have found, and say what was not found."


class _Called(NamedTuple):
    """A finished tool call."""

    tool: str
    message: ToolMessage
    output: ToolOutput | None

    @property
    def sources(self) -> list[Source]:
        """Where its output comes from, with what it said: who judges the finding sees no more of the call than that."""
        if self.output is None:
            return []
        quote = self.output.text[:QUOTED_CHARS]
        named = self.output.sources or (Source(name=self.tool),)
        return [source if source.quote else source.model_copy(update={"quote": quote}) for source in named]


@dataclass
class _Work:
    """What a specialist has gathered so far."""

    messages: list[BaseMessage]
    prompt: str
    """The template that they began with."""
    usage: Usage = Usage()
    calls: list[_Called] = field(default_factory=list)

    @property
    def sources(self) -> list[Source]:
        """Every source once, in the order found."""
        return list(dict.fromkeys(source for call in self.calls for source in call.sources))

    @property
    def data(self) -> dict[str, Any]:
        """The last structured output."""
        return next((call.output.data for call in reversed(self.calls) if call.output and call.output.data), {})


@dataclass(frozen=True)
class SpecialistPlayer:
    """Works with a model, the specialist's own where it has one."""

    model_for: Callable[[Specialist], Model]
    prompt: Prompt
    handing: Handing = field(default_factory=Handing)

    async def __call__(self, request: Assignment) -> StepResult:
        """Return what the step found."""
        started = time.perf_counter()
        rendered = self.rendered(request)
        work = _Work(conversation(rendered), rendered.template)
        text = await _worked(self.model_for(request.specialist), request, work)
        return StepResult(
            step=request.step.id,
            agent=request.specialist.name,
            text=text,
            data=work.data,
            sources=work.sources,
            confidence=CONFIDENCE_SOURCED if work.sources else CONFIDENCE_UNSOURCED,
            seconds=time.perf_counter() - started,
            usage=work.usage,
        )

    def rendered(self, request: Assignment) -> Rendered:
        """Return the text for the model."""
        wanted = request.specialist.briefing
        return self.prompt.render(
            data_rule=DATA_RULE,
            corrections=sections.corrections(request.briefing),
            team=sections.team(request.team),
            name=request.specialist.name,
            description=request.specialist.description,
            instructions=request.specialist.prompt,
            constraints=sections.constraints(request.team),
            today=request.briefing.today,
            voice=sections.voice(request.team, request.briefing) if "brand_voice" in wanted else sections.NONE,
            circumstances=sections.circumstances(request.briefing),
            materials=sections.materials(request.briefing),
            inputs=sections.results(self.handing.inputs(request), limit=HANDED_CHARS),
            goal=sections.goal(request),
            task=request.step.task,
        )


async def _worked(model: Model, request: Assignment, work: _Work) -> str:
    """Return the final answer after at most `MAX_ROUNDS` rounds of tool calls."""
    tools = _offered(request.tools)
    schemas = [tool.schema() for tool in tools.tools.values()]
    for _ in range(MAX_ROUNDS):
        answer = await _said(model, request, work, schemas)
        if not (answer.tool_calls or answer.invalid_tool_calls):
            return text_of(answer)
        called = await asyncio.gather(*_calls(answer, request, tools))
        work.messages += [answer, *(call.message for call in called)]
        work.calls += called
    work.messages.append(HumanMessage(LAST_WORD))
    return text_of(await _said(model, request, work, []))


async def _said(model: Model, request: Assignment, work: _Work, schemas: list[dict[str, Any]]) -> AIMessage:
    answer = await model.call(
        work.messages, role="specialist", emit=request.emit, tools=schemas, prompt=work.prompt, shown=as_it_stands
    )
    work.usage += usage_of(answer)
    return answer


def _offered(tools: Toolbox) -> Toolbox:
    """Return the tools without those that write: a loop must not have effects that nobody approved."""
    return tools.only(name for name, tool in tools.tools.items() if tool.effect != "write")


def _calls(answer: AIMessage, request: Assignment, tools: Toolbox) -> list[Any]:
    """Return the tool calls that the model asks for, to be awaited together."""
    good = [_call(request, tools, c["name"], c["args"], c["id"] or "") for c in answer.tool_calls]
    bad = [_call(request, tools, c["name"] or "", None, c["id"] or "") for c in answer.invalid_tool_calls]
    return good + bad


async def _call(request: Assignment, tools: Toolbox, name: str, args: dict[str, Any] | None, call_id: str) -> _Called:
    """Call a tool; a `ToolError` goes back to the model as the call's result."""
    request.emit(ToolCalled(step=request.step.id, tool=name, args=args or {}))
    started = time.perf_counter()
    output, failure = None, None
    try:
        output = await _run(tools, name, args)
        content = quoted(name, output.text, limit=sections.RESULT_CHARS)
    except ToolError as error:
        failure = Failure(code=error.code, message=str(error))
        content = quoted(f"{name} failed", f"{failure.code}: {failure.message}")
    seconds = time.perf_counter() - started
    summary = output.text[:SUMMARY_CHARS] if output else ""
    request.emit(ToolReturned(step=request.step.id, tool=name, seconds=seconds, summary=summary, failure=failure))
    return _Called(name, ToolMessage(content, tool_call_id=call_id), output)


async def _run(tools: Toolbox, name: str, args: dict[str, Any] | None) -> ToolOutput:
    if args is None:
        msg = f"{name}: the arguments are not a JSON object"
        raise InvalidArguments(msg)
    return await tools.get(name).call(args)
