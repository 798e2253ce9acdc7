from typing import Any

from domain.plans import Plan, Step
from memory.rewording import reworded, stale_arguments

OLD, NEW = "Create a blog post about AI trends", "Write a blog about machine learning"


def plan(task: str, **args: Any) -> Plan:
    return Plan(
        steps=[
            Step(id="look", agent="search", task="look"),
            Step(id="do", agent="content", task=task, tool="t", args=args, needs=["look"], effect="write"),
        ]
    )


def test_goal_and_topic_are_replaced_and_all_else_stays() -> None:
    ref = {"ref": {"step": "look", "field": None}}
    old = plan(f"{OLD}: outline AI trends", text=f"for {OLD}", words=["AI trends", 3], source=ref)
    new = reworded(old, OLD, NEW)
    assert new.source == "memory"
    assert new.steps[0] == old.steps[0]
    assert new.steps[1] == old.steps[1].model_copy(
        update={
            "task": f"{NEW}: outline machine learning",
            "args": {"text": f"for {NEW}", "words": ["machine learning", 3], "source": ref},
        }
    )


def test_the_remembered_plan_itself_is_not_changed() -> None:
    old = plan(OLD, text=OLD)
    before = old.model_dump()
    reworded(old, OLD, NEW)
    assert old.model_dump() == before


def test_goals_are_data_and_never_a_pattern_or_a_format() -> None:
    odd_old, odd_new = "a.*(b) {goal} \\1 $x", "c {0} \\g<0> %s"
    assert reworded(plan(f"do {odd_old}"), odd_old, odd_new).steps[1].task == f"do {odd_new}"
    assert reworded(plan("abb"), odd_old, odd_new).steps[1].task == "abb"


def test_arguments_that_name_what_the_new_goal_does_not_are_found() -> None:
    old = plan("query", sql="SELECT * FROM mix WHERE state = 'Iowa' AND year = 2001")
    assert stale_arguments(old, "How did Iowa change since 2001?", "How did Texas change since 2001?") == ["Iowa"]
    assert stale_arguments(old, "How did Iowa change since 2001?", "What changed in Iowa after 2001?") == []


def test_more_words_are_replaced_in_the_same_pass_and_whole() -> None:
    old = plan("Tell kids about art; start early", name="art for kids")
    new = reworded(old, OLD, NEW, {"kids": "artists", "art": "sea"})
    assert new.steps[1].task == "Tell artists about sea; start early"
    assert new.steps[1].args == {"name": "sea for artists"}


def test_a_task_in_words_that_names_the_old_subject_is_stale_too() -> None:
    old = Plan(steps=[Step(id="a", agent="x", task="Compute the share of Iowa for 2001 and 2017")])
    goals = "Write a brief on Iowa between 2001 and 2017", "Write a brief on Iowa between 2005 and 2010"
    assert stale_arguments(old, *goals) == ["2001", "2017"]
