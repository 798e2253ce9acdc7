import pytest

from agents.rules.file_names import file_for, named_file


@pytest.mark.parametrize(
    ("goal", "name"),
    [
        ("Summarise how wind power grew in Iowa and save it as wind.md", "wind.md"),
        ("Write a brief about wind to out/wind.txt, please.", "out/wind.txt"),
        ("Write it into a new file called wind.md", "wind.md"),
        ("Save v1.2 of the figures to file 'wind.csv'.", "wind.csv"),
        ("Create a markdown file called wind.md about wind", "wind.md"),
        ("Store it in notes/wind.md", "notes/wind.md"),
        ("Draft a memo on coal and call it coal.md", "coal.md"),
        ("Save it as wind.pdf", "wind.md"),
    ],
)
def test_a_file_is_called_as_the_person_says(goal: str, name: str) -> None:
    assert named_file(goal) == name


@pytest.mark.parametrize(
    "goal",
    [
        "Save the summary of report.pdf",
        "Write a brief on what is in laws.md",
        "Draft a memo from data.csv",
        "Compare what changed in energy.csv",
        "Write about node.js and its move to node.js",
        "Save it as .bashrc",
        "Save it as 'my wind.md'",
    ],
)
def test_a_file_that_is_read_or_cannot_be_written_gives_no_name(goal: str) -> None:
    assert named_file(goal) is None


@pytest.mark.parametrize(
    "goal",
    [
        "Save it as ../../etc/wind.md",
        "Save it as /etc/wind.md",
        r"Save it as c:\tmp\wind.md",
        "Save it to ~/.x/wind.md",
    ],
)
def test_a_path_that_leads_elsewhere_gives_its_name_only(goal: str) -> None:
    assert named_file(goal) == "wind.md"


def test_without_a_name_the_file_is_called_after_the_subject() -> None:
    assert file_for("Write a brief about coal plants") == "coal-plants.md"
