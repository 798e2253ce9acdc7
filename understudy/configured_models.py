"""The models, the encoder and the bounds that the settings name."""

from agents.model_settings import ModelSettings
from agents.models import Models
from agents.plugins import installed, required
from graph.context import Limits
from memory.encoders import ENCODERS, Access, Encoder, encoder, encoder_from
from understudy.settings import DEFAULT_MODEL, Settings

PATIENCE = 1.5
"""Share of the time for one model call that the call and its retries may take together."""


def models_of(settings: Settings) -> Models | None:
    """Return the models, or None when no model is configured."""
    return Models(model_settings(settings)) if settings.leading_model else None


def model_settings(settings: Settings) -> ModelSettings:
    """Return what the settings say of models."""
    return ModelSettings(
        default=settings.leading_model or DEFAULT_MODEL,
        jobs=settings.models,  # type: ignore[arg-type]  # names are checked by Models
        fallback=settings.fallback_model,
        api_key=settings.openai_api_key,
        base_url=settings.openai_base_url,
        read_timeout=settings.model_timeout,
        total_timeout=settings.model_timeout * PATIENCE,
        max_retries=settings.model_retries,
    )


def encoder_of(settings: Settings) -> Encoder:
    """Return the encoder: a built-in one, or that of a plug-in.

    Raises:
        InvalidSettings: There is no such encoder.
        InvalidPlugin: The plug-in of this name cannot be used.
    """
    name = settings.encoder
    if name not in ENCODERS and any(plugin.name == name for plugin in installed("encoders")):
        return encoder_from(name, required("encoders", name))
    access = Access(settings.openai_api_key, settings.openai_base_url, max_retries=settings.model_retries)
    return encoder(name, access)


def limits_of(settings: Settings) -> Limits:
    """Return the named bounds of a run."""
    return Limits(
        max_parallel_steps=settings.max_parallel_steps,
        max_plan_revisions=settings.max_plan_revisions,
        max_replans=settings.max_replans,
        max_stretches=settings.max_stretches,
        conversation_tokens=settings.conversation_tokens,
        max_attempts=settings.max_attempts,
        retry_pause=settings.retry_pause,
    )
