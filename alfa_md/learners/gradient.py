"""The MAML family: a backbone and a head adapted to an episode by a few steps of an update rule."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import gin
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.episode import Episode
from alfa_md.errors import UserError, require_at_least
from alfa_md.flat_params import flattened
from alfa_md.heads import Head, ZeroHead, linear
from alfa_md.inner_loop.loop import unroll
from alfa_md.inner_loop.recomputation import Recompute, keep_all
from alfa_md.inner_loop.shared_start import can_share_features, shared_start
from alfa_md.inner_loop.step import Step, SupportLoss
from alfa_md.kernels.precision import Precision, float32
from alfa_md.learners.adapts import Adapts, all_but_batch_norm, everything
from alfa_md.learners.base import Learner, Outcome, Scorer, callable_name
from alfa_md.learners.initialization import Initialization, learned
from alfa_md.learners.lora import FACTORS, NoFactors
from alfa_md.learners.recorder import Recorder
from alfa_md.normalization import Normalization, embed_support, moments_stamp, support_moments
from alfa_md.objectives import CLASSIFICATION, Objective
from alfa_md.params import Params, Template, select_parameters, strip_prefix
from alfa_md.rules.base import UpdateRule
from alfa_md.values import Backbone, Steps

BACKBONE = "backbone."
NO_BATCHING = "bind GradientLearner.batching = None"
FEATURES = "features"  # key in the constants of the support features, if the backbone is not adapted


class Start(NamedTuple):
    """The initial fast weights of an episode and the constants of its inner loop."""

    fast: Params  # theta_0: the weights that the inner loop adapts
    constants: Params  # also read by the support loss: a head that is not adapted, features computed once
    first_grads: Params | None = None  # the support gradient at theta_0, if it came with the head
    query: Tensor | None = None  # query features [Nq, D], if the backbone is not adapted

    @property
    def weights(self) -> Params:
        """Constants and fast weights in one dictionary, the argument of the support loss."""
        return self.constants | self.fast


@gin.configurable
class GradientLearner(Learner):
    """MAML (LearnedHead), fo-MAML (ZeroHead) and fo-Proto-MAML (PrototypeHead), with any update rule: sgd, alfa, ...

    `rule(template, num_steps)` builds the rule for the fast weights: the adapted backbone tensors, then those of
    the head (without shapes if the head is made per episode). Every nn.Parameter in here that requires a gradient is
    meta-learned: the backbone, a learned head, the parameters of the rule.

    Args:
      backbone: images [N, ...] -> features [N, D].
      head: makes the initial classifier of an episode.
      rule: factory of the update rule.
      num_steps: inner steps S.
      additional_evaluation_steps: further inner steps in evaluation mode, with the hyperparameters of the last step.
      first_order: treat support gradients as constants in the outer gradient.
      adapts: the weights that the inner loop adapts: `everything` (as Meta-Dataset's published runs; the switch
        "adapt_batch_norm" of its code has no effect there), `all_but_batch_norm`, `head_only` (ANIL), `body_only`
        (BOIL), `norms_only`, `matching`, `lora`. The others keep their meta-learned values. If no backbone tensor is
        adapted, features are computed once per episode.
      normalization: the moments that normalise the query set, `support_moments` or `batch_statistics`.
      prepare: factory of an update rule that is applied once before the first inner step (L2F's Attenuate).
      initialization: `learned` or `frozen` initial weights, or `learned_if_adapted`.
      objective: the loss of inner and outer loop, and the score reported.
      recompute: in second order, the inner steps whose graph is recomputed in the backward pass: none (`keep_all`),
        every second (`recompute_alternate`) or all (`recompute_all`). The numbers are the same.
      precision: of the backbone's arithmetic, `float32` or `bfloat16`; its features are float32 in both.
      batching: computes several episodes together, such as `vmapped`; None computes one at a time.
    """

    def __init__(
        self,
        backbone: Backbone = gin.REQUIRED,
        head: Head = gin.REQUIRED,
        rule: Callable[[Template, int], UpdateRule] = gin.REQUIRED,
        num_steps: Steps = gin.REQUIRED,
        additional_evaluation_steps: Steps = 0,
        first_order: bool = True,
        adapts: Adapts = everything,
        normalization: Callable[[], Normalization] = support_moments,
        prepare: Callable[[Template], UpdateRule] | None = None,
        initialization: Initialization = learned,
        objective: Objective = CLASSIFICATION,
        recompute: Recompute = keep_all,
        precision: Precision = float32,
        batching: Callable[["GradientLearner", Sequence[Episode]], list[Tensor]] | None = None,
    ):
        super().__init__()
        steps = {"num_steps": num_steps, "additional_evaluation_steps": additional_evaluation_steps}
        require_at_least(0, "GradientLearner", **steps)
        refuse_running_averages(backbone)
        self.backbone, self.head, self.adapts = backbone, head, adapts
        self.factors = getattr(adapts, "factors", NoFactors)(backbone)
        self.num_steps, self.additional_evaluation_steps = num_steps, additional_evaluation_steps
        self.first_order, self.recompute = first_order, recompute
        self.protocol, self.normalization, self.objective = callable_name(normalization), normalization(), objective
        self.precision = precision
        if batching and type(self).loss is not Learner.loss:
            raise UserError(f"{type(self).__name__}.loss is for one episode at a time; {NO_BATCHING}")
        self.batching, self.vectorized = batching, batching is not None
        template = self.template()
        self.rule = rule(template, num_steps)
        self.prepare = prepare and prepare(template)
        self.initialization, self.recorder = initialization, Recorder()
        initialization(backbone, head, template)

    def forward(self, episode: Episode) -> Tensor:
        start = self.start(episode)
        theta = self.run_inner_loop(start, self.support_loss(episode), self.rule, self.effective_num_steps)
        return self.query_scores(start, theta, episode)

    def scorer(self, episode: Episode) -> Scorer:
        params = self.adapted(episode._replace(query_x=episode.support_x, query_y=episode.support_y))
        _, embed_query = embed_support(self.embedding(params), episode.support_x)
        return lambda query_x: linear(embed_query(query_x), params)

    def forward_episodes(self, episodes: Sequence[Episode]) -> list[Tensor]:
        return self.batching(self, episodes) if self.batching else super().forward_episodes(episodes)

    def losses(self, episodes: Sequence[Episode]) -> list[Outcome]:
        if self.vectorized:
            return super().losses(episodes)
        return [self.recorder.loss(self, episode) for episode in episodes]

    def template(self) -> Template:
        """The weights that the inner loop adapts, by name: tensors, or None for a head made per episode.

        Raises UserError if there are none, and if a ZeroHead is not adapted.
        """
        head = self.adapted_head(self.head.template())
        template = {**self.adapted_backbone(), **head}
        chosen = f"GradientLearner.adapts = @{callable_name(self.adapts)}"
        if not template:
            raise UserError(f"{chosen} adapts no tensor of backbone and head")
        if isinstance(self.head, ZeroHead) and "head.weight" not in head:
            raise UserError(f"{chosen} leaves the head at zero, which passes no gradient; bind @PrototypeHead()")
        return template

    def adapted_backbone(self) -> Params:
        """The tensors of the backbone, and factors added to it, that are adapted, by name; live parameters."""
        own = select_parameters(self.backbone, BACKBONE, self.adapts)
        return own | select_parameters(self.factors, FACTORS, self.adapts)

    def adapted_head(self, weights: Template) -> Template:
        """Those of the head's weights that the inner loop adapts."""
        return {name: tensor for name, tensor in weights.items() if self.adapts(name, self.head)}

    @property
    def effective_num_steps(self) -> int:
        """The number of inner steps in the current mode, training or evaluation."""
        return self.num_steps + (0 if self.training else self.additional_evaluation_steps)

    def start(self, episode: Episode, single_task: bool = True) -> Start:
        """theta_0 of an episode.

        With `single_task`, in the fastest form for one task: flat, with the first support gradient.
        """
        theta, grads, query, constants = self.adapted_backbone(), None, None, {}
        embed = self.embedding(theta)
        if not theta:
            constants[FEATURES], query = self.normalization(embed, episode.support_x, episode.query_x)
            embed = lambda images: constants[FEATURES][: len(images)]  # noqa: E731  heads look at a prefix at most
        share = theta and single_task and self.effective_num_steps and not self.prepare
        if share and can_share_features(theta, self.first_order):
            weights, grads = shared_start(theta, self.embedding, self.head, self.objective, episode)
        else:
            weights = self.head(embed, episode.support_x, episode.support_y, episode.way)
        adapted = self.adapted_head(weights)
        constants |= {name: tensor for name, tensor in weights.items() if name not in adapted}
        start = Start(theta | adapted, constants, grads and {name: grads[name] for name in theta | adapted}, query)
        if self.prepare:
            *_, step = self.inner_steps(start, self.support_loss(episode), self.prepare, 1)
            start = start._replace(fast=step.after)
        return start._replace(fast=flattened(start.fast)) if single_task else start

    def initial(self, episode: Episode) -> Params:
        """theta_0, including weights of the head that are not adapted."""
        return self.start(episode, single_task=False).weights

    def adapted(self, episode: Episode) -> Params:
        """theta_S, the weights after the inner loop on the support set."""
        return self.run_inner_loop(self.start(episode), self.support_loss(episode), self.rule, self.effective_num_steps)

    def inner_steps(self, start: Start, loss: SupportLoss, rule: UpdateRule, num_steps: int) -> Iterator[Step]:
        """Yields the inner steps from `start`, in first or second order and with recomputation as configured."""
        options = {"constants": start.constants, "first_grads": start.first_grads}
        if self.recompute is not keep_all:
            options["recompute"] = self.recompute
            options["learned"] = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return unroll(start.fast, loss, rule, num_steps, self.first_order, **options)

    def run_inner_loop(self, start: Start, loss: SupportLoss, rule: UpdateRule, num_steps: int) -> Params:
        """The weights after `num_steps` inner steps from `start`."""
        fast = start.fast
        for step in self.inner_steps(start, loss, rule, num_steps):
            fast = step.after
        return {**start.constants, **fast}

    def embedding(self, params: Params) -> Callable[[Tensor], Tensor]:
        """The backbone under fast weights; tensors that are not adapted keep their meta-learned values."""
        theta = strip_prefix(params, BACKBONE) | self.factors.weights(self.backbone, params)

        def embed(images: Tensor) -> Tensor:
            if self.precision is float32:
                return functional_call(self.backbone, theta, (images,))
            with self.precision(images.device.type):
                features = functional_call(self.backbone, theta, (images,))
            return features.to(images.dtype)

        return embed

    def support_loss(self, episode: Episode) -> SupportLoss:
        """The mean loss over the support set, as a function of the weights."""

        def loss(params: Params) -> Tensor:
            features = params[FEATURES] if FEATURES in params else self.embedding(params)(episode.support_x)
            return self.objective.loss(linear(features, params), episode.support_y)

        return loss

    def query_scores(self, start: Start, fast: Params, episode: Episode) -> Tensor:
        """Query scores [Nq, way] under the fast weights of an inner loop from `start`."""
        params = {**start.constants, **fast}
        if start.query is not None:
            return linear(start.query, params)
        return self.classify(params, episode.support_x, episode.query_x)

    def classify(self, params: Params, support_x: Tensor, query_x: Tensor) -> Tensor:
        """Query scores [Nq, way] under `params`; the query set is normalised by `normalization`."""
        return linear(self.normalization.query(self.embedding(params), support_x, query_x), params)

    def stamp(self) -> dict:
        own = super().stamp() | moments_stamp(self.normalization)
        if own["batch_norm"] != "none":
            norms = select_parameters(self.backbone, BACKBONE, lambda *tensor: not all_but_batch_norm(*tensor))
            adapted = "adapted" if norms.keys() & self.adapted_backbone().keys() else "frozen in the inner loop"
            own["batch_norm"] = f"{self.protocol.replace('_', ' ')}, {adapted}"
        if self.adapts not in (everything, all_but_batch_norm):  # these two are distinguished by batch_norm
            own["adapts"] = callable_name(self.adapts)
        return own | {
            "head": type(self.head).__name__,
            "inner_steps": self.num_steps + self.additional_evaluation_steps,
            "precision": callable_name(self.precision),
            "order": "first" if self.first_order else "second",
            "start": callable_name(self.initialization),
            "prepared by": type(self.prepare).__name__ if self.prepare else "nothing",
        }


def refuse_running_averages(backbone: nn.Module) -> None:
    """Raises UserError if a layer of the backbone has running averages, which would leak from episode to episode."""
    for name, module in backbone.named_modules():
        if getattr(module, "track_running_stats", False):
            raise UserError(
                f"backbone layer {name} keeps running averages; use EpisodicBatchNorm in its place, or bind BACKBONE = "
                "@episodic() and episodic.backbone to this backbone"
            )
