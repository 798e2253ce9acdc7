"""All rule-based twins together."""

from agents.contracts import Cast
from agents.rules.composer import compose
from agents.rules.critic import criticise
from agents.rules.explaining import explain
from agents.rules.folding import fold
from agents.rules.plan_critic import review_plan
from agents.rules.planner import plan
from agents.rules.reviser import revise
from agents.rules.specialist import work
from agents.rules.supervisor import supervise
from agents.team import Team


def rules_cast(team: Team) -> Cast:
    """Return the cast that needs no model; the team comes with each request, so one cast serves any."""
    return Cast(
        supervisor=supervise,
        planner=plan,
        plan_critic=review_plan,
        specialist=work,
        composer=compose,
        critic=criticise,
        reviser=revise,
        summariser=fold,
        explainer=explain,
        mode="rules",
    )
