"""What makes a test fast is found out right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import purity
from tests.purity import ROOT, reaches_nothing


@pytest.mark.parametrize(
    "path",
    [
        "tests/checks/drift/test_statistics.py",  # the function for Evidently's score is in a module it imports
        "tests/config/test_monitor_files.py",
        "tests/publish/pages/test_night.py",  # names a server for a type
    ],
)
def test_values_and_small_files_are_pure(path: str) -> None:
    assert reaches_nothing(ROOT / path)


@pytest.mark.parametrize(
    "path",
    [
        "tests/retrain/champion/test_promotion.py",  # MLflow
        "tests/checks/quality/test_suite.py",  # Great Expectations, imported in a function far away
        "tests/checks/drift/test_statistics_parity.py",  # Evidently
        "tests/demo/test_churn.py",  # the demo's data
        "tests/test_architecture.py",  # a process
        "tests/cli/test_commands.py",  # everything, from the command line down
    ],
)
def test_what_takes_long_to_import_or_to_do_is_not(path: str) -> None:
    assert not reaches_nothing(ROOT / path)


def test_imports_are_found_wherever_they_stand_but_not_where_only_type_checkers_read(tmp_path: Path) -> None:
    text = """
if TYPE_CHECKING:
    import hidden
else:
    import shown
try:
    import tried
except ImportError:
    import instead
def function():
    with open("file"):
        from package import name
class Class:
    x = lambda: 1
    async def method(self):
        match self:
            case 1:
                import deep
"""
    path = tmp_path / "module.py"
    path.write_text(text)
    assert purity._imports(path) == {"shown", "tried", "instead", "package", "package.name", "deep"}
