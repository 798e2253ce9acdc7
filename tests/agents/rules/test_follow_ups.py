import pytest

from agents.rules.follow_ups import follow_up, refers_back
from domain.briefings import Earlier
from domain.outcomes import Source, StepResult

ANSWER = """# Halls

**In short.** Hall B used 341,700 kWh in 2026, the most of all. Hall A followed with 260,200 kWh.
Hall C used 189,900 kWh.

## Sources

- energy

"""
ROWS = StepResult(
    step="s1",
    agent="analyse",
    data={"columns": ["hall", "kwh"], "rows": [["B", 341700], ["A", 260200], ["C", 189900]], "sql": "SELECT 1"},
    sources=[Source(name="energy", locator="SELECT 1\nFROM x"), Source(name="handbook.md", locator="Halls")],
)
HALLS = Earlier(goal="Which hall used most?", answer=ANSWER, results=[ROWS])


@pytest.mark.parametrize(
    "goal",
    [
        "and as a table?", "Show me that as a table, please", "shorter", "Make it shorter, please", "In one sentence.",
        "what was the second figure?", "And the last row?", "which one was the highest?", "What are your sources?",
        "where does that come from?", "repeat that", "as bullet points", "Summarise it", "tl;dr",
    ],
)  # fmt: skip
def test_requests_that_mean_an_earlier_result(goal: str) -> None:
    assert refers_back(goal)


@pytest.mark.parametrize(
    "goal",
    [
        "And how loud is it?", "How loud was it, then?", "And what would two more agents cost and bring?",
        "Make a table of net generation by year", "Which source of electricity was the highest in 2010?",
        "Summarise the handbook", "Write a shorter brief about wind power", "A bit dimmer, please: brightness 40.",
        "What is the second law of thermodynamics?", "thanks", "what are the sources of wind power in Iowa?",
        "Put the second figure into a report and send it to ada@example.org", "",
    ],
)  # fmt: skip
def test_requests_that_mean_something_of_their_own(goal: str) -> None:
    assert not refers_back(goal)
    assert follow_up(goal, [HALLS]) == ""


@pytest.mark.parametrize(
    ("goal", "answer"),
    [
        ("as a table", "| hall | kwh |\n| --- | --- |\n| B | 341,700 |\n| A | 260,200 |\n| C | 189,900 |"),
        ("in one sentence", "Hall B used 341,700 kWh in 2026, the most of all."),
        ("what was the second figure?", "The second figure: 260200. Hall A followed with 260,200 kWh."),
        ("the last row?", "The last row: hall C, kwh 189900"),
        ("the 2nd row", "The 2nd row: hall A, kwh 260200"),
        ("the ninth row", "There is no ninth row: there are 3."),
        ("which one was the lowest?", "The lowest kwh: hall C, kwh 189900."),
        ("what are the sources?", "- energy\n- handbook.md, Halls"),
        ("repeat that", ANSWER),
    ],
)
def test_the_answer_is_made_of_what_was_found(goal: str, answer: str) -> None:
    assert follow_up(goal, [HALLS]) == answer


def test_a_table_that_was_told_is_shown_as_it_was() -> None:
    table = "| a | b |\n| --- | --- |\n| 1 | 2 |"
    told = Earlier(goal="g", answer=f"Two columns are here.\n\n{table}\n\nThat is all.")
    assert follow_up("and as a table?", [HALLS, told]) == table


def test_what_was_found_is_looked_for_behind_answers_that_only_told_it() -> None:
    told = Earlier(goal="shorter", answer="Hall B used the most of all.")
    assert follow_up("what are the sources?", [HALLS, told]).startswith("- energy")
    assert follow_up("repeat that", [HALLS, told]) == told.answer


def test_without_anything_found_before_there_is_no_answer() -> None:
    assert follow_up("and as a table?", []) == ""
