"""Which writing tools a goal calls for."""

import pytest
from pydantic import BaseModel

from agents.planning.calling import calls_for
from agents.tools.registry import Attempt, Tool, ToolOutput


class Nothing(BaseModel):
    pass


def tool(name: str, description: str = "Does it.", *, undoable: bool = False, capability: str | None = None) -> Tool:
    async def run(parameters: Nothing) -> ToolOutput:
        return ToolOutput("")

    async def undo(attempt: Attempt, output: ToolOutput) -> ToolOutput:
        return ToolOutput("")

    return Tool(
        name, description, Nothing, run, effect="write", undo=undo if undoable else None, capability=capability
    )  # fmt: skip


@pytest.mark.parametrize(
    ("goal", "name"),
    [
        ("Write a brief on wind power", "write_file"),
        ("Please email the minutes to Ann", "send_email"),
        ("Forward Bob's mail to Ann", "send_email"),
        ("Pay the bill 'december.txt' for me", "send_money"),
        ("Send them the difference", "send_money"),
        ("Delete the email from Ann", "delete_email"),
        ("Cancel my dentist appointment", "cancel_calendar_event"),
        ("Make a reservation at the hotel in Paris", "reserve_hotel"),
        ("Invite Dora to Slack", "invite_user_to_slack"),
        ("Turn off the lights in the kitchen", "turn_off_light"),
        ("Frobnicate the widget", "frobnicate_widget"),
        ("Find the minutes and e-mail them to Ann", "send_email"),
        ("Could you please message Bob?", "send_direct_message"),
        ("Send the numbers to ann@example.org", "send_email"),
        ("Share the minutes with ann@example.org", "send_email"),
        ("Send the summary to #general", "send_channel_message"),
        ("Put the results in results.csv", "save_file"),
    ],
)
def test_a_goal_calls_for_what_it_names(goal: str, name: str) -> None:
    assert calls_for([goal], tool(name))


@pytest.mark.parametrize(
    ("goal", "name"),
    [
        ("What is my total spending in March?", "send_money"),
        ("Summarise the report", "send_email"),
        ("Pay the bill 'december.txt' for me", "update_password"),
        ("Pay the bill 'december.txt' for me", "delete_file"),
        ("Delete the email from Ann", "delete_file"),
        ("Which hotel in Paris is the best?", "reserve_hotel"),
        ("Send the minutes to Ann by e-mail", "send_money"),
        ("Tell me about widgets", "frobnicate_widget"),
        ("How many people work here?", "write_file"),
        ("What are we going to do on June 13 according to the file of the plans?", "delete_file"),
        ("Please give me their email addresses", "send_email"),
        ("What has ann@example.org sent?", "send_email"),
        ("Delete the entries of ann@example.org in log.csv", "delete_email"),
        ("Delete the entries of ann@example.org in log.csv", "send_email"),
        ("Delete the entries of Ann in log.csv", "delete_file"),
        ("When is my booking for the restaurant, and who has read the message?", "send_direct_message"),
    ],
)
def test_a_goal_does_not_call_for_the_rest(goal: str, name: str) -> None:
    assert not calls_for([goal], tool(name))


def test_what_was_said_before_counts() -> None:
    assert calls_for(["Write an email to Ann", "Now do it"], tool("send_email"))


def test_a_result_that_can_be_taken_back_may_be_written_for_every_goal_that_makes_something() -> None:
    goal = "Publish the figures for the board"
    assert calls_for([goal], tool("save_note", undoable=True))
    assert not calls_for(["What are the figures?"], tool("save_note", undoable=True))


def test_a_tool_with_a_name_that_says_nothing_is_known_by_its_description() -> None:
    assert calls_for(["Delete what is old"], tool("tidy", "Removes what is old."))
    assert not calls_for(["Show what is old"], tool("tidy", "Removes what is old."))
