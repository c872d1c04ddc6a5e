"""numpy's sort on processors where its fastest code is its slowest, and OpenBLAS' threads, which wait asleep."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

import pytest

from pipeline import processor
from pipeline.processor import DISABLED, disabled_features

ROOT = Path(__file__).parent.parent
ZEN_4 = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC 9R14
flags\t\t: fpu sse4_2 avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_vbmi2
power management:

processor\t: 1
vendor_id\t: GenuineIntel
"""
OTHERS = {
    "Zen 3": ZEN_4.replace(" avx512f", ""),
    "Zen 5": ZEN_4.replace(": 25", ": 26"),
    "Intel": ZEN_4.replace("AuthenticAMD", "GenuineIntel"),
    "Intel of that family": ZEN_4.replace("AuthenticAMD", "GenuineIntel").replace(": 25", ": 6"),
    "Arm": "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd sve\n",
    "nothing": "",
    "no text of this kind": "a\n:\n\tb: c: d\n\n" + ZEN_4,
}


def read(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Mapping[str, str]:
    path = folder / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(processor, "_CPUINFO", path)
    return processor._first_processor()


def test_on_zen_4_numpy_is_told_not_to_sort_with_avx_512(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = disabled_features(read(tmp_path, monkeypatch, ZEN_4), {}, ())
    assert found == "X86_V4 AVX512_ICL"


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_on_others_it_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert disabled_features(read(tmp_path, monkeypatch, text), {}, ()) is None


@pytest.mark.parametrize("variable", [{DISABLED: ""}, {DISABLED: "AVX2"}, {"NPY_ENABLE_CPU_FEATURES": "AVX2"}])
def test_what_somebody_has_set_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: dict[str, str]
) -> None:
    assert disabled_features(read(tmp_path, monkeypatch, ZEN_4), variable, ()) is None


def test_where_numpy_is_imported_already_or_nobody_tells_of_the_processor_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert disabled_features(read(tmp_path, monkeypatch, ZEN_4), {}, ("numpy",)) is None
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "gone")
    assert processor._first_processor() == {}


@pytest.mark.parametrize(("version", "names"), [("2.3.5", "AVX512_SKX"), ("2.4.0", "X86_V4"), ("2.10.1", "X86_V4")])
def test_the_names_are_those_of_the_installed_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, names: str
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)
    assert disabled_features(read(tmp_path, monkeypatch, ZEN_4), {}, ()) == f"{names} AVX512_ICL"


SORTED = """
import os, sys
from pathlib import Path
import pipeline.processor as processor

assert "numpy" not in sys.modules
processor._CPUINFO = Path(sys.argv[1])
processor.prepare_numpy()
import numpy as np
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

names = os.environ["NPY_DISABLE_CPU_FEATURES"].split()
values = np.random.default_rng(0).normal(size=10_000)
assert (np.diff(np.sort(values)) >= 0).all()
print([name for name in names if name not in __cpu_dispatch__ or __cpu_features__[name]])
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numpy has these names on x86 alone")
def test_the_installed_numpy_knows_the_names_and_does_without(tmp_path: Path) -> None:
    """Of a name that it does not know it warns, and warnings are errors here."""
    path = tmp_path / "cpuinfo"
    path.write_text(ZEN_4)
    command = [sys.executable, "-W", "error", "-c", SORTED, str(path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NPY_")}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")


def test_airflows_processes_are_told_before_they_import_numpy_ahead_of_tasks() -> None:
    code = "import sys; sys.path.insert(0, 'dags'); import nightjar_airflow.preload; print('numpy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"


@pytest.mark.parametrize(("given", "expected"), [({}, "20"), ({"OPENBLAS_THREAD_TIMEOUT": "26"}, "26")])
def test_threads_of_openblas_are_told_to_sleep_soon_unless_somebody_has_said_otherwise(
    given: dict[str, str], expected: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")} | given
    code = "import os, pipeline; print(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == expected


@pytest.mark.parametrize("package", ["numpy", "scipy"])
@pytest.mark.skipif(sys.platform != "linux", reason="wheels for Linux bring OpenBLAS")
def test_the_installed_openblas_reads_that_variable(package: str) -> None:
    """Nothing else would tell that it has another name by now."""
    folder = Path(str(distribution(package).locate_file(f"{package}.libs")))
    libraries = list(folder.glob("libscipy_openblas*"))
    assert libraries
    assert all(b"OPENBLAS_THREAD_TIMEOUT" in library.read_bytes() for library in libraries)
