"""The rules that keep the house in order: imports go one way; heavy libraries are imported where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = ("boto3", "duckdb", "evidently", "great_expectations", "mlflow", "pandas", "pyarrow", "scipy", "sklearn")


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own_parts(path: Path, package: str = "pipeline") -> set[str]:
    """The parts of a package that a file imports."""
    above = f"{package}."
    return {name.removeprefix(above).split(".")[0] for name in imports(path) if name.startswith(above)}


def files(*parts: str) -> list[Path]:
    found = [path for part in parts for path in sorted((ROOT / part).rglob("*.py"))]
    assert found, parts
    return found


def test_dags_import_steps_and_the_ground_only() -> None:
    for path in files("dags"):
        assert own_parts(path) <= {"steps", "config", "errors", "results"}, path


def test_nothing_in_the_pipeline_imports_airflow() -> None:
    for path in files("pipeline"):
        assert not any(name.split(".")[0] == "airflow" for name in imports(path)), path


def test_the_checks_know_no_clock_no_network_and_no_environment() -> None:
    banned = {"time", "socket", "requests", "urllib", "boto3", "os.environ", "os.getenv"}
    for path in files("pipeline/checks"):
        assert not {name for name in imports(path) if name in banned or name.split(".")[0] in banned}, path
        text = path.read_text()
        assert ".now(" not in text, path
        assert ".today(" not in text, path


def test_importing_the_steps_and_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.cli, pipeline.steps.nightly, pipeline.steps.walk\n"
        f"print([name for name in {HEAVY!r} + ('numpy', 'airflow') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_module_outgrows_400_lines() -> None:
    for path in files("pipeline", "dags"):
        assert len(path.read_text().splitlines()) <= 400, path
