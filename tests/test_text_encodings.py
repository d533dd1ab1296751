"""Text of files and subprocesses is UTF-8 whatever the locale: every call that opens one names its encoding."""

import ast

import pytest

from tests.shared import ROOT

FOLDERS = ("alfa_md", "scripts", "benchmarks")
BINARY = {"Image.open", "os.open", "tarfile.open", "ConversionState.open"}  # which give no text
ENCODED = {"read_text": 1, "write_text": 2, "open": 99, "fdopen": 99}  # from how many arguments on there is an encoding
PROCESSES = {"run", "Popen", "check_output", "TemporaryFile", "NamedTemporaryFile"}


def unnamed_encodings(source: str) -> list[int]:
    """The lines of calls that would read or write text in the encoding of the locale."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and is_unnamed(node)]


def is_unnamed(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    keywords = {keyword.arg for keyword in call.keywords}
    if "encoding" in keywords or ast.unparse(call.func) in BINARY:
        return False
    if name in PROCESSES:
        return bool(keywords & {"text", "universal_newlines"})
    modes = [word.value for word in call.args[:2] if isinstance(word, ast.Constant)]
    if name in ("open", "fdopen") and any(isinstance(mode, str) and "b" in mode and len(mode) < 4 for mode in modes):
        return False
    if not owner and name in ("read_text", "write_text"):  # functions of ours
        return False
    return name in ENCODED and len(call.args) < ENCODED[name]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_file_is_opened_with_an_encoding(folder):
    found = {path: unnamed_encodings(path.read_text("utf-8")) for path in (ROOT / folder).rglob("*.py")}
    assert len(found) > 5 and {str(path): lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("call", "unnamed"),
    [
        ("open(a)", True),
        ("open(a, 'w')", True),
        ("a.open()", True),
        ("a.read_text()", True),
        ("a.read_text(errors='replace')", True),
        ("a.write_text(b)", True),
        ("os.fdopen(a)", True),
        ("subprocess.run(a, text=True)", True),
        ("open(a, 'rb')", False),
        ("a.open('wb')", False),
        ("a.read_text('utf-8')", False),
        ("a.write_text(b, encoding='utf-8')", False),
        ("Image.open(a)", False),
        ("subprocess.run(a, encoding='utf-8')", False),
        ("subprocess.run(a)", False),
    ],
)
def test_the_rule_itself(call, unnamed):
    assert bool(unnamed_encodings(call)) is unnamed
