"""Writing of benchmarks/README.md, with one chapter per benchmark."""

import re
from pathlib import Path

from alfa_md.system.files import atomic_write


def write_chapter(page: Path, text: str) -> None:
    """Replaces the chapter with the heading of `text`, its first line "# ...", or appends `text`."""
    title = text.splitlines()[0]
    old = page.read_text("utf-8") if page.exists() else ""
    chapters = [chapter for chapter in re.split(r"^(?=# )", old, flags=re.MULTILINE) if chapter.strip()]
    titles = [chapter.splitlines()[0] for chapter in chapters]
    place = titles.index(title) if title in titles else len(chapters)
    chapters[place : place + 1] = [text]
    with atomic_write(page) as file:
        file.write("\n".join(chapter.rstrip() + "\n" for chapter in chapters).encode())
