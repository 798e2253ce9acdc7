"""Who plays which role: a model, else the fallback model, else the rule-based understudy steps on stage."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

from agents.context_cache import ContextCache
from agents.contracts import Assignment, Cast, Request, Role
from agents.detectors import detectors_of
from agents.discretion import Discretion
from agents.handing import Handing
from agents.model_settings import Job
from agents.models import Model, Models
from agents.roles.composer import Composer
from agents.roles.critic import Critic
from agents.roles.explainer import Explainer
from agents.roles.plan_critic import PlanCritic
from agents.roles.planner import Planner
from agents.roles.reviser import Reviser
from agents.roles.specialist import SpecialistPlayer
from agents.roles.summariser import Summariser
from agents.roles.supervisor import Supervisor
from agents.rules.explaining import explain
from agents.rules.folding import fold
from agents.team import Specialist, Team
from agents.transformers import transformers_of
from domain.errors import ModelError, PlanError
from domain.events import RoleDegraded
from domain.outcomes import StepResult
from prompts.loader import Prompt, Prompts

R = TypeVar("R", bound=Request)
A = TypeVar("A")


@dataclass(frozen=True)
class Understudied(Generic[R, A]):
    """A role that goes on when its players cannot: each is tried in turn, then the rule-based twin."""

    role: str
    players: Sequence[Role[R, A]]
    twin: Role[R, A]

    async def __call__(self, request: R) -> A:
        """Return the first answer; only failures of models and unusable plans are made good here."""
        reasons = []
        for player in self.players:
            try:
                return await player(request)
            except (ModelError, PlanError) as error:
                reasons.append(f"{error.code}: {error}")
        request.emit(RoleDegraded(role=self.role, reason="; then ".join(reasons)))
        return await self.twin(request)


def build_cast(
    team: Team,
    models: Models | None,
    rules: Cast,
    contexts: ContextCache | None = None,
    prompts: Prompts | None = None,
) -> Cast:
    """Return the cast for a team: models before `rules`, or `rules` alone where no model is configured.

    Reads the prompt files: call it off the event loop.

    Args:
        team: Who works.
        models: Every model that is configured, if any.
        rules: The rule-based cast.
        contexts: Keeps what specialists hand to each other; None keeps it for this cast alone.
        prompts: Templates of the roles; None takes those that come with it.

    Raises:
        InvalidSettings: A specialist's model is unknown, or a detector is wanted that is not installed.
    """
    if models is None:
        return rules
    for specialist in team.specialists:
        models.named(specialist.model or models.settings.default)
    discretion = Discretion(team.privacy, models.settings.base_url, detectors_of(team.privacy))
    casting = _Casting(models, prompts or Prompts(), discretion)
    jobs = {job: casting.specs(job) for job in get_args(Job)}
    own = (specialist.model for specialist in team.specialists if specialist.model)
    handing = Handing(transformers_of(team), contexts or ContextCache())
    return Cast(
        supervisor=casting.role("supervisor", Supervisor, rules.supervisor),
        planner=casting.role("planner", Planner, rules.planner),
        plan_critic=casting.role("plan_critic", PlanCritic, rules.plan_critic),
        specialist=casting.specialist(rules.specialist, handing),
        composer=casting.role("composer", Composer, rules.composer),
        critic=casting.role("critic", Critic, rules.critic),
        reviser=casting.role("reviser", Reviser, rules.reviser),
        summariser=casting.role("summariser", Summariser, rules.summariser or fold),
        explainer=casting.role("explainer", Explainer, rules.explainer or explain),
        mode=models.settings.default,
        models=jobs,
        remote=frozenset(spec for spec in itertools.chain(own, *jobs.values()) if not discretion.is_local(spec)),
    )


@dataclass(frozen=True)
class _Casting:
    """Finds players for roles."""

    models: Models
    prompts: Prompts
    discretion: Discretion

    def role(self, job: Job, player: Callable[[Model, Prompt], Role[R, A]], twin: Role[R, A]) -> Role[R, A]:
        """Return a role whose players are the same but for their models."""
        prompt = self.prompts.load(job)
        return Understudied(job, [player(model, prompt) for model in self._models(job)], twin)

    def specialist(self, twin: Role[Assignment, StepResult], handing: Handing) -> Role[Assignment, StepResult]:
        """Return the specialists' role: each specialist's own model first."""
        prompt = self.prompts.load("specialist")
        own, *others = self._models("specialist")

        def preferred(specialist: Specialist) -> Model:
            return self.models.named(specialist.model, self.discretion) if specialist.model else own

        choices: list[Callable[[Specialist], Model]] = [preferred, *(_always(model) for model in others)]
        first, *rest = [SpecialistPlayer(choice, prompt, handing) for choice in choices]
        understudied = Understudied("specialist", [first, *rest], twin)

        async def played(request: Assignment) -> StepResult:
            # A bound step's failure is the binder's to answer: another model might not be allowed to see its data.
            return await (first(request) if request.bound else understudied(request))

        return played

    def specs(self, job: Job) -> list[str]:
        """Return the names of the models for a job."""
        return [model.spec for model in self._models(job)]

    def _models(self, job: Job) -> list[Model]:
        """Return the models for a job in the order in which they are tried."""
        first, fallback = self.models.for_job(job, self.discretion), self.models.settings.fallback
        return [first] if fallback in (None, first.spec) else [first, self.models.named(fallback, self.discretion)]


def _always(model: Model) -> Callable[[Specialist], Model]:
    return lambda _: model
