"""The routes by noun, and which of them the service offers."""

from fastapi import APIRouter

from understudy.service.routes import (
    approvals,
    audit,
    checkpoints,
    experience,
    feedback,
    goals,
    health,
    memory,
    metrics,
    notices,
    performance,
    routing,
    rules,
    runs,
    signals,
    system,
    team,
    threads,
    traces,
)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    threads.router,
    runs.router,
    routing.router,
    approvals.router,
    traces.router,
    feedback.router,
    performance.router,
    memory.router,
    goals.router,
    experience.router,
    signals.router,
    notices.router,
    rules.router,
    checkpoints.router,
    team.router,
    audit.router,
    system.router,
    metrics.router,
)
"""In the order in which the document shows them."""
