"""Relative paths start at one place, wherever the program is started and however it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import home as home_module
from pipeline.config import load_settings
from pipeline.config.home import checkout, home, origin
from pipeline.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The code as it lies in a folder of packages, and nothing set; the user's own folder."""
    code = tmp_path / "site-packages" / "pipeline" / "config" / "home.py"
    monkeypatch.setattr(home_module, "__file__", str(code))
    monkeypatch.delenv("PIPELINE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return tmp_path / "user"


def test_a_checkout_is_its_own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINE_HOME")
    assert (home(), checkout(), origin()) == (ROOT, ROOT, "this checkout")


def test_installed_code_has_its_home_with_the_user(installed: Path) -> None:
    assert (home(), checkout()) == (installed / "nightjar", None)
    assert "PIPELINE_HOME names another folder" in origin()


@pytest.mark.parametrize("text", ['[project]\nname = "somebody-else"\n', "[tool.ruff]\n", "no toml", ""])
def test_a_project_file_of_somebody_else_beside_the_packages_makes_no_checkout(
    installed: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "pyproject.toml").write_text(text)
    assert checkout() is None


def test_the_variable_wins_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path))
    assert (home(), origin()) == (tmp_path, "as PIPELINE_HOME says")


def test_the_variable_knows_the_folder_of_the_user(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_HOME", "~/watch")
    assert home() == installed / "watch"


@pytest.mark.parametrize("value", ["watch", "./watch", "../watch", "~nobody-of-this-name/watch"])
def test_a_home_that_depends_on_the_working_directory_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PIPELINE_HOME", value)
    with pytest.raises(ConfigError, match=r"PIPELINE_HOME: found '.*watch'.*allowed: an absolute path"):
        load_settings()


def test_everything_relative_starts_at_home_and_nothing_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".env").write_text("PIPELINE_STORE=results\nPIPELINE_MONITORS_DIR=team/monitors\n")
    (tmp_path / ".env").write_text("PIPELINE_STORE=wrong\n")
    monkeypatch.setenv("PIPELINE_EXPECTATIONS_DIR", "../shared/expectations")

    settings = load_settings()

    assert settings.store == str(tmp_path / "home" / "results")
    assert settings.monitors_dir == tmp_path / "home" / "team" / "monitors"
    assert settings.data_root == tmp_path / "home" / "team"
    assert settings.expectations_dir.resolve() == tmp_path / "shared" / "expectations"
    assert settings.cache_dir == tmp_path / "home" / "var" / "cache"
    assert settings.embedded_mlflow_path == tmp_path / "home" / "var" / "mlflow.db"


def test_absolute_paths_addresses_and_the_users_own_folder_stay_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("PIPELINE_CACHE_DIR", "~/cache")
    monkeypatch.setenv("PIPELINE_MONITORS_DIR", "/srv/monitors")
    monkeypatch.setenv("PIPELINE_STORE", "s3://bucket/prefix")

    settings = load_settings()

    assert settings.cache_dir == tmp_path / "user" / "cache"
    assert settings.monitors_dir == Path("/srv/monitors")
    assert settings.store == "s3://bucket/prefix"


def test_a_variable_with_an_unknown_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_STORE", "~nobody-of-this-name/store")
    with pytest.raises(ConfigError, match=r"PIPELINE_STORE: allowed: an absolute path"):
        load_settings()


class TestEnvFile:
    @pytest.fixture
    def env_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("PIPELINE_HOME", str(tmp_path))
        return tmp_path / ".env"

    def test_the_environment_wins(self, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        env_file.write_text("PIPELINE_MAIL_FROM=file@example.com\n")
        monkeypatch.setenv("PIPELINE_MAIL_FROM", "environment@example.com")
        assert load_settings().mail_from == "environment@example.com"

    def test_a_misspelt_variable_is_reported_not_ignored(self, env_file: Path) -> None:
        env_file.write_text("PIPELINE_STROE=results\nOTHER=1\nPIPELINE_CHANNEL_TEAM=json://127.0.0.1\n")
        with pytest.raises(ConfigError, match="PIPELINE_STROE: unknown variable") as raised:
            load_settings()
        assert len(raised.value.problems) == 1

    def test_it_cannot_say_where_it_is_itself(self, env_file: Path) -> None:
        env_file.write_text("PIPELINE_HOME=/srv/nightjar\n")
        with pytest.raises(ConfigError, match=r"PIPELINE_HOME: found in .*\.env; allowed: in the environment"):
            load_settings()

    def test_one_that_is_no_text_is_named(self, env_file: Path) -> None:
        env_file.write_bytes("PIPELINE_MAIL_FROM=björn@example.com\n".encode("latin-1"))
        with pytest.raises(ConfigError, match=r"\.env: cannot be read .* allowed: a UTF-8 text file"):
            load_settings()
