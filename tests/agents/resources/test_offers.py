from typing import Any

import pytest

from agents.resources.offers import Seen, offers_for
from domain.plans import Step
from domain.resources import Resource

MODELS = frozenset({"writer", "writing"})


def model(name: str, **fields: Any) -> Resource:
    return Resource.model_validate({"name": name, "kind": "model", "uses": f"openai:{name}", "serves": ["*"]} | fields)


def step(**fields: Any) -> Step:
    return Step.model_validate({"id": "write", "agent": "writer", "task": "Write it."} | fields)


def ranked(*resources: Resource, seen: dict[str, Seen] | None = None, broken: tuple[str, ...] = ()) -> list[str]:
    return [o.resource.name for o in offers_for(step(), MODELS, resources, seen or {}, broken).ranked]


def test_local_goes_before_cloud_where_both_are_as_good() -> None:
    assert ranked(model("cloud"), model("own", placement="private"), model("here", placement="local")) == [
        "here", "own", "cloud",
    ]  # fmt: skip


def test_a_cloud_that_is_much_better_goes_before_local() -> None:
    assert ranked(model("cloud", skill=0.95), model("here", placement="local", skill=0.7)) == ["cloud", "here"]


def test_what_was_measured_outweighs_what_is_declared() -> None:
    seen = {"boasts": Seen(200, 120, 400.0), "modest": Seen(200, 2, 200.0)}
    assert ranked(model("boasts", skill=1.0), model("modest", skill=0.5), seen=seen) == ["modest", "boasts"]


def test_of_equal_ones_the_cheaper_and_the_faster_go_first() -> None:
    assert ranked(model("dear", dollars=0.2), model("cheap", dollars=0.01)) == ["cheap", "dear"]
    seen = {"slow": Seen(100, 0, 900.0), "fast": Seen(100, 0, 100.0)}
    assert ranked(model("slow"), model("fast"), seen=seen) == ["fast", "slow"]


def test_a_broken_one_is_asked_last() -> None:
    assert ranked(model("best", placement="local"), model("other"), broken=("best",)) == ["other", "best"]


@pytest.mark.parametrize(
    ("privacy", "able"),
    [("public", ["here", "own", "cloud"]), ("personal", ["here", "own"]), ("secret", ["here"])],
)
def test_private_data_goes_only_where_it_may(privacy: str, able: list[str]) -> None:
    team = [model("cloud", skill=1.0), model("own", placement="private"), model("here", placement="local")]
    found = offers_for(step(privacy=privacy), MODELS, team, {})
    assert {o.resource.name for o in found.ranked} == {*able}
    assert all(privacy in why for why in found.refused.values())
    assert {*able, *found.refused} == {"cloud", "own", "here"}


def test_consent_must_be_there_and_what_does_not_serve_is_not_named() -> None:
    camera = model("camera", serves=["writing"], consent=["camera"])
    stranger = model("stranger", serves=["painting"])
    found = offers_for(step(), MODELS, [camera, stranger], {})
    assert (list(found.ranked), dict(found.refused)) == ([], {"camera": "nobody consented to camera"})
    agreed = offers_for(step(consent=["camera"]), MODELS, [camera, stranger], {})
    assert [o.resource.name for o in agreed.ranked] == ["camera"]
