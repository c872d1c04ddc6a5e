"""Templates are compiled once for all processes, and what was compiled is never another template's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from pipeline.publish import templates

NAME = "greeting.html.j2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Templates of their own, compiled as a process finds them that has just started."""
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / NAME).write_text("Hello {{ name }}")
    templates.jinja_environment.cache_clear()
    yield tmp_path
    templates.jinja_environment.cache_clear()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that Jinja has compiled since."""
    sources: list[str] = []

    class Watched(jinja2.Environment):
        def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
            sources.append(source)
            return super()._parse(source, name, filename)

    monkeypatch.setattr(templates, "Environment", Watched)
    return sources


def rendered() -> str:
    """As by a new process."""
    templates.jinja_environment.cache_clear()
    return templates.render(NAME, name="<you>")


def kept(folder: Path) -> list[Path]:
    return list((folder / "__pycache__").glob("*"))


def test_what_one_process_has_compiled_the_next_one_reads(folder: Path, compiled: list[str]) -> None:
    assert {rendered() for _ in range(3)} == {"Hello &lt;you&gt;"}
    assert compiled == ["Hello {{ name }}"]


def test_a_template_that_changes_is_compiled_anew(folder: Path, compiled: list[str]) -> None:
    rendered()
    (folder / NAME).write_text("Good bye {{ name }}")
    assert rendered() == "Good bye &lt;you&gt;"
    assert len(compiled) == 2


@pytest.mark.parametrize("damage", [b"", b"x", b"cos\nsystem\n(S'false'\ntR."])
def test_what_is_damaged_is_compiled_anew(folder: Path, compiled: list[str], damage: bytes) -> None:
    rendered()
    [entry] = kept(folder)
    for harmed in (damage, entry.read_bytes()[:-1], entry.read_bytes()[:64] + damage):
        entry.write_bytes(harmed)
        assert rendered() == "Hello &lt;you&gt;"
    assert len(compiled) == 4


def test_another_version_of_jinja_reads_nothing_of_this_one(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered()
    monkeypatch.setattr(templates, "version_digest", lambda *_: b"another")
    assert rendered() == "Hello &lt;you&gt;"
    assert len(compiled) == 2


def test_nothing_is_written_where_python_writes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered() == "Hello &lt;you&gt;"
    assert kept(folder) == []


def test_a_folder_that_cannot_be_used_only_costs_time(folder: Path) -> None:
    (folder / "__pycache__").write_text("a file")
    assert rendered() == "Hello &lt;you&gt;"


def test_every_template_of_ours_can_be_compiled_ahead(folder: Path, compiled: list[str]) -> None:
    ours = list((Path(templates.__file__).resolve().parents[2] / "reports/templates").glob("*.j2"))
    for template in ours:
        shutil.copy(template, folder)
    templates.compile_all()
    assert len(compiled) == len(ours) + 1
