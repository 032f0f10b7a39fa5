from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from tests.attacks.dependencies import Json, bundle_lines, ecosystem, git, json_lines, record, write_bundle

from weighbridge.checks.dependencies import build as module
from weighbridge.checks.dependencies.advisories import load_advisories, packaged_bundle
from weighbridge.checks.dependencies.build import BuiltBundle, build_bundle
from weighbridge.checks.dependencies.bundle import read_bundle
from weighbridge.checks.dependencies.info import BundleInfo, describe_bundle
from weighbridge.checks.dependencies.inventory import Pin
from weighbridge.checks.dependencies.judging import judge_pin
from weighbridge.errors import InputError, ParseError

ALL = ecosystem({"introduced": "0"})


def write_zip(path: Path, *records: Json) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", "not a record")
        for each in records:
            archive.writestr(f"{each['id']}.json", json.dumps(each))
    return path


def write_tree(path: Path, *records: Json) -> Path:
    for each in records:
        target = path / "osv" / each["affected"][0]["package"]["name"]
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{each['id']}.json").write_text(json.dumps(each))
    return path


def save(folder: Path, built: BuiltBundle) -> Path:
    path = folder / "built.jsonl.gz"
    path.write_bytes(built.data)
    return path


def described(path: Path) -> BundleInfo:
    return describe_bundle(path.read_bytes(), name=path.name)


def test_builds_one_bundle_from_every_kind_of_source(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "mal", record("demo", ALL, id="MAL-2026-1"), record("x", ALL, id="GO-1", package="Go"))
    lines = tmp_path / "more.jsonl"
    lines.write_bytes(json_lines(record("other", ALL, id="GHSA-1")))
    built = build_bundle(
        [write_zip(tmp_path / "all.zip", record("demo", ALL, id="PYSEC-1")), tree, lines], built="2026-03-04"
    )
    assert built.database.sources == ("GHSA", "MAL", "PYSEC")
    assert (built.database.built, built.database.records, built.other_ecosystems) == ("2026-03-04", 3, 1)
    advisories = load_advisories(save(tmp_path, built))
    found = judge_pin(Pin(name="demo", version="1", location="x"), advisories).findings
    assert [one.advisory for one in found] == ["MAL-2026-1", "PYSEC-1"]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    records = [record("demo", ALL, id=f"PYSEC-{number}") for number in range(5)]
    forward = write_zip(tmp_path / "a.zip", *records)
    backward = write_zip(tmp_path / "b.zip", *reversed(records))
    assert build_bundle([forward], built="2026-03-04").data == build_bundle([backward], built="2026-03-04").data


def test_loses_nothing_that_an_audit_needs(tmp_path: Path) -> None:
    rated = record("rated", ALL, id="PYSEC-1", database_specific={"severity": "HIGH"}, aliases=["CVE-1"], related=["X"])
    listed = record("listed", git({"introduced": "0"}), id="PYSEC-2", versions=["1.0", "0.2.0"], details="d" * 500)
    scored = record("scored", ecosystem({"introduced": "1"}, {"fixed": "2"}), id="GHSA-3", credits=[{"name": "x"}])
    scored["severity"] = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
    scored["affected"][0]["package"]["purl"] = "pkg:pypi/scored"
    gone = record("gone", ALL, id="PYSEC-4", withdrawn="2026-01-01T00:00:00Z")
    malware = record("bad", ALL, id="MAL-5")
    records = (rated, listed, scored, gone, malware)
    original = load_advisories(write_bundle(tmp_path, *records))
    rebuilt = load_advisories(save(tmp_path, build_bundle([write_tree(tmp_path / "t", *records)], built="2026-03-04")))
    assert set(rebuilt.names()) == set(original.names()) == {"rated", "listed", "scored", "bad"}
    for name in ("rated", "listed", "scored", "gone", "bad"):
        for version in ("1.0", "0.2.0", "2.3.0+cu121"):
            pin = Pin(name=name, version=version, location="x")
            assert judge_pin(pin, rebuilt) == judge_pin(pin, original)


def test_leaves_out_what_an_audit_does_not_need(tmp_path: Path) -> None:
    rich = record("demo", git({"introduced": "0"}), ALL, details="d" * 10_000, references=[{"type": "WEB", "url": "x"}])
    rich["summary"] = ""
    rich["database_specific"] = {"severity": "HIGH", "cwe_ids": ["CWE-1"]}
    built = read_bundle(save(tmp_path, build_bundle([write_tree(tmp_path / "t", rich)], built="2026-03-04")))
    kept = built.records[0]
    assert len(kept.affected[0].ranges) == 1
    assert kept.summary is not None
    assert len(kept.summary) == module.MAX_SUMMARY
    assert bytes(kept.database_specific) == b'{"severity":"HIGH"}'


def test_takes_the_later_of_two_versions_of_a_record(tmp_path: Path) -> None:
    old = record("demo", ALL, modified="2026-01-01T00:00:00Z", summary="old")
    new = record("demo", ALL, modified="2026-02-01T00:00:00+00:00", summary="new")
    for number, order in enumerate(((old, new), (new, old), (new, new))):
        sources = [write_tree(tmp_path / f"{number}{place}", each) for place, each in enumerate(order)]
        built = build_bundle(sources, built="2026-03-04")
        assert built.repeated == 1
        assert read_bundle(save(tmp_path, built)).records[0].summary == "new"


def test_refuses_two_versions_of_a_record_with_one_date(tmp_path: Path) -> None:
    sources = [
        write_tree(tmp_path / "a", record("demo", ALL)),
        write_tree(tmp_path / "b", record("demo", ecosystem({"introduced": "2"}))),
    ]
    with pytest.raises(InputError, match="other content and the same date"):
        build_bundle(sources, built="2026-03-04")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ('{"id": "A-1", "id": "A-2"}', "appears twice"),
        ("[]", "no OSV record"),
        (json.dumps({**record("demo", ALL), "modified": "yesterday"}), "expected RFC 3339"),
        (json.dumps({**record("demo", ALL), "withdrawn": "1"}), "expected RFC 3339"),
        (json.dumps(record("demo", ecosystem({"introduced": "0", "fixed": "1"}))), "exactly one thing"),
        (json.dumps(record("demo", {"type": "ECOSYSTEM"})), "no OSV record"),
        (json.dumps(record("demo", versions=[1])), "not a list of strings"),  # type: ignore[list-item]
        ("[" * 1000, "nests deeper"),
    ],
)
def test_refuses_a_source_with_something_that_is_no_record(tmp_path: Path, text: str, why: str) -> None:
    write_tree(tmp_path, record("fine", ALL, id="A-9"))
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ParseError, match=why):
        build_bundle([tmp_path], built="2026-03-04")


def test_refuses_sources_without_anything_in_force(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    other = write_tree(tmp_path / "npm", record("demo", ALL, package="npm"))
    gone = write_tree(tmp_path / "gone", record("demo", ALL, withdrawn="2026-01-01T00:00:00Z"))
    for sources in ([], [tmp_path / "empty"], [other], [gone]):
        with pytest.raises(InputError, match="no PyPI record that is in force"):
            build_bundle(sources, built="2026-03-04")


def test_refuses_a_date_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="date of the bundle"):
        build_bundle([write_tree(tmp_path, record("demo", ALL))], built="today")


def test_refuses_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        build_bundle([tmp_path / "none.zip"], built="2026-03-04")
    broken = write_zip(tmp_path / "all.zip", record("demo", ALL))
    data = bytearray(broken.read_bytes())
    data[60:90] = b"\0" * 30
    broken.write_bytes(data)
    with pytest.raises(InputError, match="no zip archive that can be read"):
        build_bundle([broken], built="2026-03-04")
    monkeypatch.setattr(module, "MAX_UNPACKED", 1)
    with pytest.raises(InputError, match="unpacks to more"):
        build_bundle([write_zip(tmp_path / "big.zip", record("demo", ALL))], built="2026-03-04")
    monkeypatch.setattr(module, "MAX_RECORD", 10)
    with pytest.raises(ParseError, match="at most 10"):
        build_bundle([write_tree(tmp_path / "t", record("demo", ALL))], built="2026-03-04")


def test_does_not_follow_links_in_a_directory(tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", record("demo", ALL))
    (tmp_path / "outside.json").write_text("not a record")
    (tmp_path / "tree" / "link.json").symlink_to(tmp_path / "outside.json")
    assert build_bundle([tmp_path / "tree"], built="2026-03-04").database.records == 1


def test_tells_what_the_packaged_bundle_holds() -> None:
    info = described(packaged_bundle())
    assert info.packages > 1_400
    assert info.malware >= 38
    assert 0 < info.without_severity < info.database.records
    assert "PYSEC-2026-57" in info.unorderable
    assert not any(one in info.unorderable for one in ("PYSEC-2025-189", "PYSEC-2025-192"))
    assert "PYSEC-2025-75" in info.without_versions


def test_telling_refuses_duplicate_keys(tmp_path: Path) -> None:
    path = write_bundle(tmp_path, record("demo", ALL), name="x.jsonl")
    path.write_bytes(bundle_lines(record("demo", ALL)).replace(b'{"schema_version"', b'{"id": "A-1", "schema_version"'))
    with pytest.raises(ParseError, match="appears twice"):
        described(path)


@pytest.mark.parametrize("built", ["2026-01-03", "2026-01-03T00:00:01Z"])
def test_refuses_to_make_an_old_bundle_look_fresh(tmp_path: Path, built: str) -> None:
    old = save(tmp_path, build_bundle([write_tree(tmp_path / "t", record("demo", ALL))], built="2026-01-02"))
    with pytest.raises(InputError, match="is of 2026-01-02, so a bundle that holds it"):
        build_bundle([old], built=built)
    assert build_bundle([old], built="2026-01-01").database.built == "2026-01-01"


def test_the_packaged_bundle_is_what_builds_from_it() -> None:
    again = build_bundle([packaged_bundle()], built="2026-07-23")
    # Not the packed bytes: another zlib packs otherwise.
    assert gzip.decompress(again.data) == gzip.decompress(packaged_bundle().read_bytes())
