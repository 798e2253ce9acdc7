"""Presidio's recognisers as a second detector; they are installed with the extra `privacy`."""

import builtins
import socket
import sys
from typing import Any

import pytest

from agents.detectors import Presidio, detectors_of
from agents.privacy_policy import PrivacyPolicy
from domain.errors import MissingExtra
from domain.redaction import ALL, findings, patterns, redacted

TEXT = "Card 4111 1111 1111 1111, IBAN DE89370400440532013000, ring 0171 1234567, from 10.1.2.3, SSN 536-90-4399."


@pytest.fixture(scope="module")
def presidio() -> Presidio:
    return Presidio()


def test_it_finds_what_has_a_pattern(presidio: Presidio) -> None:
    found = {found.kind for found in presidio(TEXT, ALL)}
    assert found >= {"card", "iban", "ip", "ssn"}


def test_it_looks_only_for_what_is_wanted(presidio: Presidio) -> None:
    assert {found.kind for found in presidio(TEXT, ["iban"])} == {"iban"}
    assert list(presidio(TEXT, ["key", "email"])) == []


def test_both_together_find_at_least_what_each_finds(presidio: Presidio) -> None:
    both = {found.kind for found in findings(TEXT, ALL, (patterns, presidio))}
    assert both >= {found.kind for found in findings(TEXT)}
    assert redacted("Ring (02) 9374 4000 in Sydney.", ALL, (patterns, presidio)) == "Ring [phone] in Sydney."


def test_it_asks_nothing_of_the_network(presidio: Presidio, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert list(presidio(f"{TEXT} anna@example.co.uk", ALL))


def test_a_team_that_wants_it_gets_it_beside_the_patterns() -> None:
    assert detectors_of(PrivacyPolicy()) == (patterns,)
    first, second = detectors_of(PrivacyPolicy(detector="presidio"))
    assert first is patterns and isinstance(second, Presidio)


def test_where_it_is_missing_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("presidio"):
            raise ImportError(name)
        return there(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    monkeypatch.delitem(sys.modules, "presidio_analyzer", raising=False)
    with pytest.raises(MissingExtra, match=r"understudy\[privacy\]"):
        detectors_of(PrivacyPolicy(detector="presidio"))
