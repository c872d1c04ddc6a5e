"""The catalogue of gauges: what is pushed is in it, all of it is pushed, and docs/metrics.md tells just that."""

from __future__ import annotations

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from deploy.metrics_page import PAGE, page
from pipeline.publish.gauges.catalogue import FAMILIES, PREFIX, SECTIONS
from pipeline.publish.gauges.families import Gauges
from tests.publish.gauges.pushes import push_all
from tests.servers.processes import request
from tests.servers.prometheus import Prometheus
from tests.servers.pushgateway import Pushgateway


def scraped(pushgateway: Pushgateway) -> dict[str, Metric]:
    text = request("GET", f"{pushgateway.url}/metrics").body.decode()
    return {family.name: family for family in text_string_to_metric_families(text) if family.name.startswith(PREFIX)}


def test_the_committed_page_is_what_the_catalogue_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m deploy.metrics_page"


def test_no_family_is_told_twice() -> None:
    assert len(FAMILIES) == sum(len(section.families) for section in SECTIONS)


def test_what_is_pushed_is_the_catalogue_with_its_help_labels_and_groups(pushgateway: Pushgateway) -> None:
    push_all(pushgateway.url)
    found = scraped(pushgateway)
    assert sorted(found) == sorted(family.full_name for family in FAMILIES.values())
    for section in SECTIONS:
        group = {"instance", "job", "flow"} - ({"flow"} if not section.flow else set())
        group |= {"monitor"} - ({"monitor"} if section.flow == "fleet" else set())
        for family in section.families:
            metric = found[family.full_name]
            assert metric.documentation == family.meaning
            for sample in metric.samples:
                assert set(sample.labels) == {*group, *family.labels}
                assert sample.labels.get("flow", "") == section.flow


def test_values_are_in_their_unit(pushgateway: Pushgateway) -> None:
    push_all(pushgateway.url)
    found = scraped(pushgateway)
    for family in FAMILIES.values():
        values = [sample.value for sample in found[family.full_name].samples]
        if family.unit == "0 or 1":
            assert set(values) <= {0, 1}, family.name
        elif family.unit == "fraction":
            assert all(0 <= value <= 1 for value in values), family.name
        elif family.unit == "Unix seconds":
            assert all(value > 1e9 for value in values), family.name
        elif family.unit == "seconds":
            assert all(value >= 0 for value in values), family.name
        elif family.unit != "own":
            assert all(value >= 0 and value == int(value) for value in values), family.name


def test_every_example_gives_data_on_a_real_prometheus(pushgateway: Pushgateway, prometheus: Prometheus) -> None:
    push_all(pushgateway.url)
    prometheus.wait_for('model_monitor_last_failure_timestamp_seconds{task="pull_snapshots"}')
    for family in FAMILIES.values():
        assert family.full_name in family.query
        assert prometheus.query(family.query), family.query


def test_what_the_catalogue_does_not_have_cannot_be_pushed() -> None:
    with pytest.raises(KeyError, match="model_mood"):
        Gauges().one("model_mood", 1)
    with pytest.raises(KeyError, match="snapshot"):
        Gauges().one("rows", 1)
