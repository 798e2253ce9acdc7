"""Settings: environment `UNDERSTUDY_*` > `understudy.toml` > defaults; explicit arguments above all."""

import difflib
import getpass
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agents.delegation.policy_names import PolicyName
from domain.budgets import Budgets, Price
from domain.errors import InvalidSettings
from domain.mistakes import mistakes_in
from domain.routing import HINT_ABOVE, REUSE_ABOVE
from memory.workspaces import checked_workspace
from understudy.identity.settings import IdentitySettings
from understudy.notices.settings import NotifySettings
from understudy.service.langgraph_settings import StudioSettings
from understudy.service.settings import ServiceSettings
from understudy.telemetry.settings import TelemetrySettings

PREFIX = "UNDERSTUDY_"
DEFAULT_MODEL = "openai:gpt-5-mini"
"""Leads when a key is there and no model is named."""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


class Settings(BaseSettings):
    """Everything that can be set, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file="understudy.toml",
        extra="forbid",
        populate_by_name=True,
        env_ignore_empty=True,
    )

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("understudy")))
    """Data folder: records, checkpoints, vector index."""
    workspace: Annotated[str, AfterValidator(checked_workspace)] = "default"
    user: str = Field(default_factory=_user)
    team: str = "documents"
    """Name of a shipped team, or path of a team file."""
    data: Path | None = None
    """Folder of documents and tables that tools may read."""
    out: Path | None = None
    """Folder that tools may write to."""
    model: str | None = None
    """`provider:name` that leads; None: the default model where a key is set, else the rule-based twins."""
    models: dict[str, str] = Field(default_factory=dict)
    """Model per job (supervisor, planner, plan_critic, specialist, composer, critic, reviser)."""
    fallback_model: str | None = None
    model_timeout: float = Field(default=60.0, gt=0)
    """Seconds that one model call may take."""
    stream: bool = True
    """Whether what models write is told while it comes, to who watches a run."""
    conversation_tokens: int = Field(default=4000, ge=400, le=200_000)
    """Tokens of the conversation so far that models are told; what is older is summarised."""
    model_retries: int = Field(default=2, ge=0, le=10)
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    prompts: Path | None = None
    """Folder of prompt templates in place of those that come with it."""
    encoder: str = "wordllama"
    redis_url: SecretStr | None = None
    """Redis server that keeps the records in place of a file in the data folder."""
    database_url: SecretStr | None = None
    """PostgreSQL, `postgresql://user:password@host:port/name`, that keeps what runs wait for, and their checkpoints, in
    place of files in the data folder; several workers can serve one, which then share a Redis server as well."""
    concurrency: int = Field(default=4, ge=1, le=64)
    """Runs that one worker advances at once."""
    notify: NotifySettings = NotifySettings()
    """Who is told over which channels when something waits for them, was done or went wrong."""
    service: ServiceSettings = ServiceSettings()
    """How the service behaves towards a network."""
    telemetry: TelemetrySettings = TelemetrySettings()
    """Where traces go, what they may show, and how logs are written."""
    identity: IdentitySettings = IdentitySettings()
    """Who may use the service: API keys, an OpenID Connect issuer, rates, sessions."""
    studio: StudioSettings = StudioSettings()
    """Which pages may act for the person on this machine in a LangGraph server."""
    server_url: str | None = None
    """Service that the command line works on in place of the data folder: `https://...`, or `http://...` here."""
    server_key: SecretStr | None = None
    """API key that says to it who asks."""
    server_patience: float = Field(default=90.0, ge=0, le=3600)
    """Seconds for which it is tried again while it is away."""
    chroma_url: str | None = None
    """Chroma server, `http(s)://host:port` on this machine or in a private network, that keeps the vectors in place of
    a folder."""
    chroma_token: SecretStr | None = None
    """Sent to the Chroma server, or to the proxy before it."""
    keep_checkpoints: int = Field(default=200, ge=1)
    """Newest checkpoints that a conversation keeps, about ten a run; what is older cannot be gone back to."""
    keep_days: int | None = Field(default=None, ge=1)
    """Days that `understudy prune` lets an ended conversation stay; None: until it is forgotten."""
    keep_calls: bool = True
    """Whether what models and tools were asked and answered is kept, so that any session can become a recorded task."""
    reuse_above: float = Field(default=REUSE_ABOVE, ge=HINT_ABOVE, le=1)
    """Confidence above which a remembered plan is carried out without planning anew; 1 has every goal planned."""
    selection_policy: PolicyName | None = None
    """How one of several agents is chosen; None: as the team says."""
    max_parallel_steps: int = Field(default=3, ge=1, le=32)
    max_plan_revisions: int = Field(default=2, ge=0, le=10)
    max_replans: int = Field(default=1, ge=0, le=5)
    max_stretches: int = Field(default=3, ge=1, le=10)
    """Stretches that an adaptive plan may have; 1 has every plan made at once."""
    planning_weights: dict[Literal["quality", "latency", "cost", "privacy"], Annotated[float, Field(ge=0, le=100)]] = (
        Field(default_factory=dict)
    )
    """What counts how much when one of several plans is chosen; what is left out counts as the team says."""
    max_attempts: int = Field(default=2, ge=1, le=5)
    retry_pause: float = Field(default=0.5, ge=0, le=60)
    """Seconds before a failed step is tried again; twice as long before each further time."""
    drain_grace: float = Field(default=8.0, ge=0)
    """Seconds that running steps may still take after SIGTERM."""
    budgets: Budgets = Budgets()
    """What a run, a step, and a workspace in one day may consume: calls, tokens, dollars, seconds."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Dollars per million tokens, `input` and `output`, by model; the price of any other model is unknown."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Fix the precedence in one place."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def leading_model(self) -> str | None:
        """The model that leads, or None when the rule-based twins play alone."""
        return self.model or (DEFAULT_MODEL if self.openai_api_key else None)


def load_settings(**overrides: Any) -> Settings:
    """Return the settings; overrides that are None count as not given.

    Raises:
        InvalidSettings: a value does not fit or a name is unknown; secrets are not repeated in the message.
    """
    _refuse_unknown_variables()
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        msg = f"invalid settings: {mistakes_in(error)}"
        raise InvalidSettings(msg) from None
    except ValueError as error:
        msg = f"understudy.toml cannot be read: {error}"
        raise InvalidSettings(msg) from error


def _refuse_unknown_variables() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable.split("__")[0] not in known:
            near = difflib.get_close_matches(variable, known, n=1)
            msg = f"unknown setting {variable}" + (f"; did you mean {near[0]}?" if near else "")
            raise InvalidSettings(msg)
