import subprocess
import sys
import textwrap
from types import ModuleType

import gin
import numpy as np
import pytest

from alfa_md.data.tfrecord import shims


@gin.configurable
def of_ours(number=1):
    return number


def test_bindings_and_names_of_the_private_gin_are_separate(tmp_path):
    modules = shims.private_gin(tmp_path)
    theirs, before = modules["gin"], gin.config_str()
    assert theirs is not gin and theirs is modules["gin.tf"] is theirs.tf
    assert sys.modules["gin"] is gin and sys.modules["gin.config"] is gin.config
    assert "gin.tf" not in sys.modules

    @theirs.configurable
    def of_theirs(number=1):
        return number

    theirs.parse_config("of_theirs.number = 2")
    assert of_theirs() == 2 and gin.config_str() == before
    with pytest.raises(ValueError, match="of_theirs"):
        gin.get_configurable("of_theirs")
    with pytest.raises(ValueError, match="of_ours"):
        theirs.parse_config("of_ours.number = 2")
    assert shims.private_gin(tmp_path)["gin"] is not theirs  # each has a state of its own


def test_a_locked_gin_of_ours_does_not_matter(tmp_path):
    theirs = shims.private_gin(tmp_path)["gin"]
    gin.parse_config_files_and_bindings([], ["of_ours.number = 3"])
    try:
        assert gin.config_is_locked() and not theirs.config_is_locked()

        @theirs.configurable
        def made_later():
            return 0

        assert made_later() == 0 and of_ours() == 3
    finally:
        gin.clear_config()


def test_gin_files_are_found_from_the_checkout_wherever_the_process_stands(tmp_path, monkeypatch):
    (tmp_path / "checkout" / "folder").mkdir(parents=True)
    (tmp_path / "checkout" / "folder" / "all.gin").write_text("include 'folder/part.gin'\n")
    (tmp_path / "checkout" / "folder" / "part.gin").write_text("NUMBER = 4\n")
    monkeypatch.chdir(tmp_path)
    theirs = shims.private_gin(tmp_path / "checkout")["gin"]
    theirs.parse_config_file("folder/all.gin")
    assert theirs.query_parameter("NUMBER/macro.value") == 4


def test_imports_find_the_given_modules_and_the_folder_only_within_the_block(tmp_path, monkeypatch):
    (tmp_path / "of_the_folder.py").write_text("import gin.tf\nfrom simclr import data_util\n")
    ours, path = ModuleType("simclr"), list(sys.path)
    monkeypatch.setitem(sys.modules, "simclr", ours)
    monkeypatch.delitem(sys.modules, "of_the_folder", raising=False)
    modules = shims.private_gin(tmp_path)
    with shims.importing_with(modules | shims.stub_simclr(), tmp_path):
        import of_the_folder
    assert of_the_folder.gin is modules["gin"]
    assert [name for name in vars(of_the_folder.data_util) if not name.startswith("__")] == []
    assert sys.modules["gin"] is gin and sys.modules["simclr"] is ours
    assert "simclr.data_util" not in sys.modules and sys.path == path
    del sys.modules["of_the_folder"]


def test_modules_are_restored_after_an_error(tmp_path):
    path = list(sys.path)
    with pytest.raises(KeyError), shims.importing_with(shims.private_gin(tmp_path) | shims.stub_simclr(), tmp_path):
        raise KeyError
    assert sys.modules["gin"] is gin and "simclr" not in sys.modules and sys.path == path


def sampling_module(spans) -> ModuleType:
    class EpisodeDescriptionSampler:
        def __init__(self, seed, use_dag_hierarchy=True):
            self.rng = np.random.RandomState(seed)
            if use_dag_hierarchy:
                self.span_leaves_rel = spans

        def draw(self):
            return self.rng.choice(self.span_leaves_rel)

    module = ModuleType("sampling")
    module.EpisodeDescriptionSampler = EpisodeDescriptionSampler
    return module


@pytest.mark.parametrize("spans", [[[0, 1], [2, 3, 4], [5]], [[0, 1], [2, 3], [4, 5]], [[0, 1]]])
def test_lists_of_classes_are_drawn_by_one_random_integer_each(spans):
    module = sampling_module(spans)
    with pytest.raises(ValueError):  # ragged, or of two dimensions
        module.EpisodeDescriptionSampler(seed=7).draw()
    shims.patch_ragged_spans(module)
    sampler, numbers = module.EpisodeDescriptionSampler(seed=7), np.random.RandomState(7)
    drawn = [sampler.draw() for _ in range(30)]
    assert drawn == [spans[numbers.randint(len(spans))] for _ in range(30)]
    assert {tuple(span) for span in drawn} == {tuple(span) for span in spans}


def test_a_sampler_is_patched_once_and_left_alone_without_a_graph():
    module = sampling_module([[0]])
    shims.patch_ragged_spans(module)
    patched = module.EpisodeDescriptionSampler
    shims.patch_ragged_spans(module)
    assert module.EpisodeDescriptionSampler is patched
    assert not hasattr(patched(seed=0, use_dag_hierarchy=False), "span_leaves_rel")


def test_importing_the_shims_changes_nothing():
    code = """
        import logging, sys
        import alfa_md.data.tfrecord.official
        assert not {"tensorflow", "simclr", "meta_dataset", "gin.tf"} & sys.modules.keys()
        assert logging.getLogger("tensorflow").level == logging.NOTSET
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
