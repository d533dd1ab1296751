"""Type checks of values against annotations."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import pytest
from torch import nn

from alfa_md.experiment.annotations import describe_annotation, matches_annotation, required_parameters
from alfa_md.experiment.references import Reference


class Reader(Protocol):
    def __call__(self, name: str) -> str: ...


def make_linear(width: int, bias: bool = True) -> nn.Linear:
    return nn.Linear(width, width, bias)


def make_anything(*shape, **options):
    return nn.Linear(1, 1)


LINEAR = Reference(nn.Linear, called=True)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (3, int),
        (3, float),
        (1e-3, float),
        (True, bool),
        ("a", str),
        (None, int | None),
        ((1, 2), int | tuple[int, int] | None),
        ([1, 2], tuple[int, int]),
        ((), Sequence[str]),
        (["a", "b"], Sequence[str]),
        ((1, 2, 3), tuple[int, ...]),
        ("adam", Literal["adam", "sgd"]),
        ({"a": 1}, Mapping[str, int]),
        ({"a": 1}, dict),
        (LINEAR, nn.Module),
        (Reference(make_linear, called=True), nn.Module),
        (Reference(make_anything, called=True), str),  # it does not say what it makes
        (Reference(make_linear, called=False), Callable[[int], nn.Module]),
        (Reference(nn.Linear, called=False), type),
        (LINEAR, Callable),  # modules can be called
        ((LINEAR, LINEAR), Sequence[nn.Module]),
        ("anything", Any),
        (3, Reader),
        (3, "a forward name"),
    ],
)
def test_what_fits(value, annotation):
    assert matches_annotation(value, annotation)


@pytest.mark.parametrize(
    ("value", "annotation", "said"),
    [
        ("ten", int, "a whole number"),
        (2.5, int, "a whole number"),
        (True, int, "a whole number"),
        (True, float, "a number"),
        ("1e-3", float, "a number"),
        (1, bool, "True or False"),
        (1, str, "a string"),
        (None, int, "a whole number"),
        ("x", int | None, "a whole number or None"),
        ((1, 2, 3), tuple[int, int], "(a whole number, a whole number)"),
        ("omniglot", Sequence[str], "a list, each a string"),
        (("a", 3), Sequence[str], "a list, each a string"),
        ("adams", Literal["adam", "sgd"], "'adam' or 'sgd'"),
        ([1], Mapping[str, int], "a dictionary"),
        ("linear", nn.Module, "a Module, written @name()"),
        (Reference(nn.Linear, called=False), nn.Module, "a Module, written @name()"),
        (Reference(make_linear, called=True), nn.Conv2d, "a Conv2d, written @name()"),
        (LINEAR, int, "a whole number"),
        ("records", Callable[[str], str], "a reference @name that takes 1 argument and returns str"),
        ((LINEAR, 3), Sequence[nn.Module], "a list, each a Module, written @name()"),
    ],
)
def test_what_does_not_fit_and_what_would(value, annotation, said):
    assert not matches_annotation(value, annotation)
    assert describe_annotation(annotation) == said


def test_what_a_call_has_to_give():
    assert required_parameters(make_linear) == {"width"}
    assert required_parameters(make_anything) == set()
    assert required_parameters(nn.Linear) == {"in_features", "out_features"}


def test_a_parameter_without_annotation_takes_everything():
    assert matches_annotation(84, inspect.Parameter.empty) and matches_annotation("x", inspect.Parameter.empty)
