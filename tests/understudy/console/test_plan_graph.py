import xml.etree.ElementTree as ET

from domain.plans import Plan, Step
from understudy.console.plan_graph import plan_graph, sign_of

HOSTILE = '"><script>alert(1)</script>'


def drawn(plan: Plan, states: dict[str, object] | None = None) -> ET.Element:
    return ET.fromstring(plan_graph(plan, states or {}).text)  # type: ignore[arg-type]


def plan(*needs: list[str]) -> Plan:
    return Plan(steps=[Step(id=f"s{i}", agent="a", task="t", needs=each) for i, each in enumerate(needs)])


def test_steps_stand_in_layers_behind_what_they_need() -> None:
    boxes = [float(rect.get("x", "")) for rect in drawn(plan([], [], ["s0", "s1"], ["s2"])).iter("rect")]
    assert boxes[0] == boxes[1] < boxes[2] < boxes[3]


def test_no_two_steps_stand_in_one_place() -> None:
    places = [(r.get("x"), r.get("y")) for r in drawn(plan([], [], [], ["s0"], ["s0", "s1"], ["s4"])).iter("rect")]
    assert len(set(places)) == len(places) == 6


def test_each_need_is_an_edge() -> None:
    assert sum(1 for path in drawn(plan([], [], ["s0", "s1"])).iter("path")) == 2


def test_what_delivers_the_answer_stands_behind_all_that_it_is_made_of() -> None:
    steps = [*plan([], ["s0"]).steps, Step(id="deliver", agent="a", task="t", needs=["result"])]
    boxes = [float(rect.get("x", "")) for rect in drawn(Plan(steps=steps)).iter("rect")]
    assert boxes[0] < boxes[1] < boxes[2]


def test_a_state_is_told_by_class_sign_and_word() -> None:
    (group,) = drawn(plan([]), {"s0": "failed"}).findall("g")
    words = " ".join(group.itertext())
    assert "failed" in (group.get("class") or "") and "failed" in words and "✕" in words


def test_every_state_has_a_sign_of_its_own() -> None:
    states = ("planned", "running", "held", "done", "failed", "skipped", "undone")
    assert len({sign_of(state) for state in states}) == len(states)  # type: ignore[arg-type]


def test_the_picture_is_told_in_words() -> None:
    title = drawn(plan([], ["s0"]), {"s0": "done"}).findtext("title")
    assert title == "Plan of 2 steps. s0 by a, done; s1 by a, planned, after s0."


def test_hostile_names_are_text() -> None:
    steps = [Step(id="s", agent=HOSTILE, task=HOSTILE)]
    assert "<script" not in plan_graph(Plan(steps=steps), {}).text


def test_steps_that_wait_for_each_other_are_drawn_one_after_the_other() -> None:
    assert sum(1 for _ in drawn(plan(["s1"], ["s0"])).iter("rect")) == 2
