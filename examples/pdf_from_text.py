"""Make a small PDF of a text file: one line a line, a new page at each form feed.

The example folder holds a PDF so that reading one is part of the first example; this script made it:

    python examples/pdf_from_text.py examples/duane-arnold.txt examples/energy/duane-arnold.pdf

It writes the file format by hand (PDF 1.4, one of the fonts that every reader has), since nothing else is needed.
"""

import sys
from collections.abc import Iterable
from pathlib import Path


def pdf(text: str) -> bytes:
    """Return the text as a PDF; its first line becomes the title. Characters beyond Latin-1 are an error."""
    pages = text.split("\f")
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        objects += [_page(content=5 + 2 * number), _content(page)]
    objects.append(f"<< /Title ({_escaped(text.splitlines()[0])}) >>")
    return _file([body.encode("latin-1") for body in objects])


def _page(content: int) -> str:
    return (
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
        f"/Resources << /Font << /F1 3 0 R >> >> /Contents {content} 0 R >>"
    )


def _content(page: str) -> str:
    lines = "\n".join(f"({_escaped(line)}) Tj T*" for line in page.strip().splitlines())
    stream = f"BT /F1 11 Tf 15 TL 60 780 Td\n{lines}\nET"
    return f"<< /Length {len(stream.encode('latin-1'))} >>\nstream\n{stream}\nendstream"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _file(objects: Iterable[bytes]) -> bytes:
    """Number the objects, and end with the table of their offsets; the first is the root, the last the title."""
    out, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(offsets) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, size - 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


if __name__ == "__main__":
    source, target = sys.argv[1:]
    Path(target).write_bytes(pdf(Path(source).read_text()))
