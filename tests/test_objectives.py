"""The contract of objectives, one row each; add a row for every new objective."""

from collections.abc import Callable
from typing import NamedTuple

import gin
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from alfa_md.experiment import config
from alfa_md.metrics import ACCURACY, SQUARED_ERROR
from alfa_md.objectives import CLASSIFICATION, Objective, accuracy, classification, regression


class Row(NamedTuple):
    """The gin function of an objective, targets of six examples, the predictions of the least loss, and their score."""

    make: Callable[[], Objective]
    targets: Tensor
    perfect: Tensor
    best_score: float
    unit: object
    least_loss: float = 0.0

    @property
    def objective(self) -> Objective:
        return self.make()


LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
VALUES = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5, 3.0], dtype=torch.float64)[:, None]
ROWS = {
    "classification": Row(classification, LABELS, 100.0 * torch.eye(3, dtype=torch.float64)[LABELS], 1.0, ACCURACY),
    "regression": Row(regression, VALUES, VALUES, 0.0, SQUARED_ERROR),
}
every_objective = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def predictions(row: Row) -> Tensor:
    """Random predictions."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(row.perfect.shape, generator=generator, dtype=torch.float64)


@every_objective
def test_perfect_predictions_have_the_least_loss_and_the_best_score(row):
    assert row.objective.loss(row.perfect, row.targets).item() == pytest.approx(row.least_loss, abs=1e-12)
    assert row.objective.score(row.perfect, row.targets).item() == row.best_score
    noisy = predictions(row)
    assert row.objective.loss(noisy, row.targets) > row.least_loss + 0.1
    assert row.objective.unit.sign * (row.best_score - row.objective.score(noisy, row.targets).item()) > 0


@every_objective
@pytest.mark.parametrize("kind", ["loss", "score"])
def test_both_are_scalars_and_the_mean_over_examples(row, kind):
    function, noisy = getattr(row.objective, kind), predictions(row)
    each = torch.stack([function(noisy[i : i + 1], row.targets[i : i + 1]) for i in range(len(noisy))])
    whole = function(noisy, row.targets)
    assert whole.shape == () and whole.dtype == noisy.dtype
    torch.testing.assert_close(whole, each.mean())
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(function(noisy[order], row.targets[order]), whole)


@every_objective
def test_the_loss_falls_along_its_gradient_which_agrees_with_differences(row):
    noisy = predictions(row).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: row.objective.loss(values, row.targets), noisy)
    assert torch.autograd.gradgradcheck(lambda values: row.objective.loss(values, row.targets), noisy)
    loss = row.objective.loss(noisy, row.targets)
    (grad,) = torch.autograd.grad(loss, noisy)
    assert row.objective.loss(noisy - 0.1 * grad, row.targets) < loss


@every_objective
def test_float32_predictions_give_float32(row):
    noisy = predictions(row).float()
    targets = row.targets if row.targets.dtype == torch.int64 else row.targets.float()
    assert {f(noisy, targets).dtype for f in (row.objective.loss, row.objective.score)} == {torch.float32}


@every_objective
def test_gin_function_and_unit(row):
    assert row.objective.unit is row.unit
    try:
        modules = ("import alfa_md.learners.gradient", f"import {row.make.__module__}")
        config.parse([], [*modules, f"GradientLearner.objective = @{row.make.__name__}()"])
        made = gin.query_parameter("GradientLearner.objective").scoped_configurable_fn()
    finally:
        gin.clear_config()
    noisy, targets = predictions(row), row.targets
    for kind in ("loss", "score"):
        assert torch.equal(getattr(made, kind)(noisy, targets), getattr(row.objective, kind)(noisy, targets))


def test_classification_is_the_default_objective():
    assert classification() is CLASSIFICATION and regression().loss is regression().score is F.mse_loss


def test_the_first_of_equal_scores_is_predicted():
    assert accuracy(torch.zeros(2, 3), torch.tensor([0, 1])).item() == 0.5
