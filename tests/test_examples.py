import csv
import importlib.util
import re
import runpy
from pathlib import Path

import duckdb
import pytest

from agents.tools.extraction import READERS, extract
from agents.tools.workbench import Workbench

EXAMPLES = Path(__file__).parents[1] / "examples"
ENERGY = EXAMPLES / "energy"
TABLE = ENERGY / "iowa-electricity.csv"
NOTES = sorted(path for path in ENERGY.iterdir() if path.suffix in READERS)


def share(source: str, year: int) -> float:
    sql = "SELECT 100 * sum(net_generation) FILTER (source = ?) / sum(net_generation) FROM read_csv(?) WHERE year = ?"
    [(percent,)] = duckdb.connect(":memory:").execute(sql, [source, str(TABLE), year]).fetchall()
    return float(percent)


def figures() -> dict[int, set[int]]:
    """Return each year's figures and their total."""
    by_year = dict[int, set[int]]()
    with TABLE.open(newline="") as file:
        for row in csv.DictReader(file):
            by_year.setdefault(int(row["year"]), set()).add(int(row["net_generation"]))
    return {year: values | {sum(values)} for year, values in by_year.items()}


def text_of(note: Path) -> str:
    return " ".join(" ".join(section.text for section in extract(note).sections).split())


def test_the_figures_are_those_of_the_published_package() -> None:
    spec = importlib.util.find_spec("vega_datasets")
    assert spec and spec.submodule_search_locations
    published = Path(spec.submodule_search_locations[0]) / "_data" / "iowa-electricity.csv"
    with_plain_years = re.sub(r"^(\d{4})-01-01,", r"\1,", published.read_text(), flags=re.MULTILINE)
    assert TABLE.read_text() == with_plain_years


@pytest.mark.parametrize(
    ("source", "year", "percent"),
    [
        ("Renewables", 2001, 3.5),
        ("Renewables", 2009, 16.5),
        ("Renewables", 2017, 38.8),
        ("Fossil Fuels", 2001, 87.0),
        ("Fossil Fuels", 2017, 51.9),
        ("Nuclear Energy", 2017, 9.2),
    ],
)
def test_shares(source: str, year: int, percent: float) -> None:
    assert round(share(source, year), 1) == percent


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.name)
def test_figures_in_the_notes_are_in_the_table(note: Path) -> None:
    known = figures()
    for amount, year in re.findall(r"([\d,]+) thousand MWh in (\d{4})", text_of(note)):
        assert int(amount.replace(",", "")) in known[int(year)]
    for percent, year in re.findall(r"share of ([\d.]+) percent in (\d{4})", text_of(note)):
        assert round(share("Renewables", int(year)), 1) == float(percent)


def test_every_amount_in_the_notes_names_its_year() -> None:
    text = " ".join(map(text_of, NOTES))
    assert len(re.findall(r"\d,\d{3} thousand MWh", text)) == 5
    assert len(re.findall(r"\d,\d{3} thousand MWh in \d{4}", text)) == 5


def test_what_the_notes_call_highest_and_lowest() -> None:
    rows = duckdb.connect(":memory:").execute(
        "SELECT source, arg_max(year, net_generation), arg_min(year, net_generation) FROM read_csv(?) GROUP BY source",
        [str(TABLE)],
    )
    extremes = {source: (highest, lowest) for source, highest, lowest in rows.fetchall()}
    assert extremes["Fossil Fuels"] == (2010, 2016)
    assert extremes["Nuclear Energy"] == (2013, 2001)


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.name)
def test_no_note_gives_away_the_answer(note: Path) -> None:
    assert not re.search(r"38\.8|38\.84|3\.5 percent", text_of(note))


def test_the_pdf_is_made_of_its_source() -> None:
    made = runpy.run_path(str(EXAMPLES / "pdf_from_text.py"))["pdf"]((EXAMPLES / "duane-arnold.txt").read_text())
    assert made == (ENERGY / "duane-arnold.pdf").read_bytes()


async def test_all_materials_can_be_read() -> None:
    materials = {m.name: m for m in await Workbench(ENERGY, None).materials()}
    assert set(materials) == {*(note.name for note in NOTES), "iowa_electricity"}
    assert materials["iowa_electricity"].summary == (
        "51 rows: year (BIGINT 2001-2017), source (VARCHAR: Fossil Fuels, Nuclear Energy, Renewables),"
        " net_generation (BIGINT)"
    )


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("How is the renewables share worked out?", "reading-the-table.md"),
        ("Which laws and incentives helped wind power?", "laws-and-incentives.html"),
        ("What happened to the coal plants?", "coal-and-gas.txt"),
        ("Why does nuclear generation go up and down?", "duane-arnold.pdf"),
        ("How many wind turbines were built, and what carries their power?", "wind-build-out.md"),
    ],
)
async def test_a_question_finds_its_note(question: str, document: str) -> None:
    answer = await Workbench(ENERGY, None).toolbox().get("search_documents").call({"query": question})
    assert answer.data["hits"][0]["document"] == document
