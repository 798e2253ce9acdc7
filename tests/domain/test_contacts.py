"""Whom a text makes its reader contact, and which numbers it tells."""

from domain.contacts import identifiers_in, links_in, loaded_in


def test_what_a_viewer_loads_is_found() -> None:
    text = (
        "![a](https://e.example/a?q=1) ![b](pic.png) <img alt='x' src='//e.example/c'> <IMG SRC=&#104;ttps://e.example/d>"
        " <a href='https://e.example/link'> url('https://e.example/f') <iframe src=ht\ntps://e.example/g></iframe>"
        "\n[ref]: https://e.example/h\n"
    )
    found = {link.rsplit("/", 1)[-1] for link in loaded_in(text)}
    assert found == {"a?q=1", "c", "d", "f", "g", "h"}


def test_links_and_addresses_are_found() -> None:
    text = "See https://a.example/b. Or mail <x@y.example>, www.c.example; [here](http://d.example/e) and //f.example/g"
    assert links_in(text) == [
        "https://a.example/b", "www.c.example", "http://d.example/e", "//f.example/g", "x@y.example"
    ]  # fmt: skip


def test_numbers_of_people_and_accounts_are_found() -> None:
    text = (
        "Card 4237-4252-7456-2574, passport HGK137803, IBAN GB29 NWBK 6016 1331 9268 19, call +49 170 1234567, "
        "account UK12345678901234567890."
    )
    assert identifiers_in(text) == [
        "4237-4252-7456-2574", "HGK137803", "GB29 NWBK 6016 1331 9268 19", "+49 170 1234567", "UK12345678901234567890"
    ]  # fmt: skip


def test_dates_amounts_and_years_are_none() -> None:
    assert identifiers_in("On 2024-05-13 10:30, 13.05.2024 and in 2021: 1,200,000 MW at 12.50 EUR, CO2 and B12") == []
