"""Published results: the row of a configuration, and its deviations from the published setting."""

import re

import pytest

from alfa_md.experiment.definition import META_DATASET
from alfa_md.reporting.published import PUBLISHED, SETTINGS, bindings, deviations, published_row, resolve
from tests.runs import configuration
from tests.shared import ROOT

WITH_FILE = {row: setting.file for row, setting in SETTINGS.items() if setting.file}


def test_every_row_has_the_ten_sources_and_a_setting():
    assert PUBLISHED.keys() == SETTINGS.keys()
    for cells in PUBLISHED.values():
        assert tuple(cells) == META_DATASET
        assert all(0.25 < cell.mean < 0.9 and 0.006 < cell.ci95 < 0.016 for cell in cells.values())


@pytest.mark.parametrize("row", WITH_FILE)
def test_rows_agree_with_the_headers_of_the_gin_files(row):
    header = (ROOT / WITH_FILE[row]).read_text().split("include")[0]
    means = [100 * cell.mean for cell in PUBLISHED[row].values()]
    assert f"{' '.join(f'{mean:.2f}' for mean in means)}, {sum(means) / 10 + 1e-9:.2f}" in header


@pytest.mark.parametrize("row", WITH_FILE)
def test_a_gin_file_is_of_its_own_row_and_does_not_deviate(row):
    bound = bindings(configuration(WITH_FILE[row]))
    assert published_row(bound) == row and deviations(bound, row) == []


@pytest.mark.parametrize("file", ["gin/maml_alfa_all.gin", "gin/omniglot_proto_maml_alfa.gin"])
def test_a_configuration_without_published_row_has_none(file):
    assert published_row(bindings(configuration(file))) is None


def test_training_sources_may_be_macros():
    bound = bindings(configuration("gin/proto_maml_alfa.gin"))
    by_macro = bound | {"DATA": "'ilsvrc_2012'", "Experiment.train_sources": "(%DATA,)"}
    assert published_row(by_macro) == published_row(bound) is not None
    assert published_row(by_macro | {"DATA": "'mini_imagenet'"}) is None


def test_another_rule_has_no_row_and_nothing_bound_neither():
    changed = configuration("gin/proto_maml_alfa.gin", bindings=["GradientLearner.rule = @lslr_decay"])
    assert published_row(bindings(changed)) is None
    assert published_row({}) is None


def test_what_differs_from_the_published_setting_is_listed():
    small = bindings(configuration("gin/proto_maml_alfa.gin", "gin/quickstart.gin"))
    row = published_row(small)
    found = deviations(small, row)
    assert row == "fo-Proto-MAML + ALFA, ImageNet only"
    assert "BACKBONE: @FourLayerConvNet() (published: @ResNet18())" in found
    assert "train.num_updates: 400 (published: 75000)" in found
    assert "train/Sampling.max_support_set_size: 60 (published: 500)" in found
    assert not any(re.match("train.(log|checkpoint)_every", line) for line in found)


def test_the_spelling_of_a_number_is_no_difference():
    bound = bindings(configuration("gin/prototypical.gin"))
    row = published_row(bound)
    assert deviations(bound | {"train.weight_decay": "8.85787420909229e-05"}, row) == []
    assert len(deviations(bound | {"train.weight_decay": "8.85787420909230e-05"}, row)) == 1


def test_a_row_without_settings_of_ours_says_so():
    (found,) = deviations({}, "Prototypical networks, all sources")
    assert "not checked" in found


def test_values_are_found_through_macros():
    bound = {"A.b": "%B", "B": "%C", "C": "@scope/Net()", "A.n": "3", "LOOP": "%LOOP"}
    assert [resolve(bound, name) for name in ("A.b", "A.n", "A.c")] == ["Net", "3", None]
    assert resolve(bound, "LOOP") == "%LOOP"  # and comes to an end


def test_bindings_are_read_from_gin_text():
    text = "# a = 1\nimport x as y\nIMAGE_SIZE = 32  # pixels\nE.names = \\\n    ('a',\n     'b')\n"
    assert bindings(text) == {"IMAGE_SIZE": "32", "E.names": "('a', 'b')"}
