"""The build step that puts the gin files of `gin/` into the package as `alfa_md/gin/`; all else is in setup.cfg."""

from pathlib import Path
from shutil import copytree, rmtree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithGinFiles(build_py):
    """Also copies the gin files; an editable installation reads those of the clone."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib, "alfa_md", "gin")
            rmtree(folder, ignore_errors=True)  # of an earlier build
            copytree("gin", folder)


setup(cmdclass={"build_py": BuildWithGinFiles})
