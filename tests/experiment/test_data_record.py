"""The record of a run's data: which differences are found, and how they are named."""

from typing import NamedTuple

import pytest

from alfa_md.experiment.data_record import data_record, data_stamp, is_data_record, other_data, same_data


class Source(NamedTuple):
    """A source with these files."""

    files: dict

    def stamp(self) -> dict:
        return {"spec": "a"}


OWN = {"dataset_spec.json": "00000000", "0.tfrecords": "11111111", "1.tfrecords": "22222222"}
SOURCES = [Source({"own train": OWN}), Source({"own valid": {"2.tfrecords": "33333333"}})]
RECORD = {"own train": "000000001111111122222222", "own valid": "33333333"}


def test_the_record_is_a_string_for_every_source_and_split():
    assert data_record(SOURCES) == RECORD and is_data_record(RECORD) and data_record([]) == {}
    assert other_data(RECORD, SOURCES) is None


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (OWN | {"1.tfrecords": "44444444"}, "own train: 1.tfrecords is another one"),
        (OWN | {"dataset_spec.json": "44444444"}, "own train: dataset_spec.json is another one"),
        (OWN | {"2.tfrecords": "44444444"}, "own train: there are 4 files or classes, not 3"),
        (OWN | {"1.tfrecords": "--------"}, None),  # absent here
    ],
)
def test_the_first_difference_is_named(files, named):
    assert other_data(RECORD, [Source({"own train": files})]) == named


def test_what_was_absent_then_or_not_recorded_is_not_compared():
    assert other_data(RECORD | {"own train": "00000000--------22222222"}, SOURCES) is None
    assert other_data({}, SOURCES) is None
    assert other_data(RECORD, [Source({"other train": {"0.tfrecords": "55555555"}})]) is None


def test_stamps_with_and_without_digests():
    stamp = data_stamp(SOURCES[0])
    assert stamp == {"spec": "a", "digests": RECORD["own train"]} and data_stamp(Source({})) == {"spec": "a"}
    assert same_data(stamp, {"spec": "a"}) and same_data({"spec": "a"}, stamp) and same_data(stamp, dict(stamp))
    assert not same_data(stamp, stamp | {"digests": "1" * 24})
    assert not same_data(stamp, {"spec": "b"}) and not same_data({"spec": "a"}, stamp | {"image_size": 84})
