"""deploy/make-env.py as a newcomer runs it."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "make-env.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own, because the script writes beside its own folder."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(SCRIPT, tmp_path / "deploy")
    return tmp_path


def make_env(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -I -S: without the environment's packages, as on a machine that has nothing but Python.
    command = [sys.executable, "-I", "-S", str(project / "deploy" / "make-env.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def values(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_it_writes_a_file_that_only_its_owner_can_read(project: Path) -> None:
    done = make_env(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((project / ".env.compose").stat().st_mode) == 0o600
    assert "docker compose --env-file .env.compose up -d" in done.stdout


def test_no_secret_is_printed(project: Path) -> None:
    done = make_env(project)
    assert not any(value in done.stdout for value in values(project / ".env.compose").values())


def test_it_makes_the_data_folder_so_that_docker_does_not_make_it_as_root(project: Path) -> None:
    make_env(project)
    assert (project / "data").is_dir()


def test_it_refuses_to_overwrite(project: Path) -> None:
    make_env(project)
    before = (project / ".env.compose").read_bytes()
    done = make_env(project)
    assert done.returncode == 1
    assert "left alone" in done.stderr
    assert "Traceback" not in done.stderr
    assert (project / ".env.compose").read_bytes() == before


def test_it_writes_where_it_is_told(project: Path) -> None:
    make_env(project, str(project / "elsewhere.env"))
    assert values(project / "elsewhere.env")
    assert not (project / ".env.compose").exists()


def test_two_runs_share_no_secret(project: Path) -> None:
    make_env(project, str(project / "one"))
    make_env(project, str(project / "two"))
    one, two = values(project / "one"), values(project / "two")
    assert one.keys() == two.keys()
    assert not set(one.values()) & set(two.values())
    assert len(set(one.values())) == len(one)


def test_secrets_are_long_and_safe_in_an_address(project: Path) -> None:
    make_env(project)
    for name, value in values(project / ".env.compose").items():
        assert re.fullmatch(r"[A-Za-z0-9_=-]{20,}", value), name


def test_airflow_accepts_the_fernet_key_and_the_jwt_secret(project: Path) -> None:
    make_env(project)
    secrets = values(project / ".env.compose")
    assert len(base64.b64decode(secrets["AIRFLOW_FERNET_KEY"], altchars=b"-_", validate=True)) == 32
    fernet = pytest.importorskip("cryptography.fernet").Fernet(secrets["AIRFLOW_FERNET_KEY"])
    assert fernet.decrypt(fernet.encrypt(b"connection")) == b"connection"
    assert len(secrets["AIRFLOW_JWT_SECRET"]) >= 64
