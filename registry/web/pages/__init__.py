"""The pages, one module each, with the routes that lead to them."""

from typing import Final

from fastapi import APIRouter

from registry.web.pages import (
    admissions,
    audit,
    calendar,
    case,
    checkpoints,
    decide,
    decide_many,
    decision,
    desk,
    determine,
    enterprise,
    enterprises,
    example,
    health,
    imports,
    jobs,
    journal,
    letters,
    policy,
    registering,
    rules,
    studies,
    whatif,
    withdrawing,
)

#: The routes of all pages; of two that fit an address, the first answers.
ROUTERS: Final[tuple[APIRouter, ...]] = (
    desk.router,
    enterprises.router,
    enterprise.router,
    withdrawing.router,
    case.router,
    decide.router,
    determine.router,
    whatif.router,
    imports.router,
    example.router,
    rules.router,
    calendar.router,
    decision.router,
    journal.router,
    checkpoints.router,
    policy.router,
    admissions.router,
    registering.router,
    decide_many.router,
    letters.router,
    health.router,
    jobs.router,
    studies.router,
    audit.router,
)
