"""`python -m alfa_md.check`: exit codes, the table and the JSON file."""

import json

import pytest

from tests.data.audit.test_source_audit import mixed
from tests.data.prepared import shard_file, write_prepared
from tests.data.records import write_source
from tests.entries.harness import run_entry


@pytest.fixture
def records(tmp_path):
    write_source(tmp_path / "records", mixed, images_per_class=12)
    return tmp_path


def check(folder, *arguments):
    return run_entry("check", "--records_root_dir=records", *arguments, cwd=folder)


def test_an_intact_root_exits_with_zero_and_lists_missing_sources(records):
    outcome = check(records, "--full", "--out=check.json")
    assert outcome.code == 0 and "missing" in outcome.out and "GB free" in outcome.out
    content = json.loads((records / "check.json").read_bytes())
    states = {source["source"]: source["state"] for source in content["sources"]}
    assert states.pop("toy") == "present" and set(states.values()) == {"missing"} and len(states) == 10
    assert content["places"]["records root"]["writable"] is True


def test_damage_is_one(records):
    (records / "records" / "toy" / "3.tfrecords").write_bytes(b"")
    outcome = check(records, "--sources=toy")
    assert outcome.code == 1 and "3.tfrecords: has 0 records, its specification says 12" in outcome.out


def test_no_folder_is_two(tmp_path):
    outcome = check(tmp_path)
    assert outcome.code == 2 and "records: no such folder" in outcome.error


def test_a_folder_without_a_source_is_two(tmp_path):
    (tmp_path / "records" / "photos").mkdir(parents=True)
    assert "records: holds no source, which is a folder with dataset_spec.json; set" in check(tmp_path).error
    assert check(tmp_path, "--sources=dtd").code == 0  # named by the user: reported as missing


def test_piped_it_cuts_no_name_and_shows_no_progress(tmp_path):
    name = "a_source_whose_name_is_longer_than_a_line_of_a_terminal_" * 2 + "x"
    write_source(tmp_path / "records", mixed, name=name, images_per_class=12)
    outcome = check(tmp_path, f"--sources={name}")
    assert outcome.code == 0 and name in outcome.out and outcome.err == ""


def test_sources_in_shards_are_listed_and_checked(tmp_path):
    spec = write_source(tmp_path / "files", mixed, images_per_class=12)
    folder = write_prepared(tmp_path / "records", spec, (100, 116))
    outcome = check(tmp_path, "--out=check.json")
    assert outcome.code == 0
    sources = {source["source"]: source for source in json.loads((tmp_path / "check.json").read_bytes())["sources"]}
    assert (sources["toy"]["state"], sources["toy"]["images"]) == ("present", 216) and len(sources) == 11
    shard_file(folder, 1, 2).write_bytes(b"")
    outcome = check(tmp_path, "--sources=toy")
    assert outcome.code == 1 and "00001-of-00002: has 0 records, dataset_info.json says 116; build" in outcome.out
