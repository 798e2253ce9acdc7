import re

import pytest

from understudy.console.prose import MAX_CHARS, rendered


@pytest.mark.parametrize(
    "markdown",
    ["<script>alert(1)</script>", '<img src=x onerror="alert(1)">', "[x](javascript:alert(1))",
     "![x](https://evil.example/track.png)", "[x](data:text/html;base64,PHNjcmlwdD4=)", "<svg/onload=alert(1)>",
     "`<b>`", "[x]: javascript:alert(1)\n\n[x]", "<a href='vbscript:x'>x</a>"],
)  # fmt: skip
def test_nothing_of_others_is_markup_that_acts(markdown: str) -> None:
    html = rendered(markdown)
    assert not re.search(r"<(script|img|svg|b)\b", html)
    assert not re.search(r'(href|src)="(javascript|data|vbscript):', html)


def test_tables_lists_and_links_are_shown() -> None:
    html = rendered("| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n\n[site](https://example.org)")
    assert "<td>1</td>" in html and "<li>x</li>" in html and 'href="https://example.org"' in html


def test_endless_text_is_cut() -> None:
    assert len(rendered("x" * (3 * MAX_CHARS))) < 2 * MAX_CHARS
