from pathlib import Path

import pytest
from pypdf import PdfWriter

from agents.tools.extraction import MAX_BYTES, Extract, Section, Unreadable, extract

PDF = Path(__file__).parents[3] / "examples" / "energy" / "duane-arnold.pdf"


def extracted(tmp_path: Path, name: str, raw: bytes | str) -> Extract:
    path = tmp_path / name
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return extract(path)


def test_markdown_is_split_at_headings(tmp_path: Path) -> None:
    text = "before\n# Title #\nintro\n```\n# no heading\n```\n## Part\nbody\n"
    found = extracted(tmp_path, "a.md", text)
    assert found.title == "Title"
    assert [s.locator for s in found.sections] == ["", "Title", "Part"]
    assert "".join(s.text for s in found.sections) == text


def test_plain_text_takes_its_first_line_for_a_title(tmp_path: Path) -> None:
    assert extracted(tmp_path, "a.txt", "\n  A   title\n\nbody") == Extract(
        "A title", [Section("", "\n  A   title\n\nbody")]
    )


@pytest.mark.parametrize(
    "raw",
    ["\ufeffGrüße".encode(), "Grüße".encode("utf-16"), "Grüße".encode("cp1252")],
    ids=["utf-8 with mark", "utf-16", "cp1252"],
)
def test_text_is_decoded(tmp_path: Path, raw: bytes) -> None:
    assert extracted(tmp_path, "a.txt", raw).title == "Grüße"


HTML = """<?xml version="1.0"?><html><head><title>The
title</title><style>p {}</style></head><body><h1>One</h1><p>A <b>bold</b>
word<br>and more.</p><script>alert(1)</script>
<h2>Two</h2><table><tr><td>a</td><td>b</td></tr></table><pre>x
y</pre></body></html>"""


def test_html_keeps_words_headings_and_cells(tmp_path: Path) -> None:
    found = extracted(tmp_path, "a.html", HTML)
    assert found.title == "The title"
    assert [s.locator for s in found.sections] == ["", "One", "Two"]
    assert found.sections[1].text == "# One\n\nA bold word\n\nand more.\n\n"
    assert found.sections[2].text.split() == ["##", "Two", "a", "|", "b", "|", "x", "y"]


@pytest.mark.parametrize("text", ["notes.html", "http://example.org/a", "no markup at all"])
def test_html_without_markup_is_text(tmp_path: Path, text: str) -> None:
    assert extracted(tmp_path, "a.htm", text).title == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "# a" + " " * 300_000 + "b"),
        ("a.html", "<pre>" + " " * 300_000 + "b</pre>"),
        ("a.html", "<b>" * 3_000 + "b"),
    ],
    ids=["heading", "blank", "nested"],
)
def test_odd_shapes_do_not_take_long(tmp_path: Path, name: str, text: str) -> None:
    assert extracted(tmp_path, name, text).title.endswith("b")


def test_pdf_pages_are_sections() -> None:
    found = extract(PDF)
    assert found.title == "Nuclear power in Iowa: Duane Arnold"
    assert [s.locator for s in found.sections] == ["page 1", "page 2"]
    assert "derecho" in found.sections[1].text


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("a.txt", b"text\0more", "binary"),
        ("a.md", b"", "holds no text"),
        ("a.md", b" \n\t\n", "holds no text"),
        ("a.html", b"<script>only()</script>", "holds no text"),
        ("a.html", b"<p>text<![odd[x]]>", "not sound HTML"),
        ("a.pdf", b"", "not a sound PDF"),
        ("a.pdf", b"%PDF-1.4 and then nothing", "not a sound PDF"),
        ("a.pdf", PDF.read_bytes()[:700], "not a sound PDF|no text"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, raw: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        extracted(tmp_path, name, raw)


def test_a_damaged_pdf_never_fails_otherwise(tmp_path: Path) -> None:
    whole = PDF.read_bytes()
    for at in range(0, len(whole), 37):
        try:
            extracted(tmp_path, "a.pdf", whole[:at] + b"\xff<<" + whole[at + 3 :])
        except Unreadable:
            continue


def test_a_locked_pdf(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PDF)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(Unreadable, match="locked"):
        extract(tmp_path / "locked.pdf")


def test_a_huge_file_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(Unreadable, match="at most 20 MB"):
        extract(tmp_path / "a.txt")
