"""deploy/make-secrets.py as a newcomer runs it."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "make-secrets.py"
ASKED_FOR = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own, because the script writes beside its own folder."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(SCRIPT, tmp_path / "deploy")
    return tmp_path


def make_secrets(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -I -S: without the environment's packages, as on a machine that has nothing but Python.
    command = [sys.executable, "-I", "-S", str(project / "deploy" / "make-secrets.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def random_values(folder: Path) -> Iterator[str]:
    """What is random in the files, without the forms around it."""
    for text in files(folder).values():
        yield from re.findall(r"[A-Za-z0-9_-]{20,}=*", re.sub(r"(?m)^[a-z_]{4,30} ?= ?", "", text))


def test_it_writes_what_compose_asks_for_into_a_folder_that_only_its_owner_opens(project: Path) -> None:
    done = make_secrets(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(files(project / ".secrets")) == ASKED_FOR
    assert stat.S_IMODE((project / ".secrets").stat().st_mode) == 0o700
    # The users of the containers, whose numbers are others, read the files that are mounted.
    assert {stat.S_IMODE(path.stat().st_mode) for path in (project / ".secrets").iterdir()} == {0o444}
    assert "docker compose up -d" in done.stdout


def test_a_folder_that_others_could_open_is_closed(project: Path) -> None:
    (project / ".secrets").mkdir(mode=0o755)
    make_secrets(project)
    assert stat.S_IMODE((project / ".secrets").stat().st_mode) == 0o700


def test_no_secret_is_printed(project: Path) -> None:
    done = make_secrets(project)
    values = list(random_values(project / ".secrets"))
    assert len(values) > len(ASKED_FOR)
    assert not any(value in done.stdout + done.stderr for value in values)


def test_it_makes_the_folders_so_that_docker_does_not_make_them_as_root(project: Path) -> None:
    make_secrets(project)
    assert (project / "data").is_dir()
    assert (project / "certs").is_dir()


def test_a_second_run_adds_what_is_missing_and_changes_nothing(project: Path) -> None:
    make_secrets(project)
    before = files(project / ".secrets")
    (project / ".secrets" / "reader_password").unlink()
    done = make_secrets(project)
    after = files(project / ".secrets")
    assert done.returncode == 0
    assert "1 secrets written" in done.stdout
    assert after.pop("reader_password") != before.pop("reader_password")
    assert after == before


def test_what_an_earlier_version_chose_is_taken_over(project: Path) -> None:
    (project / ".env.compose").write_text(
        "# Secrets\nAIRFLOW_DB_PASSWORD=earlier-database-password\nREPORTS_PASSWORD=earlier-reader\nOTHER=1\n"
    )
    done = make_secrets(project)
    made = files(project / ".secrets")
    assert made["airflow_database_url"] == "postgresql+psycopg2://airflow:earlier-database-password@postgres/airflow"
    assert made["reader_password"] == "earlier-reader"
    assert "values of .env.compose" in done.stdout
    assert "earlier-reader" not in done.stdout


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        (b"AIRFLOW_DB_PASSWORD=pa@ss/word\n", "AIRFLOW_DB_PASSWORD: allowed: letters"),
        ("REPORTS_PASSWORD='\u00fcber'\n".encode(), "REPORTS_PASSWORD: allowed: letters"),
        (b"\xff\xfe", "it is no text in UTF-8"),
    ],
)
def test_an_earlier_file_that_cannot_be_taken_over_is_told_in_a_line(project: Path, earlier: bytes, said: str) -> None:
    (project / ".env.compose").write_bytes(earlier)
    done = make_secrets(project)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "word" not in done.stderr.replace("PASSWORD", "")
    assert not (project / ".secrets").exists()


def test_it_writes_where_it_is_told(project: Path) -> None:
    make_secrets(project, str(project / "elsewhere"))
    assert files(project / "elsewhere")
    assert not (project / ".secrets").exists()


def test_a_place_that_is_no_folder_is_told_in_a_line(project: Path) -> None:
    (project / "file").write_text("")
    done = make_secrets(project, str(project / "file"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(project / "file") in done.stderr


def test_two_installations_share_no_secret(project: Path) -> None:
    make_secrets(project, str(project / "one"))
    make_secrets(project, str(project / "two"))
    one, two = (set(random_values(project / name)) for name in ("one", "two"))
    assert len(one) == len(two) > 15
    assert not one & two


def test_secrets_are_long_and_safe_in_an_address_and_in_a_file(project: Path) -> None:
    make_secrets(project)
    single = {name: text for name, text in files(project / ".secrets").items() if "\n" not in text and ":" not in text}
    assert len(single) > 10
    for name, value in single.items():
        assert re.fullmatch(r"[A-Za-z0-9_=-]{20,}", value), name


def test_airflow_accepts_the_fernet_key_and_the_jwt_secret(project: Path) -> None:
    make_secrets(project)
    secrets = files(project / ".secrets")
    assert len(base64.b64decode(secrets["airflow_fernet_key"], altchars=b"-_", validate=True)) == 32
    fernet = pytest.importorskip("cryptography.fernet").Fernet(secrets["airflow_fernet_key"])
    assert fernet.decrypt(fernet.encrypt(b"connection")) == b"connection"
    assert len(secrets["airflow_jwt_secret"]) >= 64
