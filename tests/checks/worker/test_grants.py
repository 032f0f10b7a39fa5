"""What is opened once stays what it was, wherever its name leads later."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from tests.builders import make_model
from weighbridge.checks.worker import grants
from weighbridge.errors import UsageError


def test_a_grant_is_of_what_was_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    with grants.opened([tmp_path / "link", tmp_path / "link"]) as (grant,):
        (tmp_path / "link").unlink()
        (tmp_path / "link").symlink_to("/etc")
        assert (grant.name, grant.real, grant.directory) == (tmp_path / "link", tmp_path / "file", False)
        assert grant.identity == grants.identity_of((tmp_path / "file").stat())
        assert list(grant.files()) == [(tmp_path / "link", grant.identity)]


def test_a_grant_of_a_directory_is_of_the_files_in_it_and_of_no_link(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    plain = {path: grants.identity_of(path.stat()) for path in model.rglob("*") if path.is_file()}
    (model / "link").symlink_to("/etc/passwd")
    (model / "linked").symlink_to("/etc")
    with grants.opened([model]) as (grant,):
        model.rename(tmp_path / "elsewhere")
        found = dict(grant.files())
    assert found == plain


def test_what_cannot_be_opened_is_not_granted(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with grants.opened([tmp_path / "missing", tmp_path / "loop", Path("a\0b")]) as found:
        (tmp_path / "missing").touch()
        assert found == ()


def test_nothing_stays_open(tmp_path: Path) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    with grants.opened([tmp_path, Path("/dev/null")]) as found:
        assert len(found) == 2
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_more_inputs_than_may_be_open_are_refused_with_what_to_do(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(100)]
    for path in paths:
        path.touch()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        with pytest.raises(UsageError, match="Too many open files") as caught, grants.opened(paths):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "ulimit -n" in caught.value.remedy


def test_where_proc_is_closed_the_name_says_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError

    real = os.path.realpath(tmp_path / "link")
    monkeypatch.setattr(os, "readlink", refuse)
    monkeypatch.setattr(os.path, "realpath", lambda _: real)
    with grants.opened([tmp_path / "link"]) as (grant,):
        assert grant.real == Path(real)
