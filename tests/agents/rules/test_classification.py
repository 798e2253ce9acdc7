import pytest

from agents.rules.classification import classify


@pytest.mark.parametrize(
    ("goal", "kind"),
    [
        ("Hello there!", "conversation"),
        ("thanks a lot", "conversation"),
        ("Who are you?", "conversation"),
        ("what can you do?", "conversation"),
        (
            "How did Iowa's electricity mix change between 2001 and 2017, and what explains it? Write a brief.",
            "analysis",
        ),
        ("Which year had the highest nuclear generation?", "analysis"),
        ("What was the total generation in 2017?", "analysis"),
        ("Summarise the notes on wind", "summary"),
        ("Please give me an overview of the reports", "summary"),
        ("Compare fossil fuels and renewables since 2010", "comparison"),
        ("Nuclear versus wind", "comparison"),
        ("Create a blog post about AI trends", "creation"),
        ("Write a blog comparing two phones", "creation"),
        ("Send the report to the board", "action"),
        ("Publish the newsletter", "action"),
        ("Set the thermostat to 21 degrees", "action"),
        ("Remind me tomorrow to call Ann", "action"),
        ("Update the price list with the new rates", "action"),
        ("Update me on the outage", "search"),
        ("Add up the invoices of March: what is the total?", "analysis"),
        ("Is coal better than gas?", "comparison"),
        ("Which of the two suppliers delivers on time?", "comparison"),
        ("What are the pros and cons of nuclear power?", "comparison"),
        ("Rank the regions by revenue", "analysis"),
        ("Forecast next year's sales", "analysis"),
        ("What are the main findings of the study?", "summary"),
        ("Translate the brochure to German", "creation"),
        ("What does the production tax credit do?", "search"),
        ("What is the refund policy for enterprise plans?", "search"),
        ("Thank you letters to donors: find the templates", "search"),
    ],
)
def test_kind_by_words(goal: str, kind: str) -> None:
    assert classify(goal) == kind
