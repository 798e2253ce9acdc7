import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.exchanges.calls import Answered, Asked, RecordedCall, Said
from evals.recording.replay import RecordedFailure, Replay, ReplayMiss


def asked(text: str, model: str = "openai:m") -> Asked:
    return Asked(model=model, messages=[Said(role="user", lines=text.split("\n"))])


def call(text: str, answer: str, role: str = "planner", step: str = "") -> RecordedCall:
    return RecordedCall(role=role, step=step, asked=asked(text), answered=Answered(lines=[answer]))


def test_the_same_question_twice_gets_its_answers_in_order() -> None:
    replay = Replay([call("again?", "first"), call("again?", "second")])
    assert [replay.answer("planner", "", asked("again?")).text for _ in range(2)] == ["first", "second"]
    with pytest.raises(ReplayMiss):
        replay.answer("planner", "", asked("again?"))


def test_parallel_steps_may_ask_in_any_order() -> None:
    calls = [call("same", "for a", "specialist", "a"), call("same", "for b", "specialist", "b")]
    replay = Replay(calls)
    assert replay.answer("specialist", "b", asked("same")).text == "for b"
    assert replay.answer("specialist", "a", asked("same")).text == "for a"
    assert not replay.unused
    assert not replay.drifts


def test_another_model_is_asked_the_same_question() -> None:
    assert Replay([call("q", "a")]).answer("planner", "", asked("q", "openai:other")).text == "a"


def test_tolerance_answers_a_changed_prompt_and_reports_it() -> None:
    replay = Replay([call("one\ntwo", "x"), call("three", "y")], "tolerant")
    assert replay.answer("planner", "", asked("one\n2")).text == "x"
    assert replay.answer("planner", "", asked("three")).text == "y"
    (drift,) = replay.drifts
    assert drift.answered
    assert (drift.role, drift.position) == ("planner", 1)
    assert "-two" in drift.diff
    assert "+2" in drift.diff


def test_tolerance_does_not_answer_for_another_role_or_a_later_call() -> None:
    replay = Replay([call("q", "a")], "tolerant")
    with pytest.raises(ReplayMiss):
        replay.answer("critic", "", asked("something else"))
    replay.answer("planner", "", asked("q"))
    with pytest.raises(ReplayMiss, match="call 2 of planner"):
        replay.answer("planner", "", asked("q again"))


def test_a_miss_shows_the_nearest_recording_of_the_role() -> None:
    replay = Replay([call("alpha beta gamma", "1"), call("delta epsilon zeta", "2")])
    with pytest.raises(ReplayMiss) as caught:
        replay.answer("planner", "", asked("delta epsilon eta"))
    assert "-delta epsilon zeta" in str(caught.value)


@pytest.mark.parametrize("other", ["one\ntwo\n", "one\u2028two", "one\ntwo\x0b"])
def test_a_change_that_is_hard_to_see_is_shown(other: str) -> None:
    with pytest.raises(ReplayMiss, match=r"\n[+]"):
        Replay([call("one\ntwo", "x")]).answer("planner", "", asked(other))


def test_a_failure_is_told_in_the_words_of_the_recording() -> None:
    failed = RecordedCall(role="planner", asked=asked("q"), failure="model_refused", reason="not that")
    with pytest.raises(RecordedFailure) as caught:
        Replay([failed]).answer("planner", "", asked("q"))
    assert str(caught.value) == "not that"


def test_an_empty_recording_misses_everything() -> None:
    with pytest.raises(ReplayMiss, match="nothing was recorded"):
        Replay([]).answer("planner", "", asked("q"))


def test_what_nobody_asked_is_told() -> None:
    replay = Replay([call("a", "1"), call("b", "2")])
    replay.answer("planner", "", asked("b"))
    assert [c.asked.text for c in replay.unused] == ["[user]\na"]


@given(st.text(), st.text())
def test_two_texts_have_one_digest_only_when_they_are_the_same(one: str, other: str) -> None:
    assert (asked(one).digest == asked(other).digest) == (one == other)
    assert asked(one) == Asked.model_validate_json(asked(one).model_dump_json())


def test_fresh_tool_call_ids_do_not_change_a_question() -> None:
    def conversation(key: str) -> Asked:
        used = {"id": key, "name": "add", "arguments": "{}"}
        told = Said(role="tool", lines=["2"], answers=key)
        return Asked(model="m", messages=[Said(role="assistant", lines=[""], calls=[used]), told])

    assert conversation("abc").digest == conversation("xyz").digest
