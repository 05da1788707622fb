"""The one place that needs scikit-learn: it is in the extra `training`, and whoever has not got it keeps points."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec


class NoTrainer(Exception):
    """scikit-learn is not installed here."""


@dataclass(frozen=True)
class Fitted:
    """Of a logistic regression: for each feature its weight (of one, not of one standard deviation), mean and standard
    deviation."""

    bias: float
    weights: tuple[float, ...]
    usual: tuple[float, ...]
    spread: tuple[float, ...]


def fit(rows: Sequence[Sequence[int]], came_back: Sequence[bool]) -> Fitted:
    """Takes a core for seconds. `rows`: an order each, the same features. A feature that never varies weighs nothing.
    Raises `NoTrainer`."""
    if find_spec("sklearn") is None:
        raise NoTrainer("scikit-learn is not installed: install the extra `training`")
    import numpy  # noqa: PLC0415 - only who trains has it
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    given = numpy.asarray(rows, dtype=float)
    usual, spread = given.mean(axis=0), given.std(axis=0)
    scale = numpy.where(spread > 0, spread, 1.0)
    learnt = LogisticRegression(max_iter=1_000).fit((given - usual) / scale, numpy.asarray(came_back))
    weights = numpy.where(spread > 0, learnt.coef_[0] / scale, 0.0)
    return Fitted(
        float(learnt.intercept_[0] - weights @ usual),
        tuple(map(float, weights)), tuple(map(float, usual)), tuple(map(float, spread)),
    )  # fmt: skip
