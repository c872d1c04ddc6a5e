"""How a program of ours ends: at once, with its exit code, and with all that was to be done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from pipeline import own_process

ROOT = Path(__file__).parent.parent
# Python would call it as it takes the module apart.
_TOLD = """
import atexit, sys, threading, time
from pipeline import own_process
class Told:
    def __del__(self):
        print("taken apart")
told = Told()
"""


def ended(code: str, stdout: IO[bytes] | int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    foreign = ("PYTHONUNBUFFERED", "COVERAGE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    command = [sys.executable, "-c", _TOLD + code]
    return subprocess.run(
        command, cwd=ROOT, env=environment, text=True, timeout=60, check=False, stdout=stdout, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("code", [0, 1, 5, 130])
def test_a_program_ends_with_its_code_and_is_not_taken_apart(code: int) -> None:
    found = ended(f"print('x' * 100_000)\nown_process.run(lambda: {code})")
    assert (found.returncode, found.stderr) == (code, "")
    assert found.stdout == "x" * 100_000 + "\n"


def test_what_is_to_be_done_at_the_end_is_done() -> None:
    found = ended("""
def program():
    atexit.register(print, "of a library")
    threading.Thread(target=lambda: (time.sleep(0.2), print("of a thread"))).start()
    return 0
own_process.run(program)
""")
    assert (found.returncode, found.stdout) == (0, "of a thread\nof a library\n")


def test_a_program_that_raises_ends_as_ever() -> None:
    found = ended("own_process.run(lambda: 1 / 0)")
    assert (found.returncode, found.stdout) == (1, "taken apart\n")
    assert "ZeroDivisionError" in found.stderr
    found = ended("own_process.run(lambda: sys.exit(7))")
    assert (found.returncode, found.stdout) == (7, "taken apart\n")


def test_output_that_nobody_reads_is_an_error_as_ever() -> None:
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        assert reader.stdin is not None
        assert ended("print('x')\nown_process.run(lambda: 0)", reader.stdin).returncode == 120


def test_python_looks_for_circles_rarely_and_leaves_what_is_imported_alone() -> None:
    found = ended("""
import gc
def program():
    print(gc.get_threshold()[0], end=" ")
    kept = [[] for _ in range(1_100_000)]
    print(gc.get_threshold()[0], end=" ")
    gc.set_threshold(700)
    kept += [[] for _ in range(1_000)]
    print(gc.get_threshold()[0])
    return 0
own_process.run(program)
""")
    assert (found.returncode, found.stdout) == (0, "1000000 50000 700\n")


_DEEP = """
import resource
def down(left):
    return down(left - 1) if left else 0
def program():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for depth in range(2_000):
        down(depth % 400)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux tells of memory")
def test_calls_do_not_ask_the_system_for_memory_again_and_again() -> None:
    as_ever, in_one = (
        int(ended(f"{_DEEP}\n{run}").stdout.split()[0]) for run in ("program()", "own_process.run(program)")
    )
    assert as_ever > 2_000  # pages that the system had to clear for a piece of the stack that was new
    assert in_one < 200


def test_what_runs_on_one_stack_gives_its_result_and_its_error() -> None:
    assert own_process.on_one_stack(lambda: "x") == "x"
    with pytest.raises(ZeroDivisionError):
        own_process.on_one_stack(lambda: 1 // 0)
