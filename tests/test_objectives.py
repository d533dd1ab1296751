"""The contract of objectives, one row each; add a row for every new objective."""

from functools import partial
from typing import NamedTuple

import gin
import pytest
import torch
from torch import Tensor

from alfa_md import objectives
from alfa_md.experiment import config
from alfa_md.metrics import ACCURACY, SQUARED_ERROR
from alfa_md.objectives import CLASSIFICATION, REGRESSION, accuracy


class Row(NamedTuple):
    """An objective, targets of six examples, their perfect predictions and best score, and the unit."""

    objective: objectives.Objective
    targets: Tensor
    perfect: Tensor
    best_score: float
    unit: object


LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
VALUES = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5, 3.0], dtype=torch.float64)[:, None]
ROWS = {
    "classification": Row(CLASSIFICATION, LABELS, 100.0 * torch.eye(3, dtype=torch.float64)[LABELS], 1.0, ACCURACY),
    "regression": Row(REGRESSION, VALUES, VALUES, 0.0, SQUARED_ERROR),
}
every_objective = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def predictions(row: Row) -> Tensor:
    """Random predictions."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(row.perfect.shape, generator=generator, dtype=torch.float64)


@every_objective
def test_perfect_predictions_have_no_loss_and_the_best_score(row):
    assert row.objective.loss(row.perfect, row.targets).item() == pytest.approx(0, abs=1e-12)
    assert row.objective.score(row.perfect, row.targets).item() == row.best_score
    noisy = predictions(row)
    assert row.objective.loss(noisy, row.targets) > 0.1
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
    assert torch.autograd.gradcheck(partial(row.objective.loss, target=row.targets), noisy)
    assert torch.autograd.gradgradcheck(partial(row.objective.loss, target=row.targets), noisy)
    loss = row.objective.loss(noisy, row.targets)
    (grad,) = torch.autograd.grad(loss, noisy)
    assert row.objective.loss(noisy - 0.1 * grad, row.targets) < loss


@every_objective
def test_float32_predictions_give_float32(row):
    noisy = predictions(row).float()
    targets = row.targets if row.targets.dtype == torch.int64 else row.targets.float()
    assert {f(noisy, targets).dtype for f in (row.objective.loss, row.objective.score)} == {torch.float32}


@pytest.mark.parametrize("name", ROWS)
def test_gin_name_and_unit(name):
    row = ROWS[name]
    assert getattr(objectives, name)() == row.objective and row.objective.unit is row.unit
    try:
        modules = ("import alfa_md.learners.gradient", "import alfa_md.objectives")
        config.parse([], [*modules, f"GradientLearner.objective = @{name}()"])
        assert gin.query_parameter("GradientLearner.objective").scoped_configurable_fn() == row.objective
    finally:
        gin.clear_config()


def test_the_first_of_equal_scores_is_predicted():
    assert accuracy(torch.zeros(2, 3), torch.tensor([0, 1])).item() == 0.5
