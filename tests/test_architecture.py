"""The rules that keep the house in order: imports go one way; heavy libraries are imported where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the ground up: what stands on one line never imports its neighbours, only itself and what lies below.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("log_context", "own_process", "parts", "plain_text", "processor"),
    ("errors",),
    ("results",),
    ("wording",),
    ("config", "storage"),
    ("labels", "metrics"),
    ("snapshots", "checks", "publish", "retrain"),
    ("authoring", "steps"),
    ("cli",),
)
# The same inside the rooms that have rooms of their own.
INNER_LAYERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "checks": (
        ("one_thread", "scan"),
        ("alarms",),
        ("profile",),
        ("drift", "performance", "policy", "quality", "together"),
        ("backtest",),
    ),
    "checks.backtest": (("again", "counted", "fitted"),),
    "checks.alarms": (
        ("quadratic",),
        ("views",),
        ("variation",),
        ("quiet",),
        ("budget", "column", "past", "stack"),
        ("held",),
        ("judge",),
    ),
    "checks.drift": (
        ("explain", "statistics"),
        ("chance", "expected", "findings", "lists", "reference", "shape"),
        ("compare_column",),
        ("compare_columns",),
        ("measure",),
    ),
    "checks.performance": (
        ("labelled_rows",),
        ("standard",),
        ("classification", "regression", "verdict"),
        ("one_day", "estimated"),
        ("pooled", "realised", "shifts"),
        ("assess",),
    ),
    "checks.quality": (
        ("conditions",),
        ("check",),
        ("suite",),
        ("engines", "outcomes"),
        ("built_in", "sound"),
        ("validate",),
    ),
    "checks.together": (
        ("cells", "pairs", "rarity", "sides"),
        ("rows",),
        ("counts",),
        ("plane", "vectors"),
        ("measure",),
    ),
    "checks.together.vectors": (("lists",), ("moments",), ("principal",), ("measure",)),
    "metrics": (
        ("confusion", "intervals", "packing", "ranking", "sequential", "sums"),
        ("forecasts", "grid", "probabilities", "threshold"),
        ("counts", "draws"),
        ("counting", "details", "measure"),
    ),
    "publish": (
        ("facts",),
        ("charts",),
        ("templates",),
        ("alerting", "evidently_report", "gauges", "lineage", "messages", "mlflow_run", "pages"),
        ("old_runs",),
    ),
    "storage": (
        ("addresses", "causes", "manifest", "modes", "remembered", "scratch", "sent", "time_limit"),
        ("answers", "mlflow_database", "patience", "retries"),
        ("mlflow_client", "s3"),
        ("lease",),
        ("local_files", "s3_files"),
        ("files",),
        ("probe", "store_format"),
        ("run_store", "training_archive"),
    ),
    "retrain": (
        ("progress",),
        ("data",),
        ("trainer",),
        ("model",),
        ("judging",),
        ("champion",),
        ("beside", "challenge"),
    ),
}
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


def parts_of(folder: Path) -> set[str]:
    """Modules and packages in a folder."""
    found = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return found - {"__init__", "__main__"}


def require_layers(package: str, layers: tuple[tuple[str, ...], ...]) -> None:
    folder, below = ROOT / package.replace(".", "/"), set[str]()
    assert parts_of(folder) == {part for layer in layers for part in layer}
    for layer in layers:
        for part in layer:
            for path in [folder / f"{part}.py", *sorted((folder / part).rglob("*.py"))]:
                if path.is_file():
                    assert own_parts(path, package) <= below | {part}, path
        below |= set(layer)


def test_imports_go_down_the_layers_and_never_across() -> None:
    require_layers("pipeline", LAYERS)


@pytest.mark.parametrize("room", sorted(INNER_LAYERS))
def test_the_rooms_of_a_room_have_layers_too(room: str) -> None:
    require_layers(f"pipeline.{room}", INNER_LAYERS[room])


def test_dags_import_steps_and_the_ground_only() -> None:
    for path in files("dags"):
        assert own_parts(path) <= {"steps", "config", "wording", "errors", "results"}, path


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


def test_threads_start_where_they_learn_what_they_work_on() -> None:
    """Python's own start without the fields of `pipeline.log_context`. A worker's watchdog logs nothing."""
    own = {"pipeline/log_context.py", "pipeline/retrain/model/worker.py"}
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pipeline").rglob("*.py")
        if "ThreadPoolExecutor(" in path.read_text() or "threading.Thread(" in path.read_text()
    }
    assert found - own == set()
