"""Commands on sources that Meta-Dataset's TFDS builder prepared: the numbers are those of one file per class."""

import json
from dataclasses import replace

from alfa_md.data.spec import load_spec
from tests.data.prepared import write_prepared
from tests.entries.harness import copied, run_entry

NAMES = ("test", "test-shards")


def test_scores_and_images_are_equal_and_other_sources_are_known(tmp_path, root, evaluated):
    copied(evaluated, tmp_path / "run")
    spec = load_spec(root / "omniglot")
    for name in ("omniglot", "extra"):  # the second is not among the sources of the configuration
        write_prepared(tmp_path / "tfds", replace(spec, name=name), (7, 150, 59))
    flags = ("--run_dir=run", "--records_root_dir=tfds", "--num_episodes=2", "--name=shards")
    assert run_entry("evaluate", *flags, "--sources=omniglot,extra", cwd=tmp_path).code == 0
    files, shards = (json.loads((tmp_path / "run" / "results" / f"{name}.json").read_bytes()) for name in NAMES)
    assert shards["sources"]["omniglot"]["scores"] == files["sources"]["omniglot"]["scores"]
    assert shards["sources"]["extra"]["episodes"] == 2
    pictures = []
    for place in (root, "tfds"):
        show = ("show", f"--records_root_dir={place}", "--source=omniglot", "--out=shown")
        assert run_entry("episodes", *show, cwd=tmp_path).code == 0
        pictures.append((tmp_path / "shown.png").read_bytes())
        (tmp_path / "shown.png").unlink()
    assert pictures[0] == pictures[1]
