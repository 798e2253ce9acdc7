from typing import Any

import pytest

from domain.events import ToolReturned
from domain.secrets import HIDDEN, Secrets

KEY = 'sk-"quoted"\\1234'
SECRETS = Secrets([KEY, "short", "sk-12345678", ""])


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        (f"key={KEY}!", f"key={HIDDEN}!"),
        ("sk-12345678 twice sk-12345678", f"{HIDDEN} twice {HIDDEN}"),
        ({"a": ["sk-12345678"], "sk-12345678": 1}, {"a": [HIDDEN], HIDDEN: 1}),
        ('{"key": "sk-\\"quoted\\"\\\\1234"}', f'{{"key": "{HIDDEN}"}}'),
        ("short", "short"),
    ],
    ids=["text", "twice", "json", "inside JSON text", "too short"],
)
def test_known_secrets_are_hidden(value: Any, clean: Any) -> None:
    assert SECRETS.value(value) == clean


def test_events_are_cleaned_and_left_alone_where_nothing_is_hidden() -> None:
    loud = ToolReturned(step="s", tool="t", seconds=0, summary=f"it is {KEY}")
    quiet = ToolReturned(step="s", tool="t", seconds=0, summary="fine")
    assert SECRETS.model(loud).summary == f"it is {HIDDEN}"
    assert SECRETS.model(quiet) is quiet


def test_they_do_not_print_themselves() -> None:
    assert KEY not in repr(SECRETS)
