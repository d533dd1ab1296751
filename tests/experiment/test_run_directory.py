"""Run directories: created once, reopened, never shared by two configurations."""

import os
from typing import NamedTuple

import pytest

from alfa_md.errors import UserError
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.files import write_json

CONFIG = """# Parameters for train:
# ==============================================================================
train.learning_rate = 0.001
train.num_updates = 400

# Parameters for Sampling:
# ==============================================================================
Sampling.max_ways_upper_bound = 10
"""
FACTS = {"name": "proto_maml", "seed": 0, "data_root": "/records", "data_kind": "records"}


def claimed(run: RunDirectory, config: str, facts: dict, *sources) -> int | None:
    with run.claimed(config, facts, sources) as earlier:
        return earlier


class Files(NamedTuple):
    """A source with these files."""

    files: dict


OWN = Files({"own train": {"dataset_spec.json": "0" * 8, "0.tfrecords": "1" * 8, "1.tfrecords": "2" * 8}})


def test_opening_makes_the_folder_and_tells_what_it_is(tmp_path):
    run = RunDirectory(tmp_path / "a" / "b")
    claimed(run, CONFIG, FACTS)
    assert run.config.read_text() == CONFIG and run.results.is_dir() and run.last.parent.is_dir()
    facts = run.facts()
    assert facts.items() >= FACTS.items() and {"command", "alfa_md", "torch", "python", "machine"} < facts.keys()
    assert not run.last.exists() and not run.best.exists()


def test_opening_again_changes_nothing(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    before = run.config.read_bytes(), run.facts_file.read_bytes()
    claimed(RunDirectory(str(tmp_path)), CONFIG + "\n# a comment\n", FACTS)
    assert (run.config.read_bytes(), run.facts_file.read_bytes()) == before


def test_bindings_that_only_save_memory_may_change(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    claimed(run, CONFIG + "support_moments.query_portion = 10\nGradientLearner.recompute = @recompute_all\n", FACTS)
    assert run.config.read_text() == CONFIG
    with pytest.raises(UserError, match=r"\(GradientLearner.precision: unset -> @bfloat16\);"):
        claimed(run, CONFIG + "support_moments.query_portion = 10\nGradientLearner.precision = @bfloat16\n", FACTS)


@pytest.mark.parametrize(
    "config, facts, named",
    [
        (CONFIG.replace("400", "300"), FACTS, "(train.num_updates: 400 -> 300);"),
        (CONFIG + "train.clip_norm = 1.0\n", FACTS, "(train.clip_norm: unset -> 1.0);"),
        (CONFIG, FACTS | {"seed": 1}, "(seed: 0 -> 1);"),
        (CONFIG, FACTS | {"data_kind": "images"}, "(data_kind: records -> images);"),
        (CONFIG.replace("400", "500").replace("10", "11"), FACTS, "(Sampling.max_ways_upper_bound: 10 -> 11);"),
    ],
)
def test_another_run_is_refused_and_nothing_written_over(tmp_path, config, facts, named):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    before = run.config.read_bytes(), run.facts_file.read_bytes()
    with pytest.raises(UserError) as caught:
        claimed(run, config, facts)
    assert named in str(caught.value) and "--run_dir" in str(caught.value) and "\n" not in str(caught.value)
    assert (run.config.read_bytes(), run.facts_file.read_bytes()) == before


def test_data_may_move_and_its_new_place_is_kept(tmp_path, capsys):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS, OWN)
    claimed(run, CONFIG, FACTS | {"data_root": "/moved"}, OWN)
    assert capsys.readouterr().out == (
        "The data of this run is at another path than before (/records): it is the same data\n"
    )
    assert run.facts()["data_root"] == "/moved" and run.facts()["data"] == {"own train": "0" * 8 + "1" * 8 + "2" * 8}


@pytest.mark.parametrize("root", ["/records", "/moved"])
def test_other_data_is_refused_by_source_and_file_wherever_it_is(tmp_path, root):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS, OWN)
    before = run.facts_file.read_bytes()
    other = Files({"own train": OWN.files["own train"] | {"1.tfrecords": "3" * 8}})
    with pytest.raises(UserError, match=r"was trained on other data \(own train: 1.tfrecords is another one\); give"):
        claimed(run, CONFIG, FACTS | {"data_root": root}, other)
    assert run.facts_file.read_bytes() == before


def test_a_run_of_an_earlier_version_has_no_record_of_its_data_and_gets_one(tmp_path, capsys):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    write_json(run.facts_file, FACTS)
    claimed(run, CONFIG, FACTS | {"data_root": "/moved"}, OWN)
    assert "did not record the data of this run, then at /records: unchecked" in capsys.readouterr().out
    assert run.facts()["data"].keys() == {"own train"}


def test_the_name_of_a_command_is_no_part_of_a_run(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    claimed(run, CONFIG, FACTS | {"name": "config"})
    assert run.facts()["name"] == "proto_maml"


def test_a_higher_number_of_updates_is_passed_on_and_written_when_it_is_accepted(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    assert claimed(run, CONFIG.replace("400", "500"), FACTS) == 400
    assert run.config.read_text() == CONFIG
    run.extend(500)
    assert run.config.read_text() == CONFIG.replace("400", "500")


def test_folders_that_were_removed_are_made_again(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    run.results.rmdir()
    run.last.parent.rmdir()
    claimed(run, CONFIG, FACTS)
    run.write_ranking({2: 0.5})
    assert run.results.is_dir() and run.ranking.read_text() == "{}\n"


def test_checkpoints_of_unknown_origin_are_not_written_over(tmp_path):
    run = RunDirectory(tmp_path)
    run.last.parent.mkdir()
    run.last.write_bytes(b"weights")
    with pytest.raises(UserError, match="holds checkpoints but no config.gin"):
        claimed(run, CONFIG, FACTS)
    assert run.last.read_bytes() == b"weights" and not run.config.exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to run directory .*file/run"):
        claimed(RunDirectory(tmp_path / "file" / "run"), CONFIG, FACTS)


def test_opening_that_was_cut_short_is_done_again(tmp_path):
    run = RunDirectory(tmp_path)
    run.last.parent.mkdir()
    write_json(run.facts_file, {"seed": 7})
    claimed(run, CONFIG, FACTS)
    assert run.facts()["seed"] == 0


@pytest.mark.parametrize("present", [(), ("config.gin",), ("run.json",)])
def test_a_folder_without_a_run_is_refused(tmp_path, present):
    for name in present:
        (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match="is not a run directory"):
        RunDirectory(tmp_path).facts()


def test_a_run_has_one_process_at_a_time(tmp_path):
    first, second = RunDirectory(tmp_path), RunDirectory(tmp_path)
    with first.claimed(CONFIG, FACTS):
        with pytest.raises(
            UserError, match="is in use by another training run; wait for it, or choose another --run_d"
        ):
            claimed(second, CONFIG, FACTS)
    claimed(second, CONFIG, FACTS)


def test_an_error_of_the_run_itself_is_not_taken_for_one_of_its_folder(tmp_path):
    with pytest.raises(OSError, match="a broken disk"), RunDirectory(tmp_path).claimed(CONFIG, FACTS):
        raise OSError("a broken disk")


def test_a_damaged_file_of_facts_is_named(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    run.facts_file.write_text('{"name": "proto')
    with pytest.raises(UserError, match="run.json: is not valid JSON"):
        run.facts()


@pytest.mark.parametrize("content", [[], {}, {"seed": 0}, 3])
def test_facts_that_are_not_all_there_are_named(tmp_path, content):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    write_json(run.facts_file, content)
    with pytest.raises(UserError, match="run.json lacks some of data_kind, data_root, name, seed"):
        run.facts()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"seed": "0"}, "run.json is damaged: seed = '0'; restore it"),
        ({"seed": True}, "seed = True"),
        ({"seed": -1}, "seed = -1"),
        ({"name": None}, "name = None"),
        ({"data_root": 3}, "data_root = 3"),
        ({"data": {"own": "0" * 8}}, "its data is no record of files"),
        ({"data": {"own train": "0" * 7}}, "its data is no record of files"),
        ({"data": [1]}, "its data is no record of files"),
    ],
)
def test_facts_of_a_wrong_kind_are_named(tmp_path, wrong, named):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    write_json(run.facts_file, run.facts() | wrong)
    with pytest.raises(UserError, match=named):
        run.facts()


def test_a_configuration_that_is_no_text_is_named(tmp_path):
    run = RunDirectory(tmp_path)
    claimed(run, CONFIG, FACTS)
    run.config.write_bytes(b"train.num_updates = \xff")
    with pytest.raises(UserError, match="config.gin is damaged: it is no text; restore it"):
        claimed(run, CONFIG, FACTS)


def test_checkpoints_by_name_or_path(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.checkpoint("best") == tmp_path / "checkpoints" / "best.pt"
    assert run.checkpoint("last") == tmp_path / "checkpoints" / "last.pt"
    assert str(run.checkpoint("elsewhere/weights.pt")) == os.path.join("elsewhere", "weights.pt")


def kept(run: RunDirectory, *updates: int) -> None:
    """Writes weight files for these updates."""
    run.top.mkdir(parents=True, exist_ok=True)
    for update in updates:
        run.top_file(update).write_bytes(b"weights")


def test_the_ensemble_is_what_training_ranked_best_first(tmp_path):
    run = RunDirectory(tmp_path)
    kept(run, 2, 4, 10)
    run.write_ranking({10: 0.9, 2: 0.5})
    assert run.ensemble_checkpoints() == [run.top / "update_10.pt", run.top / "update_2.pt"]
    run.remove_unranked({10: 0.9, 2: 0.5})
    assert sorted(file.name for file in run.top.iterdir()) == ["ranking.json", "update_10.pt", "update_2.pt"]
    run.write_ranking({10: 0.9, 6: 0.7, 2: 0.5})  # 6 was lost with the process that wrote it
    assert [file.stem for file in run.ensemble_checkpoints()] == ["update_10", "update_2"]


def test_there_is_no_ensemble_before_a_validation(tmp_path):
    run = RunDirectory(tmp_path)
    run.write_ranking({})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="holds no checkpoints of the best validations; train first"):
        run.ensemble_checkpoints()


def test_a_damaged_ranking_is_named(tmp_path):
    run = RunDirectory(tmp_path)
    kept(run, 2)
    for content in ("[2]", '{"update', '{"../../best.pt": 0.5}', "[" * 100_000):
        run.ranking.write_text(content)
        with pytest.raises(UserError, match="ranking.json(: is not valid JSON|: is nested too deeply| is damaged)"):
            run.ensemble_checkpoints()
