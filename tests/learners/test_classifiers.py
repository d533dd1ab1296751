"""Classifiers of pretraining: scores, initialisation, and errors."""

import pytest
import torch
import torch.nn.functional as F

from alfa_md.errors import UserError
from alfa_md.learners.classifiers import Classifier, CosineClassifier, LinearClassifier, ScaledCosineClassifier

CLASSIFIERS = [LinearClassifier, CosineClassifier, ScaledCosineClassifier]
every_classifier = pytest.mark.parametrize("make", CLASSIFIERS)


def features(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@every_classifier
def test_a_score_for_every_class_and_a_gradient_for_every_parameter(make):
    classifier = make(6, 4).double()
    assert classifier.num_classes == 4
    scores = classifier(features(5, 6))
    assert scores.shape == (5, 4)
    F.cross_entropy(scores, torch.tensor([0, 1, 2, 3, 0])).backward()
    assert all(parameter.grad.any() for parameter in classifier.parameters())


@every_classifier
def test_features_of_another_dimension_are_refused(make):
    name = f"{make.__name__}.num_features"
    with pytest.raises(UserError, match=f"{name} = 6, but the backbone gives 7 .*; set {name} .*NUM_FEATURES.* to 7"):
        make(6, 4)(torch.zeros(5, 7))


def test_linear():
    classifier, x = LinearClassifier(6, 4).double(), features(5, 6)
    torch.testing.assert_close(classifier(x), x @ classifier.weight.T + 0.1)


def test_cosine():
    classifier, x = CosineClassifier(6, 4, multiplier=3.0).double(), features(5, 6)
    cosines = F.cosine_similarity(x[:, None], classifier.weight[None], dim=2)
    torch.testing.assert_close(classifier(x), 3 * cosines)
    torch.testing.assert_close(classifier(7 * x), 3 * cosines)
    assert [name for name, _ in classifier.named_parameters()] == ["weight"]


def test_squared_norms_are_at_least_one_thousandth():
    classifier = CosineClassifier(2, 1).double()
    classifier.weight.data = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    small = torch.tensor([[0.01, 0.0], [0.0, 0.0], [0.04, 0.0]], dtype=torch.float64)  # 0.04^2 is above 0.001
    expected = torch.tensor([[0.01 / 0.001**0.5], [0.0], [1.0]], dtype=torch.float64)
    torch.testing.assert_close(classifier(small), expected)


def test_scaled_cosine_is_weight_normalisation():
    """w = g v / |v| with normalised features, as in the original code."""
    classifier, x = ScaledCosineClassifier(6, 4).double(), features(5, 6)
    classifier.scale.data = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    w = classifier.weight * (classifier.scale / classifier.weight.square().sum(dim=1).sqrt())[:, None]
    torch.testing.assert_close(classifier(x), x / x.norm(dim=1, keepdim=True) @ w.T)


@pytest.mark.parametrize("make", [LinearClassifier, CosineClassifier])
def test_weights_are_initialised_from_a_truncated_normal(make):
    torch.manual_seed(0)
    weight = make(600, 50).weight
    assert weight.abs().max() <= 0.2
    assert weight.std().item() == pytest.approx(0.0880, abs=0.001)  # std of N(0, 0.1^2) cut at two sigma


def test_scaled_weights_are_initialised_from_a_normal():
    torch.manual_seed(0)
    classifier = ScaledCosineClassifier(600, 50)
    assert classifier.weight.std().item() == pytest.approx(0.05, abs=0.001) and classifier.weight.abs().max() > 0.15
    assert (classifier.scale == 1).all()


def test_a_classifier_must_define_scores():
    with pytest.raises(TypeError, match="Classifier does not say how it scores"):
        Classifier(torch.zeros(2, 3))(torch.zeros(1, 3))
