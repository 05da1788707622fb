"""Who judges the return risk now, how well each trained model did, and a field of another system tried on past orders
(R59, R63). That a field counts is asked for by a person: it is a change of the policy."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from console.api.problems import READING, may_answer
from console.api.reading import read_json, takes
from console.api.reports.for_all import READS, insist_on_all
from domain.insight.evaluation import Training
from domain.insight.field_trial import FieldTrial, tried
from domain.insight.risk import MappedField
from store.insight.risk_models import PAST_ORDERS, RiskModelStore, RiskVersion, in_force
from store.rules.policies import PolicyStore

router = APIRouter(prefix="/reports/risk", tags=["reports"])


class RiskTraining(BaseModel):
    """`threshold`: percent from which on the model has an order looked at; null: nothing was trained."""

    version: int
    trained_at: datetime
    trained_by: str
    threshold: int | None
    training: Training


class RiskShown(BaseModel):
    """`judges`: a trained model, `version`, in percent; or the policy's points. From `threshold` on somebody looks.
    `fields`: of other systems, that count. Trainings: the newest first."""

    judges: Literal["model", "points"]
    version: int | None
    threshold: int
    trained_wanted: bool
    fields: Sequence[MappedField]
    trainings: Sequence[RiskTraining]


class TriedShown(BaseModel):
    """On `orders` whose end is known, the latest ones. `share_bp` of a value: came back, of those that have it."""

    trial: FieldTrial
    coverage_bp: int | None
    share_bp: dict[str, int | None]


@router.get(
    "", response_model=RiskShown, operation_id="getReturnRisk", summary="Who judges the return risk, and how well",
    responses=may_answer(*READING),
)  # fmt: skip
async def risk(request: Request, caller: READS) -> RiskShown:
    await insist_on_all(request, caller)
    pool = caller.wiring.pool
    versions, policy = await RiskModelStore(pool).versions(), await PolicyStore(pool).current()
    judge = in_force(policy, versions)
    model = judge.model if judge else None
    return RiskShown(
        judges="model" if model else "points", version=model.version if model else None,
        threshold=model.threshold if model else policy.risk.threshold, trained_wanted=policy.risk.trained,
        fields=policy.risk.fields, trainings=[_training(one) for one in versions],
    )  # fmt: skip


@router.post(
    "/fields/try", response_model=TriedShown, operation_id="tryRiskField",
    summary="Try a field of another system on past orders", responses=may_answer(*READING, 413, 415),
    openapi_extra=takes(MappedField),
)  # fmt: skip
async def try_field(request: Request, caller: READS) -> TriedShown:
    """Changes nothing, so that it takes no key."""
    field = await read_json(request, MappedField)
    await insist_on_all(request, caller)
    pool = caller.wiring.pool
    policy = await PolicyStore(pool).current()
    features, came_back = await RiskModelStore(pool).lately(caller.wiring.now(), PAST_ORDERS)
    trial = tried(field, policy.risk, features, came_back)
    shares = {value.name: value.share_bp for value in trial.values}
    return TriedShown(trial=trial, coverage_bp=trial.coverage_bp, share_bp=shares)


def _training(one: RiskVersion) -> RiskTraining:
    return RiskTraining(
        version=one.version, trained_at=one.trained_at, trained_by=one.trained_by,
        threshold=one.model.threshold if one.model else None, training=one.training,
    )  # fmt: skip
