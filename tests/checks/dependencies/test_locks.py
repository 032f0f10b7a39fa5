from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.dependencies.check import reader_for
from weighbridge.checks.dependencies.inventory import GAP, MAX_PATH, Inventory, natural_roots, paths_from_roots
from weighbridge.checks.dependencies.sources import lock as module
from weighbridge.checks.dependencies.sources.poetrylock import parse_poetry_lock
from weighbridge.checks.dependencies.sources.pylock import parse_pylock
from weighbridge.checks.dependencies.sources.uvlock import parse_uv_lock
from weighbridge.errors import InputError, ParseError

UV = """
version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["app", "side"]

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "Requests" }, { name = "torch", version = "2.3.0+cpu", marker = "sys_platform == 'x'" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "side"
version = "0.1.0"
source = { editable = "packages/side" }

[[package]]
name = "requests"
version = "2.31.0"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "urllib3" }]

[[package]]
name = "urllib3"
version = "2.0.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "torch"
version = "2.3.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "torch"
version = "2.3.0+cpu"
source = { registry = "https://index.example/whl" }

[[package]]
name = "pytest"
version = "8.0.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "patched"
version = "1.0"
source = { git = "https://example.org/patched?rev=main#abcdef" }

[[package]]
name = "local"
version = "1.0"
source = { editable = "../local" }

[[package]]
name = "dynamic"
source = { directory = "vendor/dynamic" }
"""

POETRY = """
[[package]]
name = "flask"
version = "2.0.0"
description = "x"
optional = false
python-versions = ">=3.8"
files = []

[package.dependencies]
Jinja2 = ">=3.0"
colorama = {version = "*", markers = "sys_platform == \\"win32\\""}

[[package]]
name = "jinja2"
version = "3.0.0"

[[package]]
name = "colorama"
version = "0.4.6"

[[package]]
name = "inside"
version = "1.0"

[package.source]
type = "git"
url = "https://example.org/inside.git"

[[package]]
name = "private"
version = "1.0"

[package.source]
type = "legacy"
url = "https://index.example/simple"

[metadata]
lock-version = "2.1"
python-versions = "^3.11"
content-hash = "x"
"""

PYLOCK = """
lock-version = "1.0"
created-by = "test"
extras = ["gpu"]
dependency-groups = ["dev"]

[[packages]]
name = "attrs"
version = "25.1.0"
[[packages.wheels]]
url = "https://index.example/attrs-25.1.0-py3-none-any.whl"
hashes = {sha256 = "aa"}

[[packages]]
name = "cattrs"
version = "24.1.2"
dependencies = [{name = "attrs"}]

[[packages]]
name = "elsewhere"
version = "1.0"
marker = "sys_platform == 'elsewhere'"

[[packages]]
name = "optional"
version = "1.0"
marker = "'gpu' in extras or 'dev' in dependency_groups"

[[packages]]
name = "strange"
version = "1.0"
marker = "this is no marker"

[[packages]]
name = "from-git"
vcs = {type = "git", url = "https://example.org/x", commit-id = "abc"}

[[packages]]
name = "from-url"
version = "1.0"
archive = {url = "https://example.org/x.tar.gz", hashes = {sha256 = "aa"}}

[[packages]]
name = "itself"
directory = {path = ".", editable = true}

[[packages]]
name = "beside"
directory = {path = "../beside"}
"""


def pins(found: Inventory) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(pin.name, pin.version): pin.path for pin in found.pins}


def doubts(found: Inventory) -> dict[str, str]:
    return {pin.name: pin.doubt for pin in found.pins if pin.doubt}


def test_reads_a_lock_of_uv() -> None:
    found = parse_uv_lock(UV.encode(), name="uv.lock")
    assert pins(found) == {
        ("requests", "2.31.0"): ("app", "requests"),
        ("urllib3", "2.0.0"): ("app", "requests", "urllib3"),
        ("torch", "2.3.0"): ("torch",),
        ("torch", "2.3.0+cpu"): ("app", "torch"),
        ("pytest", "8.0.0"): ("app", "pytest"),
        ("patched", "1.0"): ("patched",),
        ("local", "1.0"): ("local",),
    }
    assert set(doubts(found)) == {"patched", "local"}
    assert [entry.reason.split()[0] for entry in found.undecided] == ["dynamic"]
    assert found.passed_over == 2
    line = UV.splitlines().index('name = "requests"')  # the header of its table stands one line above
    assert found.pins[0].location == f"uv.lock:{line}"


def test_reads_a_lock_of_poetry() -> None:
    found = parse_poetry_lock(POETRY.encode(), name="poetry.lock")
    assert pins(found) == {
        ("flask", "2.0.0"): ("flask",),
        ("jinja2", "3.0.0"): ("flask", "jinja2"),
        ("colorama", "0.4.6"): ("flask", "colorama"),
        ("inside", "1.0"): ("inside",),
        ("private", "1.0"): ("private",),
    }
    assert set(doubts(found)) == {"inside"}


def test_reads_a_lock_of_pep_751() -> None:
    found = parse_pylock(PYLOCK.encode(), name="pylock.toml")
    assert pins(found) == {
        ("attrs", "25.1.0"): ("cattrs", "attrs"),
        ("cattrs", "24.1.2"): ("cattrs",),
        ("optional", "1.0"): ("optional",),
        ("strange", "1.0"): ("strange",),
        ("from-url", "1.0"): ("from-url",),
    }
    assert set(doubts(found)) == {"strange", "from-url"}
    assert [entry.reason.split()[0] for entry in found.undecided] == ["from-git", "beside"]
    assert found.passed_over == 2


TWO_FORMATS = {
    ("uv.lock", "pylock.toml"): 'version = 1\nlock-version = "1.0"\npackage = []\npackages = []\n',
    ("uv.lock", "poetry.lock"): 'version = 1\npackage = []\n[metadata]\nlock-version = "2.1"\n',
    (
        "poetry.lock",
        "pylock.toml",
    ): 'lock-version = "1.0"\npackage = []\npackages = []\n[metadata]\nlock-version = "2.1"\n',
}


@pytest.mark.parametrize("names", TWO_FORMATS)
def test_one_lock_has_one_reading_whatever_it_is_called(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, other in (names, names[::-1]):
        path = tmp_path / name
        path.write_text(TWO_FORMATS[names])
        with pytest.raises(ParseError, match=f"its content is that of {other}"):
            reader_for(path)(path)


def test_a_pin_for_another_python_is_judged_unless_the_lock_excludes_that_python() -> None:
    text = (
        'lock-version = "1.0"\n[[packages]]\nname = "torch"\nversion = "1.13.0"\nmarker = "python_version < \'3.9\'"\n'
    )
    assert pins(parse_pylock(text.encode(), name="p")) == {("torch", "1.13.0"): ("torch",)}
    bounded = 'requires-python = ">=3.9"\n' + text
    assert parse_pylock(bounded.encode(), name="p").passed_over == 1
    with pytest.raises(ParseError, match="requires-python"):
        parse_pylock(('requires-python = "new"\n' + text).encode(), name="p")


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pylock.toml", "pylock.gpu.toml"])
def test_knows_a_format_by_its_name(tmp_path: Path, name: str) -> None:
    text = UV if name == "uv.lock" else POETRY if name == "poetry.lock" else PYLOCK
    (tmp_path / name).write_text(text)
    assert reader_for(tmp_path / name)(tmp_path / name).pins


@pytest.mark.parametrize("name", ["Pipfile.lock", "pdm.lock", "conda-lock.yml", "pylock.a.b.toml", "UV.LOCK", "lock"])
def test_refuses_a_format_that_it_does_not_know(name: str) -> None:
    with pytest.raises(InputError, match="no lock format that is understood"):
        reader_for(Path(name))


PARSERS = [parse_uv_lock, parse_poetry_lock, parse_pylock]
Parser = Callable[..., Inventory]


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_uv_lock, "version = 2\n"),
        (parse_uv_lock, "version = '1'\n"),
        (parse_uv_lock, "package = []\n"),
        (parse_uv_lock, "version = 1\n[[package]]\nname = 'x'\nversion = '1'\n"),
        (parse_uv_lock, "version = 1\n[[package]]\nname = 'x'\nversion = 1\nsource = {registry = 'y'}\n"),
        (parse_poetry_lock, "[[package]]\nname = 'x'\nversion = '1'\n"),
        (parse_poetry_lock, "package = []\n[metadata]\nlock-version = '3.0'\n"),
        (parse_poetry_lock, "[[package]]\nname = 'x'\n[metadata]\nlock-version = '2.0'\n"),
        (parse_pylock, "lock-version = '2.0'\npackages = []\n"),
        (parse_pylock, "lock-version = '1.0'\n"),
        (parse_pylock, "lock-version = '1.0'\npackages = {}\n"),
    ],
)
def test_refuses_a_lock_of_another_format_or_with_gaps(parse: Parser, text: str) -> None:
    with pytest.raises(ParseError):
        parse(text.encode(), name="lock")


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("data", [b"\xff", b"a = ", b"a = " + b"[" * 100_000, b"a = 1\na = 2\n", b"\0"])
def test_refuses_what_is_no_toml(parse: Parser, data: bytes) -> None:
    with pytest.raises(ParseError, match="lock is not"):
        parse(data, name="lock")


@pytest.mark.parametrize("name", ["", "../../etc", "a b", "é", "x" * 300, "\\u001b[2J"])
def test_a_name_that_no_package_has_is_undecided(name: str) -> None:
    text = f'version = 1\n[[package]]\nname = "{name}"\nversion = "1"\nsource = {{registry = "y"}}\n'
    found = parse_uv_lock(text.encode(), name="uv.lock")
    assert not found.pins
    assert "cannot be looked up" in found.undecided[0].reason
    assert found.undecided[0].reason.isprintable()


def test_refuses_more_packages_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PACKAGES", 2)
    with pytest.raises(ParseError, match="more than 2 packages"):
        parse_uv_lock(UV.encode(), name="uv.lock")


def test_says_no_line_rather_than_a_wrong_one() -> None:
    text = "version = 1\npackage = [{name = 'demo', version = '1', source = {registry = 'y'}}]\n"
    assert parse_uv_lock(text.encode(), name="uv.lock").pins[0].location == "uv.lock#demo"


def test_a_cycle_has_a_path_too() -> None:
    text = "lock-version = '1.0'\n" + "".join(
        f"[[packages]]\nname = '{one}'\nversion = '1'\ndependencies = [{{name = '{other}'}}]\n"
        for one, other in (("a", "b"), ("b", "a"), ("self", "self"))
    )
    assert pins(parse_pylock(text.encode(), name="pylock.toml")) == {
        ("a", "1"): ("a",), ("b", "1"): ("b",), ("self", "1"): ("self",),
    }  # fmt: skip


nodes = st.sampled_from("abcdef")


@given(st.dictionaries(nodes, st.lists(nodes, max_size=4)))
def test_a_path_is_made_of_edges_from_a_root(edges: dict[str, list[str]]) -> None:
    roots = natural_roots(edges)
    for node, path in paths_from_roots(edges, roots).items():
        assert path[0] in roots
        assert path[-1] == node
        assert all(after in edges[before] for before, after in pairwise(path))
        assert len(set(path)) == len(path)


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in PARSERS:
        for prefix in ("", "version = 1\n", "lock-version = '1.0'\n"):
            try:
                parse((prefix + text).encode(), name="lock")
            except ParseError:
                continue


def test_a_long_chain_keeps_its_ends() -> None:
    edges = {str(number): [str(number + 1)] for number in range(5_000)}
    path = paths_from_roots(edges, ["0"])["5000"]
    assert (path[0], path[1], path[-1], len(path)) == ("0", GAP, "5000", MAX_PATH)
    table = "[[packages]]\nname = 'p{0}'\nversion = '1'\ndependencies = [{{name = 'p{1}'}}]\n"
    text = "lock-version = '1.0'\n" + "".join(table.format(one, one + 1) for one in range(100))
    assert parse_pylock(text.encode(), name="pylock.toml").pins[-1].path[:2] == ("p0", GAP)


def test_refuses_more_connections_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EDGES", 3)
    with pytest.raises(ParseError, match="more than 3 connections"):
        parse_uv_lock(UV.encode(), name="uv.lock")


def test_a_marker_that_nests_too_deep_is_doubted() -> None:
    marker = "(" * 5_000 + "os_name == 'x'" + ")" * 5_000
    text = f'lock-version = "1.0"\n[[packages]]\nname = "demo"\nversion = "1"\nmarker = "{marker}"\n'
    assert "cannot be evaluated" in parse_pylock(text.encode(), name="pylock.toml").pins[0].doubt


def one_of_pylock(entry: str, *, top: str = "", version: str = "1.0") -> Inventory:
    text = f'lock-version = "1.0"\n{top}\n[[packages]]\nname = "demo"\nversion = "{version}"\n{entry}\n'
    return parse_pylock(text.encode(), name="pylock.toml")


def one_of_uv(entry: str, *, version: str = "1.0") -> Inventory:
    text = f'version = 1\n[[package]]\nname = "demo"\nversion = "{version}"\n{entry}\n'
    return parse_uv_lock(text.encode(), name="uv.lock")


@pytest.mark.parametrize(
    ("top", "marker"),
    [
        ('requires-python = "==3.11.7"', "python_version >= '3'"),
        ('requires-python = ">3.11.0,<3.11.9"', "os_name == 'posix'"),
        ('requires-python = ">=4"', "os_name == 'posix'"),
        ("", "python_full_version == '3.11.7'"),
        ('extras = ["gpu"]', "'gpu' not in extras"),
        ('extras = ["gpu", "cpu"]', "'gpu' in extras and 'CPU' not in extras"),
        ('dependency-groups = ["dev"]\ndefault-groups = ["main"]', "'dev' not in dependency_groups"),
        (
            f"extras = {[f'e{number}' for number in range(20)]}",
            " and ".join(f"'e{n}' not in extras" for n in range(20)),
        ),
    ],
)
def test_what_is_installed_for_some_python_or_choice_is_judged(top: str, marker: str) -> None:
    found = one_of_pylock(f'marker = "{marker}"', top=top)
    assert pins(found) == {("demo", "1.0"): ("demo",)}


def test_a_choice_that_no_installer_has_is_passed_over() -> None:
    assert (
        one_of_pylock("marker = \"'gpu' in extras and 'gpu' not in extras\"", top='extras = ["gpu"]').passed_over == 1
    )


@pytest.mark.parametrize(
    "source",
    ['registry = "https://index.example/simple", editable = "."', 'editable = ".", url = "https://x.example/x.whl"'],
)
def test_a_source_of_several_kinds_is_not_the_project_itself(source: str) -> None:
    assert "several places" in doubts(one_of_uv(f"source = {{ {source} }}"))["demo"]


def test_a_part_of_a_source_is_no_place_of_its_own() -> None:
    assert "comes from git," in doubts(one_of_uv('source = { git = "https://x.example", subdirectory = "a" }'))["demo"]


@pytest.mark.parametrize(
    "entry",
    [
        'directory = {path = "."}\nwheels = [{name = "demo-1.0-py3-none-any.whl"}]',
        'directory = {path = "."}\nvcs = {type = "git"}',
        'directory = {path = "."}\narchive = {url = "https://x.example/x.zip"}',
    ],
)
def test_an_entry_of_several_kinds_is_not_the_project_itself(entry: str) -> None:
    assert "several places" in doubts(one_of_pylock(entry))["demo"]


@pytest.mark.parametrize("place", ["wheels", "file:///srv/wheels", "http://index.example/simple"])
def test_a_registry_that_nobody_checks_needs_hashes(place: str) -> None:
    file = "https://files.example/demo-1.0-py3-none-any.whl"
    bare = f'source = {{ registry = "{place}" }}\nwheels = [{{ url = "{file}" }}]'
    assert "under no digest" in doubts(one_of_uv(bare))["demo"]
    assert not doubts(one_of_uv(bare.replace(".whl", '.whl", hash = "sha256:aa')))
    assert not doubts(one_of_uv(bare.replace(f'"{place}"', '"https://index.example/simple"')))


@pytest.mark.parametrize("place", ['path = "w/', 'path = "https://', 'url = "http://x.example/', 'url = "file:///srv/'])
def test_a_file_that_nobody_checks_needs_a_hash(place: str) -> None:
    bare = f'wheels = [{{ {place}demo-1.0-py3-none-any.whl" }}]'
    for read in (one_of_pylock, lambda text: one_of_uv(f'source = {{ registry = "https://x.example" }}\n{text}')):
        assert "under no digest" in doubts(read(bare))["demo"]
        assert not doubts(read(bare.replace(" }", ', hash = "sha256:aa" }').replace("{ {", "{{")))


FILES = [
    ("1.0", "https://x.example/demo-1.0-py3-none-any.whl", True),
    ("1.0", "https://x.example/Demo-1.0.tar.gz#part", True),
    ("2.3.0+cpu", "https://x.example/demo-2.3.0%2Bcpu-cp311-cp311-linux_x86_64.whl", True),
    ("1.0.post1", "https://x.example/demo-1.0-1.tar.gz", True),
    ("1.0", "https://x.example/demo-0.9-py3-none-any.whl", False),
    ("1.0", "https://x.example/other-1.0-py3-none-any.whl", False),
    ("1.0", "https://x.example/demo-0.9.tar.gz", False),
    ("1.0", "https://x.example/other-demo-1.0.tar.gz", False),
    ("1.0", "https://x.example/demo-0.9-1.0-py3-none-any.whl", False),
    ("1.0", "https://x.example/latest", False),
    ("1.0", "https://[x/demo-1.0.tar.gz", False),
]


@pytest.mark.parametrize(("version", "url", "fits"), FILES)
def test_a_file_must_say_that_it_is_of_the_locked_release(version: str, url: str, *, fits: bool) -> None:
    source = 'source = { registry = "https://x.example/simple" }\n'
    for key in (f'wheels = [{{ url = "{url}" }}]', f'sdist = {{ url = "{url}" }}'):
        assert bool(doubts(one_of_uv(source + key, version=version))) is not fits
        assert bool(doubts(one_of_pylock(key, version=version))) is not fits


def test_every_name_of_a_file_must_say_it() -> None:
    both = 'wheels = [{ name = "demo-1.0-py3-none-any.whl", url = "https://x.example/demo-0.9-py3-none-any.whl" }]'
    assert "'demo-0.9-py3-none-any.whl' does not say" in doubts(one_of_pylock(both))["demo"]
