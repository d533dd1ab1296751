"""benchmarks/README.md: one chapter a benchmark, each written by its own command."""

import re
from pathlib import Path

from alfa_md.system.files import atomic_write


def write_chapter(page: Path, text: str) -> None:
    """Puts `text`, which begins with a heading "# ...", in place of the chapter of that heading, or at the end."""
    title = text.splitlines()[0]
    old = page.read_text() if page.exists() else ""
    chapters = [chapter for chapter in re.split(r"^(?=# )", old, flags=re.MULTILINE) if chapter.strip()]
    titles = [chapter.splitlines()[0] for chapter in chapters]
    place = titles.index(title) if title in titles else len(chapters)
    chapters[place : place + 1] = [text]
    with atomic_write(page) as file:
        file.write("\n".join(chapter.rstrip() + "\n" for chapter in chapters).encode())
