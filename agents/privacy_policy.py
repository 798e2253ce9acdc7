"""What a team file says of privacy: which data stays here, which models are here, and what is taken out of texts."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.consent import SCOPE
from domain.findings import Kind
from domain.plans import Privacy
from domain.privacy import most_private
from domain.redaction import ALL

Scopes = tuple[Annotated[str, Field(pattern=SCOPE)], ...]


class Handled(NamedTuple):
    """How a file is to be handled."""

    privacy: Privacy
    consent: tuple[str, ...]
    """Scopes that a person must have agreed to before it is read."""


class MaterialClass(BaseModel):
    """One `[[privacy.materials]]` table: how private some of the documents and tables are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: str = Field(min_length=1, max_length=500)
    """Names below the data folder, with `*` for anything and `?` for one character; case does not matter."""
    privacy: Privacy = "secret"
    consent: Scopes = ()
    """Scopes that a person must have agreed to before they are read."""

    def covers(self, name: str) -> bool:
        """Return whether a file is one of them."""
        return fnmatchcase(name.casefold(), self.files.casefold())


class PrivacyPolicy(BaseModel):
    """The `[privacy]` table of a team file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    redact: tuple[Kind, ...] = ALL
    """What is taken out before a text reaches a model that is not local. Cards, IBANs and keys always are."""
    local_models: tuple[str, ...] | None = None
    """Models (`provider:name`) and hosts that count as local, and no others do; None: those that are reached at an
    address of this machine or of a private network."""
    local_only: tuple[Privacy, ...] = ("personal", "secret")
    """Data that no other model is given: a rule-based twin works on it where no local model does."""
    detector: Literal["patterns", "presidio"] = "patterns"
    """`presidio` looks with its recognisers, too; it needs the extra `privacy`."""
    memories: Privacy = "internal"
    """How private what is remembered is at least: earlier goals and what people corrected."""
    materials: tuple[MaterialClass, ...] = ()

    def of_file(self, names: Iterable[str]) -> Handled:
        """Return how a file is handled that has these names (as a link has two): as the strictest entry says."""
        named = list(names)
        fitting = [entry for entry in self.materials if any(map(entry.covers, named))]
        scopes = dict.fromkeys(scope for entry in fitting for scope in entry.consent)
        return Handled(most_private(["internal", *(entry.privacy for entry in fitting)]), tuple(scopes))

    def is_kept(self, data: Privacy) -> bool:
        """Return whether data of a class reaches local models only."""
        return data in self.local_only
