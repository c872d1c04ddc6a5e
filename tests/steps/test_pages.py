"""The pages over many nights: what each night changes, several at once, and that a rebuild gives the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.errors import NightIncomplete
from pipeline.publish.facts.history import History, PastNight
from pipeline.publish.facts.night import NightView, Runs
from pipeline.results import Done, DriftResult, Kept, ProbationResult, QualityResult
from pipeline.steps import nightly as steps
from pipeline.steps import pages as site
from pipeline.steps import views
from pipeline.steps.night import Night
from pipeline.steps.rebuilding import rebuild
from pipeline.storage import s3 as s3_client
from pipeline.storage.run_store import RunStore
from tests.project import Project
from tests.publish import probations, profiles, samples

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 10)


@pytest.fixture
def quick(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Without the 3.7 MB of Evidently's page in each of many nights; it is no page over many nights."""
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.write_suite()
    return project


def publish(project: Project, day: date, name: str = "people", drift: DriftResult | None = None) -> Night:
    """One night of the samples, as the steps leave it."""
    if not (project.root / "monitors" / f"{name}.yaml").exists():
        project.write_monitor(name)
    night = project.night(str(day), name)
    for result in _results(samples.view(name, day), drift or samples.drift()):
        night.save(result)
    steps.render_report(night)
    return night


def _results(view: NightView, drift: DriftResult) -> list[Kept]:
    kept = profiles.of_night(view.tonight)
    found: list[Kept] = [samples.quality(), drift, kept, samples.performance(measured=False), samples.decision()]
    return [view.pair, *(result.model_copy(update={"snapshots": view.pair.digest}) for result in found)]


def contents(project: Project) -> dict[str, bytes]:
    """Every file that people or programs read, by its place."""
    store = project.store
    found = [path for path in store.rglob("*") if path.is_file() and not path.is_symlink()]
    links = [path for path in store.glob("*/*") if path.is_symlink()]
    found += [path for link in links for path in link.iterdir()]
    kept = [path for path in found if not any(part.startswith(".") for part in path.relative_to(store).parts)]
    return {str(path.relative_to(store)): path.read_bytes() for path in kept}


def rebuilt(project: Project) -> dict[str, bytes]:
    rebuild(project.settings, lambda _: None)
    return contents(project)


def test_a_rebuild_gives_the_same_pages_and_makes_lost_ones_again(quick: Project) -> None:
    for offset in range(4):
        publish(quick, FIRST + timedelta(days=offset))
    before = contents(quick)
    assert rebuilt(quick) == before
    for lost in ("index.html", "people/index.html", "people/columns.html", "people/history.json"):
        (quick.store / lost).unlink()
    (quick.store / "people" / str(FIRST) / "index.html").write_bytes(b"somebody wrote over it")
    assert rebuilt(quick) == before


def test_the_columns_page_has_every_night_that_kept_a_profile(quick: Project) -> None:
    for offset in range(3):
        publish(quick, FIRST + timedelta(days=offset))
    page = (quick.store / "people" / "columns.html").read_text()
    assert "over 3 nights," in page
    assert "nothing was kept" not in page
    night = quick.store / "people" / str(FIRST + timedelta(days=1))
    for damage in (b"{", b"[]", None):
        (night / "profile.json").unlink()
        if damage is not None:
            (night / "profile.json").write_bytes(damage)
        rebuild(quick.settings, lambda _: None)
        damaged = (quick.store / "people" / "columns.html").read_text()
        assert f"{FIRST + timedelta(days=1)}: nothing was kept of the column" in damaged.replace(", drifted", "")
        assert "1 night kept no profile, and is a gap." in damaged
        (night / "profile.json").touch()


def test_a_columns_page_that_cannot_be_made_says_so_and_all_others_are_written(
    quick: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(quick, FIRST)
    before = contents(quick)
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.publish.pages.columns.ranked", lambda *_: 1 / 0)
        (quick.store / "people" / "index.html").unlink()
        with pytest.raises(NightIncomplete, match=r"people, columns over time: ZeroDivisionError"):
            rebuild(quick.settings, lambda _: None)
        night = publish(quick, FIRST + timedelta(days=1))
        assert [failure.part for failure in steps.broken_parts(night)] == ["people, columns over time"]
    after = contents(quick)
    assert b"This page could not be made" in after["people/columns.html"]
    assert str(FIRST + timedelta(days=1)).encode() in after["people/index.html"]
    publish(quick, FIRST + timedelta(days=1))
    rebuild(quick.settings, lambda _: None)
    assert b"Columns over time</h1>" in contents(quick)["people/columns.html"]
    assert before["people/columns.html"] != after["people/columns.html"]


def test_nights_out_of_order_end_in_the_same_pages(quick: Project) -> None:
    days = [FIRST + timedelta(days=offset) for offset in (2, 0, 3, 1)]
    for day in days:
        publish(quick, day)
    before = contents(quick)
    assert rebuilt(quick) == before
    middle = before[f"people/{FIRST + timedelta(days=1)}/index.html"].decode()
    assert f'href="../{FIRST}/index.html" rel="prev"' in middle
    assert f'href="../{FIRST + timedelta(days=2)}/index.html" rel="next"' in middle


def test_a_new_night_changes_its_neighbour_and_the_pages_over_many_nights_only(quick: Project) -> None:
    for offset in range(3):
        publish(quick, FIRST + timedelta(days=offset))
    before = contents(quick)
    newest = FIRST + timedelta(days=3)
    publish(quick, newest)
    changed = {name for name, content in contents(quick).items() if before.get(name) != content}
    neighbour = f"people/{FIRST + timedelta(days=2)}"
    assert {name for name in changed if not name.startswith(f"people/{newest}/")} == {
        "index.html",
        "people/index.html",
        "people/columns.html",
        "people/history.json",
        f"people/incidents/{FIRST}/index.html",
        f"people/incidents/{FIRST}/incident.md",
        f"{neighbour}/index.html",
        f"{neighbour}/night.json",
    }


def test_a_rerun_that_changes_nothing_writes_no_other_page(quick: Project) -> None:
    for offset in range(3):
        publish(quick, FIRST + timedelta(days=offset))
    before = {path: path.stat().st_mtime_ns for path in quick.store.rglob("*.html")}
    publish(quick, FIRST + timedelta(days=1))
    own = f"people/.nights/{FIRST + timedelta(days=1)}/"
    others = {path: when for path, when in before.items() if own not in str(path)}
    assert len(others) >= 3 + 2 * 2  # three pages over many nights, two versions of each other night
    assert {path: path.stat().st_mtime_ns for path in others} == others


def test_a_rerun_that_found_something_else_reaches_the_charts_of_later_nights(quick: Project) -> None:
    for offset in range(3):
        publish(quick, FIRST + timedelta(days=offset))
    publish(quick, FIRST, drift=samples.drift(18, 17))
    before = contents(quick)
    assert b"94.4%" in before[f"people/{FIRST + timedelta(days=2)}/index.html"]
    assert rebuilt(quick) == before


def at_once(*jobs: Callable[[], object]) -> None:
    """Run in threads that start together; none may fail."""
    barrier, failed = threading.Barrier(len(jobs)), list[BaseException]()

    def run(job: Callable[[], object]) -> None:
        barrier.wait()
        try:
            job()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_monitors_that_finish_at_once_are_all_on_the_fleets_page(quick: Project) -> None:
    names = [f"model-{place}" for place in range(6)]
    for name in names:
        quick.write_monitor(name)
    at_once(*(lambda name=name: publish(quick, FIRST, name) for name in names))
    page = (quick.store / "index.html").read_text()
    assert all(f'href="{name}/{FIRST}/index.html"' in page for name in names)
    before = contents(quick)
    assert rebuilt(quick) == before


def test_two_nights_of_one_monitor_that_finish_at_once_are_both_remembered(quick: Project) -> None:
    quick.write_monitor()
    days = [FIRST + timedelta(days=offset) for offset in range(4)]
    at_once(*(lambda day=day: publish(quick, day) for day in days))
    remembered = History.model_validate_json((quick.store / "people" / "history.json").read_bytes())
    assert [night.run_date for night in remembered.nights] == days
    before = contents(quick)
    assert rebuilt(quick) == before


class Interrupted(BaseException):
    """Stands for a process that ends here."""


@contextmanager
def interrupted_at(place: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process ends just before it writes to the run store for the n-th time."""
    left = [place]
    with monkeypatch.context() as patch:
        for name in ("publish_night", "replace_in_night", "write_page"):
            write = getattr(RunStore, name)

            def end_or_write(*given: Any, write: Callable[..., Any] = write) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    raise Interrupted
                return write(*given)

            patch.setattr(RunStore, name, end_or_write)
        with suppress(Interrupted):
            yield


@pytest.mark.parametrize("place", range(8))
def test_whoever_is_interrupted_is_made_up_for_by_a_rerun(
    quick: Project, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [FIRST, FIRST + timedelta(days=2)]
    for day in days:
        publish(quick, day)
    between = FIRST + timedelta(days=1)
    with interrupted_at(place, monkeypatch):
        publish(quick, between)
    publish(quick, between)
    after = contents(quick)
    assert f'href="../{between}/index.html" rel="next"' in after[f"people/{FIRST}/index.html"].decode()
    assert f'href="../{between}/index.html" rel="prev"' in after[f"people/{days[1]}/index.html"].decode()
    assert rebuilt(quick) == after


def test_a_night_that_was_removed_is_forgotten(quick: Project) -> None:
    for offset in range(3):
        publish(quick, FIRST + timedelta(days=offset))
    (quick.store / "people" / str(FIRST)).unlink()
    publish(quick, FIRST + timedelta(days=3))
    assert str(FIRST) not in (quick.store / "people" / "index.html").read_text()


def test_the_mlflow_run_reaches_the_page_and_stays_there(quick: Project) -> None:
    night = publish(quick, FIRST)
    site.note_run(night, "5f0c1b2a")
    page = quick.store / "people" / str(FIRST) / "index.html"
    assert "5f0c1b2a" in page.read_text()
    before = contents(quick)
    steps.render_report(night)
    assert contents(quick) == before
    assert rebuilt(quick) == before
    steps.render_report(night, airflow_run="manual__1")
    assert views.runs_of(night) == Runs(airflow="manual__1", mlflow="5f0c1b2a")
    assert "manual__1" in page.read_text()


def watched(night: Night, done: Done) -> ProbationResult:
    found = probations.found(done)
    return found.model_copy(update={"monitor": night.name, "run_date": night.run_date})


def test_a_probation_reaches_every_page_that_shows_it_and_stays_there(quick: Project) -> None:
    nights = [publish(quick, FIRST + timedelta(days=offset)) for offset in range(3)]
    before = contents(quick)
    site.note_probation(nights[1], watched(nights[1], "rolled_back"))
    after = contents(quick)
    middle = f"people/{nights[1].run_date}"
    assert {name for name in after if before.get(name) != after[name]} == {
        "people/index.html",
        "people/history.json",
        *(f"people/incidents/{FIRST}/{name}" for name in ("index.html", "incident.md")),
        *(f"{middle}/{name}" for name in ("index.html", "history.json", "night.json")),
        *(f"{middle}/{name}" for name in ("probation.json", "probation.prom")),
    }
    assert b"Rolled back: version 2 is the champion again." in after[f"{middle}/index.html"]
    assert b"rolled back to version 2 on 2026-01-11" in after["people/index.html"]
    assert b"champion_rolled_back 1.0" in after[f"{middle}/probation.prom"]
    assert rebuilt(quick) == after
    (quick.store / "people" / "history.json").unlink()
    assert rebuilt(quick) == after
    steps.render_report(nights[1])
    assert contents(quick) == after
    site.note_probation(nights[1], watched(nights[1], "rolled_back"))
    assert contents(quick) == after


def test_a_rollback_asked_for_on_the_newest_night_reaches_the_fleets_page(quick: Project) -> None:
    night = publish(quick, FIRST)
    site.note_probation(night, watched(night, "proposed"))
    assert "a person decides whether to roll back" in (quick.store / "index.html").read_text()
    before = contents(quick)
    assert rebuilt(quick) == before


def test_what_is_found_before_a_night_is_published_changes_no_page(quick: Project) -> None:
    publish(quick, FIRST)
    before = contents(quick)
    other = quick.night(str(FIRST + timedelta(days=1)))
    site.note_probation(other, watched(other, "watching"))
    assert contents(quick) == before


def test_a_page_and_its_runs_may_change_at_once(quick: Project) -> None:
    night = publish(quick, FIRST)
    at_once(
        lambda: site.note_run(night, "5f0c1b2a"),
        lambda: publish(quick, FIRST + timedelta(days=1)),
    )
    page = (quick.store / "people" / str(FIRST) / "index.html").read_text()
    assert "5f0c1b2a" in page
    assert 'rel="next"' in page


def test_nights_of_before_weights_and_freshness_were_known_are_read(quick: Project) -> None:
    night = publish(quick, FIRST)
    view = views.measured_night(night)
    old = view.tonight.model_dump(mode="json", exclude={"weighted_drift_share", "stale", "probation"})
    assert PastNight.model_validate(old) == view.tonight
    assert QualityResult.model_validate(view.quality.model_dump(mode="json")) == view.quality


def test_on_s3_the_pages_are_the_same_and_a_rebuild_changes_none(
    quick: Project, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_client.client.cache_clear()
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    nights = [publish(quick, FIRST + timedelta(days=offset)) for offset in range(3)]
    store, settings = nights[0].store, nights[0].settings
    site.note_run(nights[0], "5f0c1b2a")

    def pages() -> list[object]:
        keys = ("index.html", *(f"people/{name}" for name in ("index.html", "columns.html", "history.json")))
        over_many = [store.read_page(key) for key in keys]
        return [*over_many, *(store.read_night("people", night.run_date) for night in nights)]

    before = pages()
    assert None not in before
    middle = store.read_night("people", nights[1].run_date)
    assert middle is not None
    assert b'rel="prev"' in middle["index.html"]
    assert b'rel="next"' in middle["index.html"]
    rebuild(settings, lambda _: None)
    assert pages() == before
