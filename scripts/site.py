"""The documentation site, made of README, docs and docstrings: `python -m scripts.site --out=FOLDER` from the root.

The README becomes the first page, names of pages become links, and the API has a page of its own. Needs the extra
`docs`. A link that leads nowhere ends the build with exit code 1.
"""

import argparse
import inspect
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import alfa_md

ROOT = Path(__file__).resolve().parent.parent
PAGES = {  # in the order of the menu
    **{"index": "ALFA on Meta-Dataset", "training": "Training", "predict": "Predicting your pictures", "data": "Data"},
    **{"backbones": "Backbones", "own_tasks": "Tasks of any kind", "extending": "Extending", "figures": "Figures"},
    **{"paper": "The paper's tables", "RESULTS": "Results", "speed": "Speed", "api": "API"},
    **{
        "dependencies": "Dependencies",
        "errors": "Error lines",
        "CHANGELOG": "Changelog",
        "CONTRIBUTING": "Contributing",
    },
}


def api_page() -> str:
    """The public names of the package with their signatures and docstrings, as Markdown."""
    parts = ["# API", inspect.getdoc(alfa_md)]
    for name in alfa_md.__all__:
        value = getattr(alfa_md, name)
        parts += [f"## {name}", f"```python\n{name}{_signature(value)}\n```", inspect.getdoc(value) or ""]
    return "\n\n".join(parts)


def _signature(value: object) -> str:
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""


def collect(folder: Path) -> None:
    """Writes all pages to `folder`."""
    named = {file.stem: file for file in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]}
    named["index"] = named.pop("README")
    for name, file in named.items():
        (folder / f"{name}.md").write_text(with_links(file.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "api.md").write_text(api_page(), encoding="utf-8")


def with_links(text: str) -> str:
    """A page whose mentions of other pages, such as `docs/data.md`, are links to them."""
    text = re.sub(r"(?<!\[)(`(?:docs/)?(\w+)\.md`)", r"[\1](\2.md)", text)
    return text.replace("(README.md)", "(index.md)")


def config(pages: Path, out: Path) -> str:
    menu = "".join(f"  - {title}: {name}.md\n" for name, title in PAGES.items())
    return (
        f"site_name: alfa_md\ndocs_dir: {pages}\nsite_dir: {out}\nuse_directory_urls: false\nstrict: true\n"
        "theme:\n  name: material\n  font: false\n"
        "validation:\n  links:\n    not_found: warn\n    anchors: warn\n    unrecognized_links: warn\n"
        f"markdown_extensions: [tables, fenced_code]\nnav:\n{menu}"
    )


def build(pages: Path, out: Path) -> int:
    """Builds the site of a folder of pages in `out`; returns the exit code of mkdocs."""
    file = pages.with_name("mkdocs.yml")
    file.write_text(config(pages, out.absolute()), encoding="utf-8")
    return subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", file]).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("site"), help="folder to write to")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as name:
        pages = Path(name) / "pages"
        pages.mkdir()
        collect(pages)
        return build(pages, out)


if __name__ == "__main__":
    sys.exit(main())
