import pytest

from agents.planning.relevance import off_goal
from domain.briefings import Briefing, Material
from domain.plans import Plan, Step

SALES = "How did the sales of bicycles change in Denmark?"
TRIP = ("Find cheap flights to Paris", "Book the hotel near the airport")


def judged(goal: str, *tasks: str, briefing: Briefing | None = None) -> str | None:
    plan = Plan(steps=[Step(id=f"s{i}", agent="a", task=task) for i, task in enumerate(tasks)])
    problem = off_goal(plan, goal, briefing or Briefing(workspace="w"))
    return problem.code if problem else None


def test_a_plan_for_another_goal_is_found() -> None:
    assert judged(SALES, *TRIP) == "off_goal"


@pytest.mark.parametrize(
    ("goal", "tasks"),
    [
        (SALES, ("Compute the bicycle figures", "Book the hotel near the airport")),
        ("How did the electricity mix change since 2001?", ("Compute shares of electric sources of the table",)),
        (SALES, ("Read the documents", "Write a summary of what was read")),
        ("How fast do cars go?", ("Find the top speed of common vehicles in the tables",)),
        ("Survey natural language processing methods", ("Collect papers on NLP from the archive shelf",)),
        ("Wie hat sich der Absatz von Rädern in Dänemark geändert?", TRIP),
        (SALES, ("Finde günstige Flüge nach Paris", "Buche Zimmer nahe Flughafen")),
    ],
    ids=["one word", "one family of words", "no subject", "a short goal", "an abbreviation", "another language",
         "tasks in another language"],
)  # fmt: skip
def test_in_doubt_a_plan_is_on_its_goal(goal: str, tasks: tuple[str, ...]) -> None:
    assert judged(goal, *tasks) is None


@pytest.mark.parametrize(
    "known",
    [
        {"materials": [Material(name="paris-flights.csv", kind="table")]},
        {"conversation": ["user: I want to fly to Paris"]},
        {"preferences": {"city": "Paris"}},
    ],
    ids=["materials", "conversation", "preferences"],
)
def test_what_the_briefing_speaks_of_belongs_to_the_goal(known: dict[str, object]) -> None:
    briefing = Briefing.model_validate({"workspace": "w", **known})
    assert judged(SALES, *TRIP, briefing=briefing) is None
