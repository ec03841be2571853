"""Traces as clusters publish them: units in headers and names, dates, marks for "never", columns of other types."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_trace, remembered
from slicewright.network.scenario import Scenario

pa = pytest.importorskip("pyarrow")


def csv(folder: Path, text: str, **parameters: Any) -> Scenario:
    (folder / "t.csv").write_text(text)
    return import_trace(folder / "t.csv", **parameters)


def parquet(folder: Path, **columns: Any) -> Scenario:
    from pyarrow import parquet as files

    files.write_table(pa.table(columns), folder / "t.parquet")
    return import_trace(folder / "t.parquet")


@pytest.mark.parametrize(
    ("header", "rows", "rate_hz", "bits"),
    [
        ("timestamp (us),bytes,user", [(1e6, 5), (2e6, 7), (5e6, 9)], 0.75, 56),
        ("time_ms,data_size [kB],um", [(1000, 5), (2000, 7), (5000, 9)], 0.75, 56000),
        ("time_s,size_kbit,app", [(1, 5), (2, 7), (5, 9)], 0.75, 7000),
        ("time,bits,app", [(1, 5), (2, 7), (5, 9)], 0.75, 7),
    ],
)
def test_units_are_told_by_headers_endings_and_names(
    tmp_path: Path, header: str, rows: list[tuple[float, float]], rate_hz: float, bits: float
) -> None:
    text = header + "\n" + "".join(f"{time:.0f},{size},a\n" for time, size in rows)
    scenario = csv(tmp_path, text)
    assert scenario.arrival_rate_hz.tolist() == [pytest.approx(rate_hz)]
    assert scenario.task_bits.tolist() == [pytest.approx(bits)]


def test_numbers_without_a_unit_are_said_to_be(tmp_path: Path) -> None:
    told = remembered(csv(tmp_path, "time,collection_id\n0,a\n50000000,a\n100000000,a\n").origin)
    assert any(
        sentence.startswith("time has no unit, so s was taken; time_unit_s sets another") for sentence in told
    )
    assert "the trace is 3.17 years long: if its times are no seconds, set time_unit_s" in told
    told = remembered(csv(tmp_path, "time,collection_id\n0,a\n5000000,a\n", time_unit_s=1e-6).origin)
    assert not any("unit" in sentence for sentence in told)


def test_dates_are_times(tmp_path: Path) -> None:
    rows = ["2023-11-16 18:15:46.5000000", "2023-11-16T18:15:48Z", "2023/11/16 18:15:50.5"]
    scenario = csv(tmp_path, "TIMESTAMP,user\n" + "".join(f"{row},a\n" for row in rows))
    assert scenario.arrival_rate_hz.tolist() == [pytest.approx(0.75)]
    with pytest.raises(
        InvalidScenarioError, match=r"t\.csv line 3, timestamp is '7' but must be a date and time, or"
    ):
        csv(tmp_path, "TIMESTAMP,user\n2023-11-16 18:15:46,a\n7,a\n")


def test_times_with_a_zone_behind_them(tmp_path: Path) -> None:
    rows = ["2024-01-31 12:00:00.5 UTC", "2024-01-31 13:00:02.5+01:00", "2024-01-31 12:00:04.5 GMT"]
    scenario = csv(tmp_path, "timestamp,user\n" + "".join(f"{row},a\n" for row in rows))
    assert scenario.arrival_rate_hz.tolist() == [0.75]


def test_written_out_dates_are_no_numbers(tmp_path: Path) -> None:
    rows = "".join(f"{time},a\n" for time in (20240131120000, 20240131120059, 20240131120100))
    with pytest.raises(InvalidScenarioError, match="such as 20240131120000, which are written-out dates"):
        csv(tmp_path, "timestamp,user\n" + rows)


def test_zeros_that_may_be_no_times_are_told(tmp_path: Path) -> None:
    """Alibaba's tasks that never began have 0; all others begin after the first day."""
    rows = "".join(f"{time},a\n" for time in (0, 0, 86400, 90000, 99000))
    told = remembered(csv(tmp_path, "start_time,job_name\n" + rows).origin)
    sentence = "2 rows of t.csv are at time 0, and the next is at 86400: if 0 stands for an unknown time, take them out"
    assert sentence in told
    told = remembered(csv(tmp_path, "time,user\n" + "".join(f"{k // 2},a\n" for k in range(200))).origin)
    assert not any("unknown" in sentence for sentence in told)


def test_rows_whose_time_means_never_are_dropped(tmp_path: Path) -> None:
    scenario = csv(tmp_path, f"time,user\n1,a\n3,a\n{2**63 - 1},b\n")
    assert scenario.arrival_rate_hz.tolist() == [1.0]
    assert "1 rows of t.csv whose time is the largest number there is" in remembered(scenario.origin)
    scenario = parquet(
        tmp_path, time=[1, 3, 2**63 - 1], user=["a", "a", "b"], resource_request=[{"cpus": 1.0}] * 3
    )
    assert scenario.arrival_rate_hz.tolist() == [1.0]
    assert "columns of t.parquet: resource_request" in remembered(scenario.origin)


@pytest.mark.parametrize(("unit", "worth"), [("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)])
def test_numbers_that_are_dates_since_1970_tell_their_unit(tmp_path: Path, unit: str, worth: int) -> None:
    times = [(1_700_000_000 + second) * worth for second in (0, 2, 4)]
    text = "ts,timestamp,user\n" + "".join(f"0,{time},a\n" for time in times)
    scenario = csv(tmp_path, text)
    assert scenario.arrival_rate_hz.tolist() == [pytest.approx(0.75)]
    told = f"timestamp has no unit; its numbers are dates in {unit} since 1970, the first of 2023-11-14, so {unit} was"
    assert any(sentence.startswith(told) for sentence in remembered(scenario.origin))
    assert parquet(tmp_path, timestamp=times, user=["a"] * 3).arrival_rate_hz.tolist() == [
        pytest.approx(0.75)
    ]
    scenario = csv(tmp_path, text, time_unit_s=1)
    assert scenario.arrival_rate_hz.tolist() == [pytest.approx(0.75 / worth)]
    assert not any("no unit" in sentence for sentence in remembered(scenario.origin))


def test_zeros_that_stand_for_no_time_are_dropped(tmp_path: Path) -> None:
    google = "time,collection_id\n" + "0,a\n" * 7 + "600000000,a\n605000000,a\n610000000,b\n"
    scenario = csv(tmp_path, google, time_unit_s=1e-6)
    np.testing.assert_allclose(scenario.arrival_rate_hz, [0.2, 0.1])
    assert "7 rows of t.csv whose time is 0: before the trace, or unknown" in remembered(scenario.origin)
    unknown = "timestamp,user\n1700000000000,a\n0,a\n1700000002000,a\n"
    assert csv(tmp_path, unknown).arrival_rate_hz.tolist() == [1.0]
    for begins_at_0 in ("0,a\n0,a\n5,a\n", "0,a\n700000000,a\n1400000000,a\n"):
        told = remembered(csv(tmp_path, "time,user\n" + begins_at_0).origin)
        assert not any("whose time is 0" in sentence for sentence in told)


def test_dates_and_durations_of_parquet(tmp_path: Path) -> None:
    stamps = [dt.datetime(2024, 1, 1, 0, 0, second) for second in (1, 3, 5)]
    days = [dt.date(2024, 1, day) for day in (1, 2, 3)]
    gaps = [dt.timedelta(milliseconds=gap) for gap in (500, 1000, 2500)]
    for times, rate_hz in ((stamps, 0.75), (days, 3 / 172800), (gaps, 1.5)):
        scenario = parquet(tmp_path, time=times, user=[7, 7, 7], bytes=[1, 2, 3])
        np.testing.assert_allclose(scenario.arrival_rate_hz, [rate_hz])
        np.testing.assert_allclose(scenario.task_bits, [16])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"time": [1, 2], "user": [[1], [2]]}, "t.parquet, user: must hold words or numbers, and holds list"),
        ({"time": [[1], [2]], "user": ["a", "b"]}, "t.parquet, time: must hold times, and holds list"),
        (
            {"time": [1, 2], "size": [1.0, float("inf")]},
            "t.parquet, size[1] is inf but must be a positive size",
        ),
        ({"time": [1, None], "user": ["a", "b"]}, "t.parquet, time: has 1 missing values"),
        ({"time": ["x", "y"], "user": ["a", "b"]}, "t.parquet, time: must hold times, and holds string"),
        ({"time": [True, False], "user": ["a", "b"]}, "t.parquet, time: must hold times, and holds bool"),
    ],
)
def test_columns_of_other_types_are_named(tmp_path: Path, columns: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        parquet(tmp_path, **columns)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"), [(b"sizf", b"size"), (b"time", b"size"), (b"sizf", b"\xff\xfe\xfd\xfc")]
)
def test_parquet_whose_names_are_damaged(tmp_path: Path, old: bytes, new: bytes) -> None:
    parquet(tmp_path, time=[1, 2], size=[1, 2], sizf=[3, 4])
    file = tmp_path / "t.parquet"
    data = file.read_bytes()
    for count in range(1, data.count(old) + 1):
        file.write_bytes(data.replace(old, new, count))
        try:
            import_trace(file)
        except InvalidScenarioError as refused:
            assert str(refused).startswith("t.parquet"), refused


def test_parquet_of_more_rows_than_memory_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slicewright.network.importers.columns.parquet.MOST_ROWS", 1)
    with pytest.raises(InvalidScenarioError, match=r"t\.parquet: has 2 rows, and at most 1 are read"):
        parquet(tmp_path, time=[1, 2], user=["a", "b"])
