from typing import Any

import pytest
from pydantic import BaseModel

from agents.planning.lacking import lacking
from agents.tools.registry import Tool, ToolOutput
from domain.plans import Plan, Step

ASKED = "How did the share of wind power in Iowa change between 2001 and 2017?"
SAVED = "Summarise how wind power grew in Iowa and save it as wind.md"


class Nothing(BaseModel):
    pass


async def done(_: Nothing) -> ToolOutput:
    return ToolOutput("done")


def tool(name: str, effect: Any = "write") -> Tool:
    return Tool(name, "Does it.", Nothing, done, effect=effect)


TOOLS = [tool(name) for name in ("write_file", "send_email", "reply_email", "buy_parts")]
TOOLS.append(tool("save_search", "none"))


def plan(*tools: str) -> Plan:
    look = Step(id="look", agent="read", task="look")
    acts = [Step(id=f"do_{n}", agent="write", task="do", tool=t, effect="write") for n, t in enumerate(tools)]
    return Plan(steps=[look, *acts])


@pytest.mark.parametrize(
    ("goal", "missing"),
    [
        (SAVED, ["write_file"]),
        ("Write the growth of wind power to a file", ["write_file"]),
        ("Tell me how wind power grew and send an email to Ann", ["reply_email", "send_email"]),
        ("Publish an article about wind power", ["write_file"]),
        ("Order the parts that the plan says", ["buy_parts"]),
    ],
)
def test_an_effect_that_the_goal_orders_and_the_plan_does_not_have_is_lacking(goal: str, missing: list[str]) -> None:
    assert lacking(plan(), goal, [ASKED], TOOLS) == missing


@pytest.mark.parametrize(
    "goal",
    [
        "How did wind power grow in Texas?",
        "Summarise how wind power grew in Iowa",
        "Which reports were saved last week?",
        "Suggest what to tell Ann, but do not send an email",
        "How much would it cost? Only tell me, order nothing.",
        "Summarise it without sending an email",
    ],
)
def test_what_is_not_ordered_is_not_lacking(goal: str) -> None:
    assert lacking(plan(), goal, [ASKED], TOOLS) == []


def test_what_the_plan_has_is_not_lacking() -> None:
    assert lacking(plan("write_file"), SAVED, [ASKED], TOOLS) == []


def test_what_another_tool_does_to_the_same_kind_of_thing_is_not_lacking() -> None:
    assert lacking(plan("reply_email"), "Send an email to Ann", [ASKED], TOOLS) == []


def test_what_another_tool_does_to_another_thing_is_lacking() -> None:
    goal = "Write a report and email it to Ann"
    assert lacking(plan("write_file"), goal, [ASKED], TOOLS) == ["reply_email", "send_email"]


def test_a_plan_that_did_without_it_for_such_a_goal_may_do_so_again() -> None:
    assert lacking(plan(), "Write a brief on wind", ["Write a brief on coal"], TOOLS) == []


def test_a_step_of_a_nested_plan_counts() -> None:
    outer = Step(id="outer", agent="write", task="all", steps=plan("write_file").steps)
    assert lacking(Plan(steps=[outer]), SAVED, [ASKED], TOOLS) == []
