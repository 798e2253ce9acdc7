import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import folded
from domain.redaction import ALL, ALWAYS, Redaction, findings, redacted, redacted_value
from tests.domain.sensitive_texts import NEGATIVES, POSITIVES

CARD, MAIL, PHONE = "4111 1111 1111 1111", "anna@example.org", "+49 30 901820"


def found_in(text: str) -> list[tuple[str, str]]:
    return [(found.kind, text[found.start : found.end]) for found in findings(text)]


@pytest.mark.parametrize(("text", "wanted"), POSITIVES.values(), ids=POSITIVES)
def test_what_must_not_leave_is_found(text: str, wanted: list[tuple[str, str]]) -> None:
    hidden = redacted(text)
    assert [kind for kind, _ in found_in(text)][0] == wanted[0][0]
    assert all(found not in hidden for _, found in wanted[:1])


@pytest.mark.parametrize("text", NEGATIVES.values(), ids=NEGATIVES)
def test_what_is_harmless_stays(text: str) -> None:
    assert redacted(text) == text


def test_precision_and_recall_over_the_corpus() -> None:
    """Each exact place counts."""
    right = wrong = missed = 0
    for text, wanted in POSITIVES.values():
        found = found_in(text)
        right += sum(each in wanted for each in found)
        wrong += sum(each not in wanted for each in found)
        missed += sum(each not in found for each in wanted)
    wrong += sum(len(found_in(text)) for text in NEGATIVES.values())
    assert right / (right + wrong) >= 0.95, f"precision {right}/{right + wrong}"
    assert right / (right + missed) >= 0.95, f"recall {right}/{right + missed}"


def test_kinds_can_be_chosen() -> None:
    assert redacted(f"{MAIL} {CARD}", ["card"]) == f"{MAIL} [card]"
    assert redacted(f"{MAIL} {CARD}", []) == f"{MAIL} {CARD}"


def test_values_are_redacted_in_texts_keys_and_numbers() -> None:
    value = {MAIL: [CARD, 4111111111111111, 42, None, True, 1.5], "deep": {"phone": PHONE}}
    assert redacted_value(value) == {
        "[email]": ["[card]", "[card]", 42, None, True, 1.5],
        "deep": {"phone": "[phone]"},
    }


def test_json_inside_a_text_stays_json() -> None:
    text = json.dumps({"a": f"first\n{MAIL}\t{CARD}", "b": f'"{PHONE}"', "c": "m\u00fcller@example.org"})
    assert json.loads(redacted(text)) == {"a": "first\n[email]\t[card]", "b": '"[phone]"', "c": "[email]"}


def test_redaction_can_be_taken_back_but_for_what_must_never_come_back() -> None:
    redaction = Redaction()
    text = f"Mail {MAIL} and bob@example.org from 203.0.113.7, {PHONE}; again {MAIL}; card {CARD}."
    hidden = redaction.hidden(text)
    assert hidden == "Mail <EMAIL_1> and <EMAIL_2> from <IP_1>, <PHONE_1>; again <EMAIL_1>; card [card]."
    assert redaction.restored(hidden) == text.replace(CARD, "[card]")
    assert redaction.restored_value({"to": ["<EMAIL_2>"]}) == {"to": ["bob@example.org"]}


def test_a_placeholder_that_was_not_given_out_is_left_as_it_is() -> None:
    redaction = Redaction()
    redaction.hidden(MAIL)
    assert redaction.restored("<EMAIL_1> <EMAIL_2> <PHONE_1>") == f"{MAIL} <EMAIL_2> <PHONE_1>"


@pytest.mark.parametrize("written", [r"\u003cEMAIL_1\u003e", r"\u003CEMAIL_1\u003E", r"<EMAIL_1\u003e"])
def test_a_placeholder_with_escaped_brackets_is_one(written: str) -> None:
    redaction = Redaction()
    redaction.hidden(MAIL)
    assert redaction.restored(f'{{"to": "{written}"}}') == f'{{"to": "{MAIL}"}}'
    for end in range(1, len(written)):
        assert redaction.pending(f"to {written[:end]}") == end
    assert Redaction().restored(written) == written


def test_a_text_cannot_name_an_address_with_escaped_brackets_either() -> None:
    redaction = Redaction()
    told = redaction.hidden(rf"{MAIL} and \u003cEMAIL_1\u003e")
    assert told == "<EMAIL_1> and <TEXT_1>"
    assert redaction.restored(told) == rf"{MAIL} and \u003cEMAIL_1\u003e"


def test_text_that_looks_like_a_placeholder_does_not_stand_for_an_address() -> None:
    redaction = Redaction()
    hidden = redaction.hidden_value([f"write to {MAIL}", "a document says: send it to <EMAIL_1>"])
    assert hidden == ["write to <EMAIL_1>", "a document says: send it to <TEXT_1>"]
    assert redaction.restored_value(hidden) == [f"write to {MAIL}", "a document says: send it to <EMAIL_1>"]


@given(st.text(alphabet=st.sampled_from("<>_EMAILTXHONP0123 @.anorgx+4"), max_size=60))
def test_hiding_and_restoring_gives_the_text_back(text: str) -> None:
    redaction = Redaction(set(ALL) - ALWAYS)
    assert redaction.restored(redaction.hidden(text)) == text


@given(st.text(max_size=200))
def test_any_text_can_be_redacted_and_folding_keeps_its_length(text: str) -> None:
    assert len(folded(text)) == len(text)
    once = redacted(text)
    assert isinstance(once, str)


@given(st.text(alphabet=" \n.,;:()[]'\"", max_size=12), st.sampled_from([CARD, MAIL, PHONE, "DE89370400440532013000"]))
def test_what_stands_around_does_not_hide_it(around: str, secret: str) -> None:
    text = f"{around} {secret} {around}"
    assert secret not in redacted(text)
    assert secret not in json.loads(redacted(json.dumps(text)))


LONG = (
    "a", "a.", "1 ", "4 ", "+1", "0171 ", "-----BEGIN PRIVATE KEY-----", "api_key", "password=", "eyJ", "://", ":a",
    "20ab:", "12.34.56.", "DE89", "مرحبا ", "\\u00fc", "sk-", "1111-", "(212) ", "a'", "<EMAIL_", "@", "a@", "a@b.",
    "bearer ", "tel. 1", "9", "token:=", "\\n", "\\",
)  # fmt: skip


@pytest.mark.parametrize("piece", LONG)
def test_long_texts_of_one_piece_end(piece: str) -> None:
    """A pattern that backtracks over the whole text would take hours here."""
    assert redacted((piece * 100_000)[:100_000] + f" {MAIL}").endswith(("[email]", "[key]"))


def test_known_values_of_the_check_digits() -> None:
    from domain.checksums import IBAN_LENGTHS, is_card, is_iban, luhn

    assert luhn("79927398713") and not luhn("79927398710")
    assert is_card("378282246310005") and not is_card("378282246310006") and not is_card("1234567812345670")
    assert is_iban("GB82WEST12345698765432") and not is_iban("GB82WEST12345698765431") and not is_iban("GB82")
    assert all(re.fullmatch("[A-Z]{2}", country) and 15 <= length <= 33 for country, length in IBAN_LENGTHS.items())


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=8
    )
)
def test_values_keep_their_shape(value: Any) -> None:
    changed = redacted_value(value)
    assert isinstance(changed, list) == isinstance(value, list)
