"""A model that improvises, and fails now and then, over HTTP."""

import http.client
import json
from collections import Counter
from typing import Any

import pytest

from evals.improvised import Improviser, Scene
from evals.model_faults import MODEL_FAULTS, FaultyModel
from evals.scripted import ImprovisingServer, ScriptedServer, ScriptNotFollowed

GOAL = "Compare wind with coal"
STEPS = [{"id": "look", "agent": "reader", "task": "look"}, {"id": "out", "agent": "writer", "tool": "write_file"}]
SCENE = Scene(goal=GOAL, kind="comparison", plans=[STEPS, STEPS[:1]])
TOOLS = {"search": {"query": "wind"}}


def asked(text: str, form: str = "", system: str = "You are the supervisor.", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": f"{text}\n{GOAL}"}]
    wanted = {"response_format": {"type": "json_schema", "json_schema": {"name": form}}} if form else {}
    return {"model": "m", "messages": messages, **wanted, **more}


def content(request: dict[str, Any]) -> Any:
    reply = Improviser([SCENE], TOOLS).reply(request)
    assert reply is not None
    return reply["content"]


def model(share: float, seed: int = 1) -> FaultyModel:
    return FaultyModel(Improviser([SCENE], TOOLS), share, seed, hang=1.0)


def test_it_routes_plans_and_criticises() -> None:
    assert content(asked("", "RouteAnswer"))["route"] == "plan"
    assert content(asked("", "PlanningAnswer"))["alternatives"][0]["steps"] == STEPS
    assert content(asked("", "ReviewAnswer")) == {"problems": []}
    critic = "You judge.\nScore each of these aspects from 0 to 1 (1 is best): clarity, accuracy."
    assert content(asked("Draft:\nA text", "CritiqueAnswer", critic))["aspects"].keys() == {"clarity", "accuracy"}


def test_after_a_failure_it_finds_another_plan_and_it_writes_only_what_is_wanted() -> None:
    again = content(asked("Steps that failed; find another way:\n- look", "PlanningAnswer"))
    assert [len(plan["steps"]) for plan in again["alternatives"]] == [1]
    unwritten = content(asked("none; no step writes a file.", "PlanningAnswer"))
    assert [step["id"] for step in unwritten["alternatives"][0]["steps"]] == ["look"]


def test_a_specialist_calls_tools_and_quotes_what_they_gave() -> None:
    request = asked("Your task:\nLook", system="You are `reader`, a specialist. You read.")
    request["tools"] = [{"function": {"name": name}} for name in ("other", "search")]
    assert Improviser([SCENE], TOOLS).reply(request) == {"tool_calls": [{"name": "search", "args": {"query": "wind"}}]}
    request["messages"] += [{"role": "tool", "content": '<data name="search">wind: 12 &lt;GWh&gt;</data>'}]
    assert content(request) == f"Look\n{GOAL}\n\nwind: 12 <GWh&gt;"


def test_faults_come_by_the_seed_and_not_by_the_order() -> None:
    requests = [asked(f"Request {n}", "ReviewAnswer") for n in range(40)]
    forwards, backwards = model(0.5), model(0.5)
    first = [forwards.take(request) for request in requests]
    second = [backwards.take(request) for request in reversed(requests)]
    assert first == second[::-1]
    assert [model(0.5, seed=2).take(request) for request in requests] != first


def test_each_fault_comes_about_as_often_as_it_should() -> None:
    played = model(0.2)
    for n in range(2000):
        played.take(asked(f"Request {n}", "ReviewAnswer"))
    faults = played.report()["faults"]
    assert faults.keys() == set(MODEL_FAULTS)
    assert sum(faults.values()) == pytest.approx(400, abs=60)


def test_the_same_question_can_be_answered_the_next_time() -> None:
    played, request = model(0.5), asked("", "ReviewAnswer")
    kinds = Counter("content" if played.take(request) == {"content": {"problems": []}} else "fault" for _ in range(50))
    assert min(kinds["content"], kinds["fault"]) > 10


def posted(server: ScriptedServer, request: dict[str, Any]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(request))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_it_answers_over_http_and_tells_what_it_could_not_answer() -> None:
    with ImprovisingServer([SCENE], TOOLS) as server:
        status, body = posted(server, asked("", "ReviewAnswer"))
        assert (status, body["choices"][0]["message"]["content"]) == (200, '{"problems": []}')
        unknown = {"model": "m", "messages": [{"role": "user", "content": "something else"}]}
        assert posted(server, unknown)[0] == 500
        assert (server.report()["served"], len(server.report()["violations"])) == (1, 1)
        with pytest.raises(ScriptNotFollowed):
            server.verify()
        server.verify = lambda: None  # type: ignore[method-assign]  # looked at above
