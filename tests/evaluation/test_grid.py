"""Grids as flags write them."""

import pytest

from alfa_md.errors import UserError
from alfa_md.evaluation.grid import bindings, parse_grid, points


@pytest.mark.parametrize(
    "flag, name, values",
    [
        ("A.b=1,2", "A.b", ("1", "2")),
        (" A.b = 1e-3 , -2 ", "A.b", ("1e-3", "-2")),
        ("RATE=0.1", "RATE", ("0.1",)),
        ("train/A.b=(1, 2),[3,4]", "train/A.b", ("(1, 2)", "[3,4]")),
        ("A.b=@sgd,@Net()", "A.b", ("@sgd", "@Net()")),
        ("A.b='x,y',\"z\"", "A.b", ("'x,y'", '"z"')),
        ("A.b=1,1", "A.b", ("1",)),
    ],
)
def test_a_flag_has_a_name_and_values(flag, name, values):
    assert parse_grid([flag]) == {name: values}


@pytest.mark.parametrize("flag", ["A.b", "A.b=", "A.b=,", "A.b=1,,2", "A.b= ,1", "A.b=(1,2", "=1", "A b=1", "1=2"])
def test_another_form_is_refused(flag):
    with pytest.raises(UserError, match="write a name and its values, as in --grid="):
        parse_grid([flag])


def test_a_name_given_twice_and_a_grid_without_end_are_refused():
    with pytest.raises(UserError, match="--grid: A.b is given twice; give all its values at once"):
        parse_grid(["A.b=1", "A.b=2"])
    with pytest.raises(UserError, match="--grid: 10000000000 points are more than 1000; give fewer"):
        parse_grid([f"A.x{k}=0,1,2,3,4,5,6,7,8,9" for k in range(10)])


def test_points_are_all_combinations_in_order():
    grid = parse_grid(["A.b=1,2", "C=x,y"])
    assert [list(point.values()) for point in points(grid)] == [["1", "x"], ["1", "y"], ["2", "x"], ["2", "y"]]
    assert bindings(points(grid)[1]) == ["A.b = 1", "C = y"] and points({}) == [{}]
