"""Detectors of what must not leave: the patterns of the house, and presidio's recognisers beside them.

Presidio's recognisers by pattern and checksum are used alone, without its language models: names stay undetected.
Its recogniser of e-mail addresses is left out: it asks the network for the list of domain endings.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agents.privacy_policy import PrivacyPolicy
from domain.errors import MissingExtra
from domain.findings import Detect, Finding, Kind
from domain.redaction import patterns

_ENTITIES: Mapping[str, Kind] = {
    "CREDIT_CARD": "card", "IBAN_CODE": "iban", "PHONE_NUMBER": "phone", "IP_ADDRESS": "ip", "US_SSN": "ssn",
}  # fmt: skip
"""Presidio's names for our kinds."""
_SURE = 0.4
"""Score from which a finding counts: presidio gives a phone number without context exactly this, and a row of digits
that could be anything less."""


def detectors_of(policy: PrivacyPolicy) -> tuple[Detect, ...]:
    """Return the detectors that a team wants, the patterns of the house always among them.

    Raises:
        MissingExtra: Presidio is wanted and not installed.
    """
    return (patterns, Presidio()) if policy.detector == "presidio" else (patterns,)


class Presidio:
    """A `Detect` made of presidio's recognisers by pattern."""

    def __init__(self) -> None:
        """Load the recognisers, or raise `MissingExtra`."""
        try:
            from presidio_analyzer import predefined_recognizers as known
        except ImportError as error:
            msg = "the detector 'presidio' is not installed: pip install 'understudy[privacy]'"
            raise MissingExtra(msg) from error
        self._recognisers: list[Any] = [
            known.CreditCardRecognizer(), known.IbanRecognizer(), known.PhoneRecognizer(), known.IpRecognizer(),
            known.UsSsnRecognizer(),
        ]  # fmt: skip

    def __call__(self, text: str, kinds: Collection[Kind]) -> Iterator[Finding]:
        """Yield what the recognisers find of these kinds."""
        for recogniser in self._recognisers:
            entities = [entity for entity in recogniser.supported_entities if _ENTITIES.get(entity) in kinds]
            for result in recogniser.analyze(text, entities, None) if entities else ():
                if result.score >= _SURE:
                    yield Finding(_ENTITIES[result.entity_type], result.start, result.end)
