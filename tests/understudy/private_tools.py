"""A tool that a team file declares, whose output is private."""


def peek(question: str) -> str:
    """Look into the file of a person.

    Args:
        question: What to look for.
    """
    return f"In the file: Kanarie-tööl-51c3, asked {len(question)} characters."
