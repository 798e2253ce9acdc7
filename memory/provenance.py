"""Who wrote what is remembered: remembered text is data, and only a person's own words are trusted."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Writer = Literal["person", "agent", "tool", "document", "import"]


class Provenance(BaseModel):
    """Where a remembered text comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    writer: Writer
    """Who put the words together; `import` where another installation said so."""
    run: str = ""
    user: str = ""
    """For whom the run worked, or who wrote."""

    @property
    def trusted(self) -> bool:
        """Whether the words may be taken as what a user of this workspace wants.

        Agents repeat what tools and documents told them, so what they write is no more trusted than those.
        """
        return self.writer == "person"

    @property
    def who(self) -> str:
        """Who did it: a person by name, else which part of the system, whomever it worked for."""
        return (self.user if self.trusted else "") or self.writer
