"""A record states the bytes that its check could read, whatever is done to the model meanwhile."""

from __future__ import annotations

import mmap
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from tests.checks.runners.trained import cancer, fitted, onnx_bytes, save_examples
from tests.model.test_view import PACKED, ROOMS
from weighbridge.checks import run as module
from weighbridge.checks.interface import (
    CheckRequest,
    DependencyAuditOptions,
    LeakageOptions,
    ModelScanOptions,
    Options,
    RobustnessOptions,
)
from weighbridge.checks.run import run_check
from weighbridge.checks.worker import parent
from weighbridge.clock import system_clock
from weighbridge.errors import ModelError
from weighbridge.evidence.measurements import LeakageMeasurements, ModelScanMeasurements, RobustnessMeasurements
from weighbridge.evidence.record import CheckRecord
from weighbridge.model.choice import Room, ViewKind
from weighbridge.model.digest import combine, hash_model
from weighbridge.model.view import private_view

pytestmark = pytest.mark.landlock

RACES = int(os.environ.get("WEIGHBRIDGE_RACES", "4"))
"""Runs against a racing writer; the documented run had 200 of each kind."""


def checked(model: Path, options: Options, *, room: Room | None = None) -> CheckRecord:
    request = CheckRequest(model=str(model), options=options)
    with private_view(model, room=room) as view:
        return run_check(request, view=view, clock=system_clock, nonce="0" * 32)


def covered(record: CheckRecord) -> list[tuple[str, str | None]]:
    assert isinstance(record.measurements, ModelScanMeasurements)
    return sorted((file.path, file.sha256) for file in record.measurements.files)


def listed(record: CheckRecord) -> list[tuple[str, str | None]]:
    return [(file.path, file.sha256) for file in record.files]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    (directory / "sub").mkdir(parents=True)
    (directory / "config.json").write_text('{"layers": 2}')
    (directory / "sub" / "empty.txt").write_bytes(b"")
    return directory


@pytest.mark.parametrize("kind", ViewKind)
@pytest.mark.parametrize("name", [".", "config.json"])
def test_the_record_has_the_files_and_the_view_and_the_scan_read_the_same(
    model: Path, kind: ViewKind, name: str
) -> None:
    record = checked(model / name, ModelScanOptions(), room=ROOMS[kind])
    assert record.view is not None
    assert (record.view.kind, record.undecided, record.findings) == (kind, (), ())
    assert combine([(file.path, file.sha256) for file in record.files]) == hash_model(model / name)
    assert covered(record) == listed(record)
    assert all(file.size == (model / file.path).stat().st_size for file in record.files if name == ".")


def test_an_audit_of_no_model_has_neither(tmp_path: Path) -> None:
    from weighbridge.checks.dependencies.advisories import packaged_bundle

    (tmp_path / "requirements.txt").write_text("numpy==2.4.0\n")
    options = DependencyAuditOptions(
        advisories=str(packaged_bundle()), requirements=(str(tmp_path / "requirements.txt"),)
    )
    request = CheckRequest(model=options.advisories, options=options)
    record = run_check(request, view=None, clock=system_clock, nonce="0" * 32)
    assert (record.view, record.files) == (None, ())


def test_what_a_request_lists_by_itself_is_not_read(model: Path) -> None:
    from tests.builders import request_for

    record = run_check(request_for(model, ModelScanOptions()), view=None, clock=system_clock, nonce="0" * 32)
    assert [place.reason for place in record.undecided] == ["the model has no file"]


@contextmanager
def exchanged(model: Path, other: Path) -> Iterator[None]:
    kept = model.with_name("kept")
    model.rename(kept)
    other.rename(model)
    try:
        yield
    finally:
        model.rename(other)
        kept.rename(model)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Path], None]:
    """Let another model lie in the place of one for exactly as long as a worker lives."""

    def exchange(model: Path, other: Path) -> None:
        real = parent.examine

        def meanwhile(*arguments: Any, **options: Any) -> Any:
            with exchanged(model, other):
                return real(*arguments, **options)

        monkeypatch.setattr(module, "examine", meanwhile)

    return exchange


@pytest.mark.parametrize("kind", PACKED)
def test_a_model_exchanged_for_the_scan_and_put_back_is_the_one_that_is_scanned(
    model: Path, tmp_path: Path, exchange: Callable[[Path, Path], None], kind: ViewKind
) -> None:
    (model / "bad.py").write_text("import os\n")
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "config.json").write_text("{}")
    exchange(model, tmp_path / "good")
    record = checked(model, ModelScanOptions(), room=ROOMS[kind])
    assert [finding.location for finding in record.findings] == ["bad.py"]
    assert combine([(file.path, file.sha256) for file in record.files]) == hash_model(model)
    assert covered(record) == listed(record)


def test_a_model_exchanged_for_robustness_and_leakage_and_put_back_is_the_one_that_is_measured(
    tmp_path: Path, exchange: Callable[[Path, Path], None]
) -> None:
    inside, outside, known, unknown = cancer()
    for name, labels in (("bad", 1 - known), ("good", known)):
        (tmp_path / name).mkdir()
        model = fitted(LogisticRegression(), inside, labels)
        (tmp_path / name / "model.onnx").write_bytes(onnx_bytes(model, 30))
        (tmp_path / name / "model.pkl").write_bytes(pickle.dumps(model))
    save_examples(tmp_path / "members.npz", inside, known)
    save_examples(tmp_path / "others.npz", outside, unknown)
    exchange(tmp_path / "bad", tmp_path / "good")
    options = RobustnessOptions(data=str(tmp_path / "others.npz"), epsilon=0.01, queries=10, samples=40)
    attacked = checked(tmp_path / "bad", options)
    assert isinstance(attacked.measurements, RobustnessMeasurements)
    assert len(attacked.measurements.entries) == 2
    assert all(entry.correct < 10 for entry in attacked.measurements.entries)
    leaked = checked(
        tmp_path / "bad",
        LeakageOptions(members=str(tmp_path / "members.npz"), non_members=str(tmp_path / "others.npz"), rates=(0.05,)),
    )
    assert isinstance(leaked.measurements, LeakageMeasurements)
    assert len(leaked.measurements.entries) == 2
    for record in (attacked, leaked):
        assert combine([(file.path, file.sha256) for file in record.files]) == hash_model(tmp_path / "bad")


@pytest.mark.parametrize("kind", [ViewKind.IMMUTABLE, ViewKind.WATCHED])
def test_without_a_copy_the_directory_that_was_listed_is_read_whatever_lies_in_its_place(
    model: Path, tmp_path: Path, exchange: Callable[[Path, Path], None], kind: ViewKind
) -> None:
    (model / "bad.py").write_text("import os\n")
    (tmp_path / "good").mkdir()
    exchange(model, tmp_path / "good")
    records: list[CheckRecord] = []
    with suppress(ModelError):
        # A directory that was moved and put back tells so by its times, and then nothing counts.
        records.append(checked(model, ModelScanOptions(), room=ROOMS[kind]))
    for record in records:
        assert [finding.location for finding in record.findings] == ["bad.py"]


def test_a_watched_model_whose_file_is_exchanged_and_put_back_is_refused(
    model: Path, tmp_path: Path, exchange: Callable[[Path, Path], None]
) -> None:
    (model / "sub" / "bad.py").write_text("import os\n")
    (tmp_path / "good.py").write_text("1\n")
    exchange(model / "sub" / "bad.py", tmp_path / "good.py")
    with pytest.raises(ModelError, match="changed"):
        checked(model, ModelScanOptions(), room=ROOMS[ViewKind.WATCHED])


@contextmanager
def written(target: Path) -> Iterator[None]:
    """Let a writer store through shared maps, which no time of change tells of, and now and then exchange the file."""
    stop, maps, size = threading.Event(), [], 300_000

    def put() -> mmap.mmap:
        following = target.parent.with_name("next")
        following.write_bytes(b" " * size)
        with following.open("r+b") as stream:
            maps.append(mmap.mmap(stream.fileno(), size))
        os.replace(following, target)
        return maps[-1]

    content = put()

    def write() -> None:
        current, until, count = content, time.monotonic() + 0.2, 0
        while not stop.is_set():
            for _ in range(100):
                count += 1
                current[count * 977 % size] = 10 if count % 3 else 32
            time.sleep(0.0002)
            if time.monotonic() > until:
                current, until = put(), time.monotonic() + 0.2

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for each in maps:
            each.close()


@pytest.mark.timeout(60 + 20 * RACES)
@pytest.mark.parametrize("kind", PACKED)
def test_in_a_race_the_record_states_what_the_worker_saw(model: Path, kind: ViewKind) -> None:
    records: list[CheckRecord] = []
    with written(model / "config.json"):
        for _ in range(RACES * 20):
            with suppress(ModelError):
                records.append(checked(model, ModelScanOptions(), room=ROOMS[kind]))
            if len(records) == RACES:
                break
    assert len(records) == RACES
    for record in records:
        assert covered(record) == listed(record)
    assert len({record.files for record in records}) > 1
