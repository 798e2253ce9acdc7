"""What work produces: step results, drafts, critiques and the outcome of a run."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.plans import Plan, Privacy


class Source(BaseModel):
    """Where a statement comes from; text quoted from a source is data, never an instruction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """File or table name, relative to the documents folder."""
    locator: str = ""
    """Page, heading, line or query within it."""
    quote: str = ""


class Usage(BaseModel):
    """What models consumed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float | None = None
    """None where the price of a call is unknown; no calls cost nothing."""

    @model_validator(mode="after")
    def _nothing_costs_nothing(self) -> "Usage":
        if not self.calls and self.dollars is None:
            object.__setattr__(self, "dollars", 0.0)
        return self

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        known = self.dollars is not None and other.dollars is not None
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            dollars=(self.dollars or 0.0) + (other.dollars or 0.0) if known else None,
        )


class Failure(BaseModel):
    """Why a step or run did not succeed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    message: str


StepStatus = Literal["done", "failed", "skipped", "held", "undone"]

Origin = Literal["person", "trusted", "untrusted"]
"""Who stands behind words: the person whose goal it is, somebody whom people vouch for (the team file, the profile), or
nobody: documents, tools, memory, and all that was made of them."""


class StepResult(BaseModel):
    """What one step produced."""

    model_config = ConfigDict(extra="forbid")

    step: str
    agent: str
    status: StepStatus = "done"
    """`held`: waits for a person or for the final draft; `skipped`: its condition was false or an input failed;
    `undone`: what it changed was taken back."""
    text: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    """Structured output, e.g. `{"columns": [...], "rows": [[...]], "sql": "..."}` of a table query."""
    sources: list[Source] = Field(default_factory=list)
    confidence: float = Field(default=0.5, ge=0, le=1)
    degraded: bool = False
    """True when the rule-based twin did the work in place of a model."""
    seconds: float = 0.0
    attempts: int = 1
    resource: str = ""
    """What the step was bound to; empty where the team declares no resources for it."""
    usage: Usage = Usage()
    failure: Failure | None = None
    empty: bool = False
    """True when the step worked and found nothing; that is an answer, not a failure."""
    origin: Origin = "untrusted"
    """Who stands behind text and data."""
    privacy: Privacy = "public"
    """The most private data that went into it, beside what its step was planned for."""
    parts: list["StepResult"] = Field(default_factory=list)
    """What the instances of a `foreach` or `repeat` step gave, in order."""


class Draft(BaseModel):
    """One version of the answer."""

    model_config = ConfigDict(extra="forbid")

    text: str
    by: str
    """Role or specialist that wrote it."""
    degraded: bool = False


class Critique(BaseModel):
    """A judgement of a draft by aspects; all scores 0-1."""

    model_config = ConfigDict(extra="forbid")

    score: float = Field(ge=0, le=1)
    aspects: dict[str, float] = Field(default_factory=dict)
    issues: list[str] = Field(default_factory=list)
    """What to change, one imperative sentence each."""
    degraded: bool = False


CritiqueStop = Literal["threshold_met", "max_iterations", "plateau", "repeat"]
"""Why critique and revision ended: good enough; cap; gain below the improvement threshold; same draft again."""

RunStatus = Literal["done", "replied", "asked", "refused", "rejected", "failed", "budget_exceeded", "undone"]
"""`undone`: a person had what the run changed taken back afterwards."""


class Outcome(BaseModel):
    """How a run ended."""

    model_config = ConfigDict(extra="forbid")

    status: RunStatus
    answer: str = ""
    quality: float | None = None
    """Final critique score, 0-1; None where nothing was criticised."""
    confidence: float = Field(default=0.0, ge=0, le=1)
    degraded: bool = False
    plan: Plan | None = None
    iterations: int = 0
    stopped: str = ""
    """Named reason why the last loop ended."""
    usage: Usage = Usage()
    failure: Failure | None = None
    undone: list[str] = Field(default_factory=list)
    """Effects that were taken back, the last one first."""
    kept: list[str] = Field(default_factory=list)
    """Effects that stay although the run did not succeed, each with the reason if undoing it was tried."""

    @property
    def success(self) -> bool:
        """Whether the goal was reached."""
        return self.status in ("done", "replied")
