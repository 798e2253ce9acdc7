"""All pages: importing their modules has them known to the frame."""

from understudy.console import audit, chat, evaluation, experience, inbox, memory, runs, team
from understudy.console.frame import PAGES, Page

MODULES = (chat, inbox, runs, memory, team, experience, evaluation, audit)
"""Each makes its pages known as it is imported, and imports the modules of its further pages."""


def all_pages() -> list[Page]:
    """Return the pages of the console."""
    return PAGES
