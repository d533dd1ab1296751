"""Meta-Dataset's k-NN baseline (Triantafillou et al., 2020): a classifier, evaluated by 1-NN on its features."""

import gin
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner, Scorer, callable_name
from alfa_md.learners.classifiers import Classifier
from alfa_md.learners.nearest_neighbor import Distance, euclidean, nearest_neighbor, nearest_neighbor_scorer
from alfa_md.values import Backbone


@gin.configurable
class BaselineLearner(Learner):
    """Trained as a classifier over all training classes, evaluated on episodes by 1-NN on features.

    In training mode an episode is a batch without support set: scores [B, num_classes] of the classifier on features
    normalised by the batch's own moments. In evaluation mode: one-hot scores [Nq, way], with query features
    normalised by the support set's moments; the classifier is not used. Its backbone may initialise other learners.

    Args:
      backbone: images [N, ...] -> features [N, D].
      classifier: features [N, D] -> scores [N, num_classes].
      distance: between query features and support features, `euclidean` or `cosine`.
    """

    def __init__(
        self,
        backbone: Backbone = gin.REQUIRED,
        classifier: Classifier = gin.REQUIRED,
        distance: Distance = euclidean,
    ):
        super().__init__()
        self.backbone, self.classifier, self.distance = backbone, classifier, distance

    def forward(self, episode: Episode) -> Tensor:
        """Raises UserError in training mode for a support set, or for more classes than the classifier has."""
        if not self.training:
            return nearest_neighbor(self.backbone, episode, self.distance)
        self._refuse_foreign(episode)
        return self.classifier(self.backbone(episode.query_x))

    def scorer(self, episode: Episode) -> Scorer:
        return nearest_neighbor_scorer(self.backbone, episode, self.distance)

    def _refuse_foreign(self, episode: Episode) -> None:
        if len(episode.support_y):
            raise UserError(
                "BaselineLearner is trained on batches, not on episodes with a support set; "
                "bind Experiment.batches = @batches"
            )
        if episode.way > self.classifier.num_classes:
            raise UserError(
                f"BaselineLearner.classifier has {self.classifier.num_classes} classes, but the training sources have "
                f"{episode.way}; set {type(self.classifier).__name__}.num_classes (the macro NUM_CLASSES of the gin "
                f"files) to {episode.way}"
            )

    def stamp(self) -> dict:
        return super().stamp() | {
            "classifier": type(self.classifier).__name__,
            "distance": callable_name(self.distance),
        }
