"""ALFA's generator g_phi: an MLP from the learning state to hyperparameters."""

from collections.abc import Callable

import gin
from torch import Tensor, nn

from alfa_md.errors import require_at_least
from alfa_md.params import Params, Template
from alfa_md.rules.learning_state import LearningState
from alfa_md.values import Layers


@gin.configurable
def identity_init(last: nn.Linear) -> None:
    """Initialises the last layer to output 1 everywhere: with B = 0 the first update is that of the base learner."""
    nn.init.zeros_(last.weight)
    nn.init.ones_(last.bias)


@gin.configurable
def reference_init(last: nn.Linear) -> None:
    """Keeps PyTorch's default initialisation of linear layers, as the authors' code does."""


@gin.configurable
class Generator(nn.Module):
    """MLP with hidden layers of width 2N, ReLU, and unbounded outputs.

    Args:
      template: names of the N fast weights.
      num_outputs: number of values generated per step.
      state: factory of the learning state.
      num_layers: 2 as in the authors' code; their paper says 3 (no significant difference, by their own account).
      initialize: initialises the last layer.
    """

    def __init__(
        self,
        template: Template,
        num_outputs: int,
        state: Callable[[Template], nn.Module] = LearningState,
        num_layers: Layers = 2,
        initialize: Callable[[nn.Linear], None] = identity_init,
    ):
        super().__init__()
        require_at_least(1, "Generator", num_layers=num_layers)
        self.state = state(template)
        widths = [self.state.size] + [2 * len(template)] * (num_layers - 1) + [num_outputs]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])
        initialize(self.network[-1])

    def forward(self, params: Params, grads: Params) -> Tensor:
        """The values generated at one inner step [num_outputs]."""
        return self.network(self.state(params, grads))
