"""Addresses with a secret: taken apart, and never shown with it."""

from __future__ import annotations

import pytest

from pipeline.storage import addresses
from pipeline.storage.addresses import Address


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://mlflow.example.com/team", "https://mlflow.example.com/team"),
        ("https://me:secret@mlflow.example.com:5000/team", "https://mlflow.example.com:5000/team"),
        ("https://me:se/cr@et@mlflow.example.com", "https://mlflow.example.com"),
        ("postgresql+psycopg2://me:secret@db/mlflow?password=secret", "postgresql+psycopg2://db/mlflow"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
    ],
)
def test_any_address_is_shown_without_credentials(uri: str, shown: str) -> None:
    assert addresses.shown(uri) == shown


@pytest.mark.parametrize(
    ("url", "address", "shown"),
    [
        ("http://gauges:9091", Address("http", "gauges", 9091, "", None, ""), "http://gauges:9091"),
        (
            "https://me:p%40ss%2Fword@gauges.example.com/team/?token=secret#secret",
            Address("https", "gauges.example.com", None, "/team/", "me", "p@ss/word"),
            "https://gauges.example.com/team/",
        ),
        ("smtp://me@[::1]:25", Address("smtp", "::1", 25, "", "me", ""), "smtp://[::1]:25"),
        ("smtp://:secret@mail", Address("smtp", "mail", None, "", "", "secret"), "smtp://mail"),
    ],
)
def test_an_address_is_taken_apart_and_its_parts_show_no_secret(url: str, address: Address, shown: str) -> None:
    assert addresses.parse(url) == address
    assert address.shown == shown
    assert not any(secret in repr(address) for secret in ("secret", "p@ss", "me'"))


@pytest.mark.parametrize("url", ["", "mail", "smtp://", "http://me:se/cret@host", "http://host:99999", "http://host:0"])
def test_an_address_without_a_usable_host_and_port_is_none(url: str) -> None:
    assert addresses.parse(url) is None
