from __future__ import annotations

import base64
import hashlib
import os
import shutil
import sysconfig
from collections.abc import Callable
from importlib import metadata
from io import BufferedReader
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.dependencies import LITELLM_PTH, install, namespace_line

from weighbridge._files import open_regular
from weighbridge.checks.dependencies.inventory import Inventory
from weighbridge.checks.dependencies.sources import (
    environment,
    environment_listing,
    environment_tree,
    installed,
    recorded,
    startup,
)
from weighbridge.checks.dependencies.sources.environment import read_environment
from weighbridge.checks.dependencies.sources.environment_tree import EnvironmentTree
from weighbridge.errors import InputError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    install(folder, "Demo_Pkg", "1.0+cu121")
    return folder


def venv(site: Path) -> Path:
    return site.parents[2]


def rules(found: Inventory) -> list[tuple[str, str]]:
    return [(one.rule, one.location.rpartition("/")[2]) for one in found.findings]


def reasons(found: Inventory) -> list[str]:
    return [one.reason for one in found.undecided]


def test_reads_names_and_versions_without_importing(site: Path) -> None:
    (site / "demo_pkg" / "__init__.py").unlink()
    install(site, "other", "2.0", {"other.py": b"raise SystemExit('imported')\n"})
    found = read_environment(site)
    assert {(pin.name, pin.version) for pin in found.pins} == {("demo-pkg", "1.0+cu121"), ("other", "2.0")}
    assert (found.inputs[0].name, found.inputs[0].rows) == ("site-packages", 2)


def test_finds_site_packages_in_a_virtual_environment(site: Path) -> None:
    (venv(site) / "lib64").symlink_to("lib")
    found = read_environment(venv(site))
    assert [pin.location for pin in found.pins] == ["lib/python3.11/site-packages/Demo_Pkg-1.0+cu121.dist-info"]
    assert not found.findings
    assert not found.undecided


def really_changed(name: str) -> bool:
    """Say by another way, ``importlib.metadata`` and hashlib, whether a file differs from its record."""
    files = metadata.PathDistribution(Path(sysconfig.get_path("purelib"), name)).files or ()
    for file in files:
        path = Path(str(file.locate()))
        if file.hash is None or not path.is_file():
            continue
        found = hashlib.new(file.hash.mode, path.read_bytes()).digest()
        if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != file.hash.value:
            return True
    return False


def test_the_running_environment_has_no_false_alarm() -> None:
    # Some machines put their own certificates into certifi; an alarm about that is not a false one.
    found = read_environment(Path(sysconfig.get_path("purelib")))
    assert len(found.pins) > 20
    false = [
        (rule, name)
        for rule, name in rules(found)
        if rule != "record-missing" and not (rule == "record-mismatch" and really_changed(name))
    ]
    assert false == []
    assert all("editable" in reason for reason in reasons(found))


def digest(path: Path) -> str:
    (found,) = read_environment(path).inputs
    return found.sha256


def add(path: Path, data: bytes = b"x = 2\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a row of a RECORD": lambda site: add(site / "Demo_Pkg-1.0+cu121.dist-info" / "RECORD", b"extra.py,,\n"),
    "metadata": lambda site: add(site / "Demo_Pkg-1.0+cu121.dist-info" / "METADATA", b"Name: demo-pkg\nVersion: 2\n"),
    "where it came from": lambda site: add(site / "Demo_Pkg-1.0+cu121.dist-info" / "direct_url.json", b"{}"),
    "a recorded file": lambda site: add(site / "demo_pkg" / "__init__.py"),
    "a recorded file that is gone": lambda site: (site / "demo_pkg" / "__init__.py").unlink(),
    "a script": lambda site: add(venv(site) / "bin" / "demo"),
    "a module": lambda site: add(site / "torch.py"),
    "a module in a package": lambda site: add(site / "demo_pkg" / "more.py"),
    "a library": lambda site: add(site / "demo_pkg" / "_more.abi3.so"),
    "byte code": lambda site: add(site / "demo_pkg" / "__pycache__" / "__init__.cpython-311.pyc"),
    "a start file": lambda site: add(site / "more.pth", b"# nothing\n"),
    "an empty package": lambda site: (site / "torch").mkdir(),
    "a hidden file": lambda site: add(site / ".hidden"),
    "a link to a directory": lambda site: (site / "torch").symlink_to("demo_pkg"),
    "a link to a file": lambda site: (site / "torch.py").symlink_to("demo_pkg/__init__.py"),
    "another site": lambda site: (venv(site) / "lib64" / "python3.11" / "site-packages").mkdir(parents=True),
    "settings": lambda site: add(venv(site) / "pyvenv.cfg", b"include-system-site-packages = false\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_digest_is_over_everything_that_decides(site: Path, change: Callable[[Path], object]) -> None:
    install(site, "scripted", "1.0", {"../../../bin/demo": b"#!python\n"})
    before = digest(venv(site))
    assert digest(venv(site)) == before
    change(site)
    assert digest(venv(site)) != before


def test_the_digest_is_the_same_wherever_the_environment_lies_and_whenever_it_was_written(
    site: Path, tmp_path: Path
) -> None:
    shutil.copytree(venv(site), tmp_path / "other")
    assert digest(tmp_path / "other") == digest(venv(site))


def test_the_digest_of_a_site_is_not_that_of_its_environment(site: Path) -> None:
    assert digest(site) != digest(venv(site))


def test_no_name_can_be_read_as_two(site: Path) -> None:
    one = digest(site)
    add(site / "a\ndirectory\nb.py")
    two = digest(site)
    (site / "a\ndirectory\nb.py").rename(site / "a")
    assert len({one, two, digest(site)}) == 3


@pytest.mark.parametrize("what", ["a file", "a directory", "a site", "settings"])
def test_a_link_that_leads_out_of_the_environment_is_undecided(site: Path, tmp_path: Path, what: str) -> None:
    away = tmp_path / "away"
    install(away, "other", "1.0")
    link, target = {
        "a file": (site / "x.py", away / "other" / "__init__.py"),
        "a directory": (site / "other", away / "other"),
        "a site": (venv(site) / "lib" / "python3.12" / "site-packages", away),
        "settings": (venv(site) / "pyvenv.cfg", away / "other" / "__init__.py"),
    }[what]
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    assert "lead" in reasons(read_environment(venv(site)))[0]


def test_a_link_to_a_directory_counts_where_it_leads_to_what_is_judged(site: Path) -> None:
    (site / "alias").symlink_to("demo_pkg")
    found = read_environment(venv(site))
    assert not found.undecided
    (venv(site) / "src").mkdir()
    (site / "more").symlink_to("../../../src")
    assert "a directory that is not judged" in reasons(read_environment(venv(site)))[0]


def test_a_site_that_is_reached_through_a_link_has_the_name_of_its_place(site: Path) -> None:
    before = digest(venv(site))
    (venv(site) / "lib" / "python3.1").symlink_to("python3.11")
    assert digest(venv(site)) == before
    (site / "alias").symlink_to("demo_pkg")
    assert not read_environment(venv(site)).undecided


@pytest.mark.parametrize("place", ["METADATA", "RECORD"])
def test_what_is_exchanged_while_it_is_read_is_undecided_or_under_the_digest(
    site: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The bytes that were judged are those of the digest, whatever lies there later."""
    before = digest(site)
    path = site / "Demo_Pkg-1.0+cu121.dist-info" / place
    good, opening = path.read_bytes(), open_regular

    def exchanging(name: Path) -> BufferedReader:
        path.write_bytes(good + b"\n" if name == path else good)
        return opening(name)

    monkeypatch.setattr(environment_tree, "open_regular", exchanging)
    assert digest(site) != before


def test_a_file_that_comes_while_it_is_read_is_not_read(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = EnvironmentTree.of(site, (site,))
    add(site / "late.py")
    with pytest.raises(FileNotFoundError):
        tree.read("late.py", limit=10)
    (site / "demo_pkg" / "__init__.py").unlink()
    _, doubts = tree.finish()
    assert "not under the digest" in doubts[0].reason


def test_settings_that_cannot_be_read_are_undecided(site: Path) -> None:
    (venv(site) / "pyvenv.cfg").mkdir()
    assert "cannot be read" in reasons(read_environment(venv(site)))[0]
    (venv(site) / "pyvenv.cfg").rmdir()
    (venv(site) / "pyvenv.cfg").write_bytes(b"#" * 70_000 + b"\ninclude-system-site-packages = true\n")
    assert "more than 65536 bytes" in reasons(read_environment(venv(site)))[0]


def test_system_packages_that_are_visible_too_are_undecided(site: Path) -> None:
    (venv(site) / "pyvenv.cfg").write_text("home = /usr/bin\nInclude-System-Site-Packages = TRUE\n")
    assert "not handed in" in reasons(read_environment(venv(site)))[0]
    (venv(site) / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    assert not read_environment(venv(site)).undecided


@pytest.mark.parametrize("space", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
@pytest.mark.parametrize("line", ["include-system-site-packages{}= true", "include-system-site-packages ={}true"])
def test_settings_have_the_lines_that_python_reads(site: Path, space: str, line: str) -> None:
    (venv(site) / "pyvenv.cfg").write_text(f"home = /usr/bin\n{line.format(space)}\n", encoding="utf-8")
    assert "not handed in" in reasons(read_environment(venv(site)))[0]


@pytest.mark.parametrize("scripts", ["bin", "Scripts"])
def test_settings_beside_the_interpreter_count_too(site: Path, scripts: str) -> None:
    (venv(site) / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    before = digest(venv(site))
    add(venv(site) / scripts / "pyvenv.cfg", b"include-system-site-packages = true\n")
    found = read_environment(venv(site))
    assert (found.undecided[0].location, found.inputs[0].sha256 != before) == (f"{scripts}/pyvenv.cfg", True)
    assert "not handed in" in found.undecided[0].reason


def test_a_file_in_the_place_of_the_scripts_has_no_settings(site: Path) -> None:
    (venv(site) / "bin").write_text("no directory\n")
    assert not read_environment(venv(site)).undecided


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        ({"url": "file:///x", "dir_info": {"editable": True}}, "editable install"),
        ({"url": "file:///x", "dir_info": {}}, "from a directory"),
        ({"url": "https://x", "vcs_info": {"vcs": "git", "commit_id": "a"}}, "from version control"),
        ({"url": "https://x/y.whl", "archive_info": {}}, "from a URL"),
    ],
)
def test_what_is_no_release_of_an_index_is_doubted(site: Path, origin: dict[str, object], why: str) -> None:
    install(site, "side", "1.0", direct_url=origin)
    doubt = next(pin.doubt for pin in read_environment(site).pins if pin.name == "side")
    assert why in doubt


@pytest.mark.parametrize("data", [b"[]", b"{", b"\xff", b'{"a": 1, "a": 2}'])
def test_an_origin_that_cannot_be_read_is_doubted(site: Path, data: bytes) -> None:
    (install(site, "side", "1.0") / "direct_url.json").write_bytes(data)
    assert "cannot be read" in next(pin.doubt for pin in read_environment(site).pins if pin.name == "side")


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        (None, "missing"),
        (b"", "names no package"),
        (b"Name: side\n\nVersion: 1.0\n", "names no package"),
        (b"Name: side\nVersion: 1.0\nName: other\n", "twice"),
        (b"Name: ../x\nVersion: 1.0\n", "not one that a package can have"),
        (b"x" * 200, "larger than"),
    ],
)
def test_metadata_that_cannot_be_read_is_undecided(
    site: Path, monkeypatch: pytest.MonkeyPatch, metadata: bytes | None, why: str
) -> None:
    monkeypatch.setattr(installed, "MAX_METADATA", 150)
    path = install(site, "side", "1.0") / "METADATA"
    path.unlink()
    if metadata is not None:
        path.write_bytes(metadata)
    assert why in reasons(read_environment(site))[0]


def test_a_directory_that_names_another_package_is_doubted(site: Path) -> None:
    (site / "Demo_Pkg-1.0+cu121.dist-info").rename(site / "harmless-1.0.dist-info")
    assert "another package" in read_environment(site).pins[0].doubt


def test_reads_egg_info_and_doubts_eggs(site: Path) -> None:
    (site / "old-1.0.egg-info").write_text("Name: old\nVersion: 1.0\n")
    (site / "older.egg-info").mkdir()
    (site / "older.egg-info" / "PKG-INFO").write_text("Name: older\nVersion: 2.0\n")
    (site / "linked.egg-link").write_text("/elsewhere\n")
    found = read_environment(site)
    assert {("old", "1.0"), ("older", "2.0")} <= {(pin.name, pin.version) for pin in found.pins}
    assert sum("without a RECORD" in reason for reason in reasons(found)) == 2
    assert any("egg" in reason for reason in reasons(found))


def test_reports_a_file_that_was_changed_after_the_installation(site: Path) -> None:
    (site / "demo_pkg" / "__init__.py").write_bytes(b"x = 2\n")
    finding = read_environment(site).findings[0]
    assert (finding.rule, finding.severity) == ("record-mismatch", "high")
    assert "demo_pkg/__init__.py" in finding.message
    assert finding.component is not None
    assert finding.component.name == "demo-pkg"


def test_reports_a_file_that_is_gone(site: Path) -> None:
    (site / "demo_pkg" / "__init__.py").unlink()
    assert rules(read_environment(site)) == [("record-missing", "Demo_Pkg-1.0+cu121.dist-info")]


@pytest.mark.parametrize("entry", ["/etc/passwd", "../../../../outside", "link/x"])
def test_never_reads_a_recorded_file_outside_what_was_handed_in(site: Path, tmp_path: Path, entry: str) -> None:
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "x").write_text("secret")
    (site / "link").symlink_to(tmp_path / "away")
    record = site / "Demo_Pkg-1.0+cu121.dist-info" / "RECORD"
    record.write_text(record.read_text() + f"{entry},sha256=AAAA,1\n")
    assert not read_environment(venv(site)).findings


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("only-a-path", "not a path, a hash and a size"),
        ("demo_pkg/__init__.py,md5=AAAA,1", "cannot be read"),
        ("demo_pkg/__init__.py,sha256=!,1", "cannot be read"),
        ("demo_pkg,sha256=AAAA,1", "cannot be read"),
        ('"unclosed,sha256=AAAA,1', "RECORD cannot be read"),
        ("demo\0,sha256=AAAA,1", "RECORD"),
    ],
)
def test_a_record_that_cannot_be_followed_is_undecided(site: Path, row: str, why: str) -> None:
    record = site / "Demo_Pkg-1.0+cu121.dist-info" / "RECORD"
    record.write_text(record.read_text() + row + "\n")
    found = read_environment(site)
    assert why in reasons(found)[0]


def test_a_distribution_without_record_is_undecided(site: Path) -> None:
    (site / "Demo_Pkg-1.0+cu121.dist-info" / "RECORD").unlink()
    assert "without a RECORD" in reasons(read_environment(site))[0]


def test_finds_the_way_that_litellm_came_with_an_intact_record(site: Path) -> None:
    install(site, "litellm", "1.82.8", {"litellm/__init__.py": b"", "litellm_init.pth": LITELLM_PTH})
    found = read_environment(site)
    assert rules(found) == [("startup-code", "litellm_init.pth:1")]
    assert found.findings[0].severity == "high"
    assert "subprocess" in found.findings[0].message


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pth", b"import os"),
        ("a.pth", b"# comment\n\nimport\tos; os.system('x')\n"),
        ("a.pth", b"\xef\xbb\xbfimport os\n"),
        ("a.pth", b"\xff\nimport os\n"),
        (".hidden.pth", b"import os\n"),
        ("a.pth", b"/opt/x\rimport os\n"),
        ("a.start", b"demo.hooks:begin\n"),
        ("sitecustomize.py", b""),
        ("usercustomize.cpython-311-x86_64-linux-gnu.so", b""),
        ("sitecustomize.pyc", b""),
        ("_virtualenv.pth", b"import _virtualenv"),
    ],
)
def test_reports_code_that_runs_at_start(site: Path, name: str, data: bytes) -> None:
    (site / name).write_bytes(data)
    assert "startup-code" in [rule for rule, _ in rules(read_environment(site))]


def test_reports_a_package_that_is_a_hook(site: Path) -> None:
    (site / "sitecustomize").mkdir()
    assert rules(read_environment(site)) == [("startup-code", "sitecustomize")]


def test_reports_a_start_file_that_is_too_large(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "MAX_PTH", 10)
    (site / "a.pth").write_bytes(b"#" * 11)
    assert rules(read_environment(site)) == [("startup-code", "a.pth")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("comment.pth", b"# import os\n\n"),
        ("sitecustomize.txt", b""),
        (
            "distutils-precedence.pth",
            b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
            b"enabled and __import__('_distutils_hack').add_shim(); \n",
        ),
    ],
)
def test_leaves_known_and_harmless_files_alone(site: Path, name: str, data: bytes) -> None:
    (site / name).write_bytes(data)
    found = read_environment(site)
    assert (found.findings, found.undecided) == ((), ())


def test_a_module_with_the_end_of_a_hook_s_name_is_no_hook(site: Path) -> None:
    install(site, "mine", "1.0", {"my_sitecustomize.py": b""})
    found = read_environment(site)
    assert (found.findings, found.undecided) == ((), ())


def test_knows_files_by_their_content_alone(site: Path) -> None:
    (site / "distutils-precedence.pth").write_bytes(b"import _distutils_hack_\n")
    assert rules(read_environment(site)) == [("startup-code", "distutils-precedence.pth:1")]


def test_a_directory_that_is_added_is_undecided_unless_an_editable_install_explains_it(site: Path) -> None:
    (site / "more.pth").write_bytes(b"/srv/code\n")
    assert "another directory importable" in reasons(read_environment(site))[0]
    (site / "more.pth").unlink()
    editable = {"url": "file:///srv/code", "dir_info": {"editable": True}}
    install(site, "mine", "1.0", {"_mine.pth": b"/srv/code\n"}, direct_url=editable)
    found = read_environment(site)
    assert not found.undecided
    assert [pin.name for pin in found.pins if pin.doubt] == ["mine"]
    (site / "_mine.pth").write_bytes(b"/srv/code\nimport os\n")
    assert ("startup-code", "_mine.pth:2") in rules(read_environment(site))


def test_a_start_file_that_cannot_be_read_is_undecided(site: Path) -> None:
    (site / "loop.pth").symlink_to("loop.pth")
    assert "cannot be read" in reasons(read_environment(site))[0]


# --- what is under the digest is judged ----------------------------------------------------------------------------


def test_metadata_at_the_root_of_a_venv_hides_no_site(site: Path) -> None:
    install(venv(site), "x", "1", {})
    found = read_environment(venv(site))
    assert {pin.name for pin in found.pins} == {"demo-pkg", "x"}
    assert [(one.location, "inside another site" in one.reason) for one in found.undecided] == [
        ("lib/python3.11/site-packages", True)
    ]


def test_every_site_of_an_environment_is_audited(site: Path) -> None:
    for number, place in enumerate(("lib64/python3.12", "lib/pypy3.10", "lib/python3", "local/lib/python3.11")):
        kind = "dist-packages" if place == "lib/python3" else "site-packages"
        install(venv(site) / place / kind, f"other{number}", "1.0")
    found = read_environment(venv(site))
    assert {pin.name for pin in found.pins} == {"demo-pkg", *(f"other{number}" for number in range(4))}
    assert not found.undecided


def rename(info: Path, name: str) -> None:
    record = info / "RECORD"
    record.write_text(record.read_text().replace(info.name, name))
    info.rename(info.with_name(name))


@pytest.mark.parametrize(
    "name",
    ["side-1.0.DIST-INFO", "Side-1.0.Dist-Info", "side.dist-info", ".dist-info", "-1.dist-info", "SIDE.EGG-INFO"],
)
def test_what_python_lists_as_installed_is_audited(site: Path, name: str) -> None:
    rename(install(site, "side", "1.0"), name)
    listed = {one.name.lower().replace("_", "-") for one in metadata.distributions(path=[str(site)])}
    assert listed == {"demo-pkg", "side"}
    assert {pin.name for pin in read_environment(site).pins} == listed


@pytest.mark.parametrize("name", ["side-1.0-py3.11.EGG", "side.Egg-Link", "EGG-INFO", "egg-info"])
def test_what_is_left_of_eggs_is_undecided(site: Path, name: str) -> None:
    (site / name).mkdir()
    assert "as an egg" in reasons(read_environment(site))[0]


def test_an_egg_that_is_handed_in_is_no_harmless_site(tmp_path: Path) -> None:
    egg = tmp_path / "side-1.0-py3.11.egg"
    (egg / "EGG-INFO").mkdir(parents=True)
    (egg / "EGG-INFO" / "PKG-INFO").write_text("Name: side\nVersion: 1.0\n")
    install(egg, "fine", "1.0")
    assert {one.name for one in metadata.distributions(path=[str(egg)])} == {"side", "fine"}
    assert "as an egg" in reasons(read_environment(egg))[0]


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
def test_two_kinds_of_metadata_must_say_the_same(site: Path, kind: str) -> None:
    info = site / f"side-1.0.{kind}"
    info.mkdir()
    (info / "METADATA").write_text("Name: side\nVersion: 1.0\n")
    (info / "PKG-INFO").write_text("Name: side\nVersion: 1.0\nSummary: words\n")
    assert "side" in {pin.name for pin in read_environment(site).pins}
    (info / "PKG-INFO").write_text("Name: side\nVersion: 2.0\n")
    assert "different packages or versions" in reasons(read_environment(site))[0]


@pytest.mark.parametrize(
    "name", ["x.py", "x.pyc", "x.PYC", "x.cpython-311-x86_64-linux-gnu.so", "libx.so.1.2", "x.pyd", "x.pyw", "a/b/x.py"]
)
def test_code_that_no_record_names_is_undecided(site: Path, name: str) -> None:
    add(site / name)
    (found,) = read_environment(venv(site)).undecided
    assert found.location == f"lib/python3.11/site-packages/{name.partition('/')[0]}"
    assert f"{name}, 1 in all" in found.reason


def test_a_package_whose_metadata_was_deleted_is_undecided(site: Path) -> None:
    shutil.rmtree(install(site, "pillow", "9.0.0", {"PIL/__init__.py": b"", "PIL/_imaging.abi3.so": b"\x7fELF"}))
    (found,) = read_environment(site).undecided
    assert found.location == "site-packages/PIL"
    assert "2 in all" in found.reason


def test_a_row_without_a_hash_answers_for_no_code(site: Path) -> None:
    add(site / "extra.py")
    record = site / "Demo_Pkg-1.0+cu121.dist-info" / "RECORD"
    record.write_text(record.read_text() + "extra.py,,\n")
    assert "no RECORD has the hash" in reasons(read_environment(site))[0]


def test_metadata_that_python_does_not_list_answers_for_no_code(site: Path) -> None:
    install(site / "vendored", "pillow", "9.0.0")
    assert "no RECORD has the hash" in reasons(read_environment(site))[0]


def test_a_distribution_of_one_site_may_record_files_of_another(site: Path) -> None:
    other = venv(site) / "lib64" / "python3.11" / "site-packages"
    install(site, "split", "1.0", {"../../../lib64/python3.11/site-packages/split.abi3.so": b"\x7fELF"})
    assert (other / "split.abi3.so").exists()
    assert not read_environment(venv(site)).undecided


@pytest.mark.parametrize("name", ["__init__.cpython-311.pyc", "__init__.cpython-313.opt-1.pyc"])
def test_byte_code_counts_as_recorded_beside_its_source_alone(site: Path, name: str) -> None:
    add(site / "demo_pkg" / "__pycache__" / name, b"")
    assert not read_environment(site).undecided
    add(site / "demo_pkg" / "__pycache__" / name.replace("__init__", "gone"), b"")
    add(site / "demo_pkg" / name, b"")
    assert "2 in all" in reasons(read_environment(site))[0]
    add(site / "demo_pkg" / "__pycache__" / "__init__.pyc", b"")
    assert "3 in all" in reasons(read_environment(site))[0]


def test_names_some_of_much_code_that_no_record_names(site: Path) -> None:
    for number in range(9):
        add(site / f"m{number}.py")
    found = reasons(read_environment(site))
    assert len(found) == 5
    assert all("(9 such names)" in reason for reason in found)


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_refuses_what_is_no_environment(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "file":
        path.write_text("")
    elif kind == "empty":
        path.mkdir()
    with pytest.raises(InputError):
        read_environment(path)


def test_refuses_more_than_the_limits(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(recorded, "MAX_ROWS", 1)
        assert "more than 1 rows" in reasons(read_environment(site))[0]
    with monkeypatch.context() as patch:
        patch.setattr(installed, "MAX_RECORD", 1)
        assert "RECORD is larger" in reasons(read_environment(site))[0]
    with monkeypatch.context() as patch:
        patch.setattr(environment, "MAX_SITES", 0)
        with pytest.raises(InputError, match="more than 0 sites"):
            read_environment(site)
    with monkeypatch.context() as patch:
        patch.setattr(environment_listing, "MAX_ENTRIES", 3)
        with pytest.raises(InputError, match="more than 3 files and directories"):
            read_environment(site)
    monkeypatch.setattr(environment, "MAX_DISTRIBUTIONS", 0)
    with pytest.raises(InputError, match="more than 0"):
        read_environment(site)


PLACES = st.sampled_from(["a.pth", "a.start", "demo-1.0.dist-info/RECORD", "demo-1.0.dist-info/METADATA"])


@given(st.binary(max_size=80), PLACES)
def test_any_bytes_are_read_or_undecided(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    site = tmp_path_factory.mktemp("site-packages")
    install(site, "demo", "1.0")
    (site / name).write_bytes(data)
    read_environment(site)


PIPES = ["a.pth", "demo-1.0.dist-info/METADATA", "demo-1.0.dist-info/RECORD", "demo/__init__.py"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_does_not_hold_the_audit(tmp_path: Path, name: str) -> None:
    install(tmp_path, "demo", "1.0")
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    assert read_environment(tmp_path).undecided


@pytest.mark.timeout(20)
def test_hostile_metadata_takes_no_quadratic_time(site: Path) -> None:
    info = install(site, "side", "1.0")
    (info / "METADATA").write_bytes(b"Name: side" + b" " * 1_000_000 + b"x\nVersion: 1.0\n")
    (info / "RECORD").write_bytes(b"\n" * 1_000_000)
    assert read_environment(site).undecided


@pytest.mark.parametrize("name", ["google", "google.cloud", "a.b.c"])
def test_knows_how_setuptools_made_namespace_packages(site: Path, name: str) -> None:
    line = namespace_line(name)
    (site / "google-nspkg.pth").write_text(f"{line}\n{namespace_line('google')}\n")
    assert not read_environment(site).findings
    for changed in (f"{line};__import__('x')", line.replace("types", "os", 1), line.replace(f"'{name}'", "'other'", 1)):
        (site / "google-nspkg.pth").write_text(changed)
        assert rules(read_environment(site)) == [("startup-code", "google-nspkg.pth:1")]


def test_the_finder_of_an_editable_install_is_no_finding_there_only(site: Path) -> None:
    line = b"import __editable___mine_1_finder; __editable___mine_1_finder.install()"
    editable = {"url": "file:///srv/code", "dir_info": {"editable": True}}
    install(site, "mine", "1.0", {"__editable__.mine-1.pth": line}, direct_url=editable)
    assert not read_environment(site).findings
    (site / "other.pth").write_bytes(line)
    assert rules(read_environment(site)) == [("startup-code", "other.pth:1")]
    (site / "other.pth").unlink()
    (site / "__editable__.mine-1.pth").write_bytes(line + b"; import os")
    assert ("startup-code", "__editable__.mine-1.pth:1") in rules(read_environment(site))


@pytest.mark.parametrize("again", [True, False])
def test_byte_code_of_a_wheel_that_pip_made_anew_is_recorded_twice_and_no_change(site: Path, *, again: bool) -> None:
    """numpy's wheels for CPython 3.11 bring one such file; whoever else changes one has it recorded once."""
    info = install(site, "coded", "1.0", {"coded/one.py": b"x = 1\n", "coded/__pycache__/one.cpython-311.pyc": b"old"})
    (site / "coded/__pycache__/one.cpython-311.pyc").write_bytes(b"new")
    if again:
        record = info / "RECORD"
        record.write_text(record.read_text() + "coded/__pycache__/one.cpython-311.pyc,,\n")
    assert bool(read_environment(site).findings) is not again
