from typing import Any

import pytest

from domain.decisions import ActKind, PastDecision, in_words, kind_of


@pytest.mark.parametrize(
    ("args", "scope"),
    [
        ({"to": ["B@x.example", "a@x.example"], "text": "hi"}, "a@x.example, b@x.example"),
        ({"path": "reports/2024/a.md", "text": "hi"}, "reports/2024/"),
        ({"path": "a.md"}, "./"),
        ({"path": "x/../../etc/passwd"}, "../etc/"),
        ({"folder": "out/deep/"}, "out/deep/"),
        ({"text": "no aim"}, ""),
    ],
)
def test_acts_that_go_to_the_same_people_or_folders_are_alike(args: dict[str, Any], scope: str) -> None:
    assert kind_of("send", args) == ActKind(tool="send", scope=scope)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": "approve", "outcome": "done"}, "2 days ago ada approved send → x, and it was done"),
        ({"type": "edit", "edited": ("to",)}, "2 days ago ada edited (to) send → x"),
        ({"type": "reject", "message": "too early"}, "2 days ago ada rejected send → x: too early"),
    ],
)
def test_a_decision_in_words(fields: dict[str, Any], words: str) -> None:
    past = PastDecision(id="1", kind=ActKind(tool="send", scope="x"), by="ada", time=0.0, **fields)
    assert in_words(past, 2 * 86400.0 + 5) == words


def test_only_an_approval_as_proposed_is_unedited() -> None:
    def decided(**fields: Any) -> PastDecision:
        return PastDecision(id="1", kind=ActKind(tool="t"), by="ada", time=0.0, **fields)

    assert decided(type="approve").unedited
    assert not decided(type="edit", edited=("to",)).unedited
    assert not decided(type="reject").unedited
