"""The files for those who use, cite and change the project agree with the package."""

import re

import alfa_md
from tests.shared import ROOT


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_version_is_the_same_everywhere():
    assert re.findall(r"^version: (.*)", text("CITATION.cff"), re.MULTILINE) == [alfa_md.__version__]
    assert f"\n## {alfa_md.__version__}\n" in text("CHANGELOG.md")
    assert "version = attr: alfa_md.__version__\n" in text("setup.cfg")


def test_the_workflow_of_a_public_host_runs_the_whole_suite():
    assert "      - run: .ci/run\n" in text(".github/workflows/tests.yml")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_plain_installation_decodes_images_and_every_extra_has_tested_versions():
    setup, pinned = text("setup.cfg"), text("constraints.txt")
    required = re.search(r"^install_requires =\n((?:    .*\n)+)", setup, re.MULTILINE)[1]
    assert "simplejpeg" in required
    extras = setup.split("[options.extras_require]\n")[1]
    for name in re.findall(r"^    ([A-Za-z][\w-]*)", required + extras, re.MULTILINE):
        assert name == "alfa_md" or re.search(rf"^{name}==", pinned, re.MULTILINE | re.IGNORECASE), name


def test_paths_that_contributing_names_exist():
    named = re.findall(r"`((?:alfa_md|docs|scripts|tests|\.ci)/[\w./]+|\w+\.(?:md|in|txt))`", text("CONTRIBUTING.md"))
    assert len(named) > 8 and all((ROOT / name).exists() for name in named if name != "alfa_md/NAME.py")


def test_every_finding_is_a_program_in_the_table_of_findings():
    listed = re.findall(r"^\| `(\w+\.sh)` \| .+ \|$", text("findings/README.md"), re.MULTILINE)
    assert listed == sorted(file.name for file in (ROOT / "findings").glob("*.sh"))
    assert all((ROOT / "findings" / name).stat().st_mode & 0o111 for name in listed)
