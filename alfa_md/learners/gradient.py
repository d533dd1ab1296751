"""The MAML family: a backbone and a head adapted to an episode by a few steps of an update rule."""

from collections.abc import Callable, Sequence

import gin
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.episode import Episode
from alfa_md.errors import UserError, require_at_least
from alfa_md.heads import Head, linear
from alfa_md.inner_loop.loop import SupportLoss, adapt
from alfa_md.inner_loop.recomputation import Memory, fast
from alfa_md.inner_loop.shared_start import can_be_shared, shared_start
from alfa_md.kernels.precision import Precision, float32
from alfa_md.learners.base import Learner, name_of
from alfa_md.learners.starts import learned
from alfa_md.normalization import EpisodicBatchNorm, QueryFeatures, support_moments
from alfa_md.objectives import CLASSIFICATION, Objective
from alfa_md.params import Params, Template, pick, strip
from alfa_md.rules.base import UpdateRule

BACKBONE = "backbone."


@gin.configurable
class GradientLearner(Learner):
    """MAML (LearnedHead), fo-MAML (ZeroHead) and fo-Proto-MAML (PrototypeHead), with any update rule: sgd, alfa, ...

    `rule(template, num_steps)` builds the rule for the fast weights: the adapted backbone tensors, then the head's
    (of which a head made for the episode has no shape yet). Every nn.Parameter in here that requires a gradient is
    meta-learned: the backbone, a learned head, what the rule learns.

    Args:
      backbone: images [N, ...] -> features [N, D].
      head: makes the initial classifier of an episode.
      rule: factory of the update rule.
      num_steps: inner steps S.
      additional_evaluation_steps: further steps in evaluation mode; they use the rule's last step.
      first_order: take support gradients as constants in the outer gradient.
      adapt_batch_norm: adapt BN scale and offset in the inner loop, as Meta-Dataset's published runs did (its switch
        of this name has no effect in its own code). False keeps them at their meta-learned values.
      normalization: whose moments normalise the query set, `support_moments` or `batch_statistics`.
      prepare: `prepare(template)` is an update of the initial weights before the first inner step (L2F's Attenuate).
      start: `learned` or `frozen` initial weights.
      objective: what the inner and outer loop descend, and what is reported.
      memory: in second order, which inner steps are taken again in the backward pass instead of being kept: `fast`
        none, `balanced` every second, `low` all. The numbers are the same.
      precision: what the backbone computes in, `float32` or `bfloat16`; its features are float32 in both.
      batching: scores several episodes at once, such as `vmapped`; None takes one after the other.
    """

    def __init__(
        self,
        backbone: nn.Module = gin.REQUIRED,
        head: Head = gin.REQUIRED,
        rule: Callable[[Template, int], UpdateRule] = gin.REQUIRED,
        num_steps: int = gin.REQUIRED,
        additional_evaluation_steps: int = 0,
        first_order: bool = True,
        adapt_batch_norm: bool = True,
        normalization: Callable[[], QueryFeatures] = support_moments,
        prepare: Callable[[Template], UpdateRule] | None = None,
        start: Callable[..., None] = learned,
        objective: Objective = CLASSIFICATION,
        memory: Memory = fast,
        precision: Precision = float32,
        batching: Callable[["GradientLearner", Sequence[Episode]], list[Tensor]] | None = None,
    ):
        super().__init__()
        steps = {"num_steps": num_steps, "additional_evaluation_steps": additional_evaluation_steps}
        require_at_least(0, "GradientLearner", **steps)
        refuse_running_averages(backbone)
        self.backbone, self.head = backbone, head
        self.num_steps, self.additional_evaluation_steps = num_steps, additional_evaluation_steps
        self.first_order, self.adapt_batch_norm = first_order, adapt_batch_norm
        self.protocol, self.normalization, self.objective = name_of(normalization), normalization(), objective
        self.precision = precision
        self.batching, self.batches = batching, batching is not None
        template = {**self.initial_backbone(), **head.template()}
        self.rule, self.memory = rule(template, num_steps), memory
        self.refuse_memories()
        self.prepare = prepare and prepare(template)
        self.start = start
        start(backbone, head)

    def forward(self, episode: Episode) -> Tensor:
        return self.classify(self.adapted(episode), episode.support_x, episode.query_x)

    def batch(self, episodes: Sequence[Episode]) -> list[Tensor]:
        return self.batching(self, episodes) if self.batching else super().batch(episodes)

    def adapted(self, episode: Episode) -> Params:
        """theta_S: the fast weights after the inner loop on the support set."""
        loss, rule, theta = self.support_loss(episode), self.rule.for_task(), self.initial_backbone()
        if self.prepare or not self.steps or not can_be_shared(theta, self.first_order):
            return self.descend(self.initial(episode), loss, rule, self.steps)
        theta, grads = shared_start(theta, self.embedding, self.head, self.objective, episode)
        if grads is None:
            return self.descend(theta, loss, rule, self.steps)
        return self.descend(rule(theta, grads, 0), loss, rule, self.steps, first=1)

    @property
    def steps(self) -> int:
        """How many inner steps are taken in the present mode, training or evaluation."""
        return self.num_steps + (0 if self.training else self.additional_evaluation_steps)

    def descend(self, theta: Params, loss: SupportLoss, rule: UpdateRule, num_steps: int, first: int = 0) -> Params:
        """theta after the inner steps from `first` on, in the order and with the memory of this learner."""
        learned = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return adapt(theta, loss, rule, num_steps, self.first_order, first, self.memory, learned)

    def initial_backbone(self) -> Params:
        """The backbone tensors that the inner loop adapts, by name; live parameters."""
        adapts = (lambda owner: True) if self.adapt_batch_norm else (lambda owner: not is_batch_norm(owner))
        return pick(self.backbone, BACKBONE, adapts)

    def initial(self, episode: Episode) -> Params:
        """theta_0: the adapted backbone tensors and the head that this episode starts from, prepared for it."""
        theta = self.initial_backbone()
        theta |= self.head(self.embedding(theta), episode.support_x, episode.support_y, episode.way)
        if self.prepare:
            theta = self.descend(theta, self.support_loss(episode), self.prepare, 1)
        return theta

    def embedding(self, params: Params) -> Callable[[Tensor], Tensor]:
        """The backbone under fast weights; tensors that are not adapted keep their meta-learned values."""
        theta = strip(params, BACKBONE)

        def embed(images: Tensor) -> Tensor:
            with self.precision(images.device.type):
                features = functional_call(self.backbone, theta, (images,))
            return features.to(images.dtype)

        return embed

    def support_loss(self, episode: Episode) -> Callable[[Params], Tensor]:
        """The mean loss over the support images, as a function of the fast weights."""

        def loss(params: Params) -> Tensor:
            features = self.embedding(params)(episode.support_x)
            return self.objective.loss(linear(features, params), episode.support_y)

        return loss

    def classify(self, params: Params, support_x: Tensor, query_x: Tensor) -> Tensor:
        """Query scores [Nq, way] under `params`, normalised as `normalization` says."""
        return linear(self.normalization(self.embedding(params), support_x, query_x), params)

    def refuse_memories(self) -> None:
        """Raises UserError where a step cannot be taken again by itself: the rule remembers the steps before it."""
        if any(map(self.memory, range(self.num_steps))) and self.rule.for_task() is not self.rule:
            raise UserError("this rule keeps values of the first inner step; bind GradientLearner.memory = @fast")

    def stamp(self) -> dict:
        adapted = "adapted" if self.adapt_batch_norm else "frozen in the inner loop"
        own = super().stamp()
        if own["batch_norm"] != "none":
            own["batch_norm"] = f"{self.protocol.replace('_', ' ')}, {adapted}"
        return own | {
            "head": type(self.head).__name__,
            "inner_steps": self.num_steps + self.additional_evaluation_steps,
            "precision": name_of(self.precision),
            "order": "first" if self.first_order else "second",
            "start": name_of(self.start),
            "prepared by": type(self.prepare).__name__ if self.prepare else "nothing",
        }


def refuse_running_averages(backbone: nn.Module) -> None:
    """Raises UserError where a layer would carry averages from one episode and inner step to the next."""
    for name, module in backbone.named_modules():
        if getattr(module, "track_running_stats", False):
            raise UserError(f"backbone layer {name} keeps running averages; use EpisodicBatchNorm in its place")


def is_batch_norm(owner: nn.Module) -> bool:
    """Whether a module's own parameters are the scale and offset of a batch normalisation."""
    return isinstance(owner, EpisodicBatchNorm | nn.modules.batchnorm._BatchNorm)
