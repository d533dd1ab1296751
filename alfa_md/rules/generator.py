"""ALFA's generator g_phi: an MLP from the learning state to hyperparameters."""

from collections.abc import Callable, Sequence
from itertools import pairwise

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


class StateNetwork(nn.Module):
    """Interface of ALFA's generators: a network from the learning state to the values of one inner step."""

    def __init__(self, state: nn.Module, network: nn.Sequential):
        super().__init__()
        self.state = state
        self.network = network

    def forward(self, params: Params, grads: Params) -> Tensor:
        """The values generated at one inner step [num_outputs]."""
        return self.network(self.state(params, grads))


@gin.configurable
class Generator(StateNetwork):
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
        require_at_least(1, "Generator", num_layers=num_layers)
        tau, hidden = state(template), [2 * len(template)] * (num_layers - 1)
        super().__init__(tau, mlp([tau.size, *hidden, num_outputs]))
        initialize(self.network[-1])


@gin.configurable
class PaperGenerator(StateNetwork):
    """The generator as the paper counts it: three 2N x 2N matrices without biases, 12 N^2 values.

    The paper gives no initial values: here the last matrix starts at zero and 1 is added to the outputs, so that the
    first update is that of the base learner, and beta = d B does not erase the weights.

    Args:
      template: names of the N fast weights.
      num_outputs: number of values generated per step.
      state: factory of the learning state.
    """

    def __init__(
        self, template: Template, num_outputs: int, state: Callable[[Template], nn.Module] = LearningState
    ) -> None:
        tau, width = state(template), 2 * len(template)
        super().__init__(tau, mlp([tau.size, width, width, num_outputs], bias=False))
        nn.init.zeros_(self.network[-1].weight)

    def forward(self, params: Params, grads: Params) -> Tensor:
        """The values generated at one inner step [num_outputs]."""
        return 1 + super().forward(params, grads)


def mlp(widths: Sequence[int], bias: bool = True) -> nn.Sequential:
    """Linear layers between these widths, with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs, bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
