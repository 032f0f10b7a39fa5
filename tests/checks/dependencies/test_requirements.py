from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.dependencies.inventory import Inventory
from weighbridge.checks.dependencies.sources import requirement_lines, requirement_tree
from weighbridge.checks.dependencies.sources.requirement_lines import lines
from weighbridge.checks.dependencies.sources.requirement_tree import bytes_to_bind, included_files
from weighbridge.checks.dependencies.sources.requirements import read_requirements
from weighbridge.checks.interface import CheckRequest, DependencyAuditOptions
from weighbridge.errors import InputError, ParseError

HASH = "--hash=sha256:" + "a" * 64


def read(folder: Path, text: str | bytes, **others: str) -> Inventory:
    for name, content in others.items():
        target = folder / name.replace("__", "/").replace("_txt", ".txt")
        target.parent.mkdir(exist_ok=True)
        target.write_text(content)
    path = folder / "requirements.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_requirements(path)


def pins(found: Inventory) -> list[tuple[str, str, str]]:
    return [(pin.name, pin.version, pin.location.removeprefix("requirements.txt:")) for pin in found.pins]


def test_reads_exact_pins_with_hashes_continuations_and_comments(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f"# a comment \\\n\nFlask_Login==1.0  # why\n"
        f"torch==2.3.0+cu121 \\\n    {HASH} \\\n    --hash sha256:{'b' * 64}\n"
        f"numpy [extra] == 1.26.0 ; python_version >= '3.8' {HASH}\n"
        "weird===1.0-custom\nzope.interface==5.0,>=4\n",
    )
    assert pins(found) == [
        ("flask-login", "1.0", "3"),
        ("torch", "2.3.0+cu121", "4"),
        ("numpy", "1.26.0", "7"),
        ("weird", "1.0-custom", "8"),
        ("zope-interface", "5.0", "9"),
    ]
    assert not found.undecided
    assert found.inputs[0].rows == 5


def test_a_comment_line_ends_what_it_continues(tmp_path: Path) -> None:
    assert pins(read(tmp_path, "demo==1.0 \\\n# gone\nother==2.0\n")) == [("demo", "1.0", "1"), ("other", "2.0", "3")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("demo", "not pinned"),
        ("demo>=1.0", "not pinned"),
        ("demo==1.*", "not pinned"),
        ("demo~=1.0", "not pinned"),
        ("demo==1.0,==2.0", "contradict"),
        ("demo==1.0,>2", "contradict"),
        ("demo @ https://example.org/demo-1.0-py3-none-any.whl", "comes from a URL"),
        ("demo @ git+https://example.org/demo@abcdef", "comes from a URL"),
        ("git+https://example.org/demo@abcdef#egg=demo", "a file, directory or URL"),
        ("https://example.org/demo-1.0.tar.gz", "a file, directory or URL"),
        ("./wheels/demo-1.0-py3-none-any.whl", "a file, directory or URL"),
        ("demo-1.0-py3-none-any.whl", "a file, directory or URL"),
        ("../demo", "a file, directory or URL"),
        ("/srv/demo", "a file, directory or URL"),
        ("-e .", "editable"),
        ("--editable=git+https://example.org/demo#egg=demo", "editable"),
        ("demo==${VERSION}", "environment variable"),
        ("demo==1.0 ; platform_whatever == 'x'", "is no requirement"),
        ("demo==1.0 --unknown=1", "is not known"),
        ("--made-up-option", "is not known"),
        ("--index-url", "has no value"),
        ("-r", "has no value"),
        ("demo===", "is no requirement"),
        ("demo = 1.0", "is no requirement"),
        ("--find-links 'unclosed", "quoting"),
        ("dämon==1.0", "is no requirement"),
    ],
)
def test_what_is_not_one_release_of_an_index_is_undecided(tmp_path: Path, line: str, why: str) -> None:
    found = read(tmp_path, f"fine==1.0\n{line}\n")
    assert [entry.location for entry in found.undecided] == ["requirements.txt:2"]
    assert why in found.undecided[0].reason


def test_evaluates_markers_for_where_models_are_served(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "here==1.0; sys_platform == 'linux'\nthere==1.0; sys_platform == 'win32'\n"
        "old==1.0; python_version < '3'\nextra==1.0; extra == 'test'\n",
    )
    assert pins(found) == [("here", "1.0", "1")]
    assert (found.passed_over, found.undecided) == (3, ())


@pytest.mark.parametrize(
    "marker",
    [
        "python_version < '3.11'",
        "python_version >= '3.14'",
        "python_full_version < '3.12.4'",
        "platform_machine == 'aarch64'",
        "platform_release >= '6'",
    ],
)
def test_whose_python_runs_the_audit_leaves_no_pin_out(tmp_path: Path, marker: str) -> None:
    found = read(tmp_path, f"torch==1.13.0 ; {marker}\nloose>=1 ; {marker}\n")
    assert pins(found) == [("torch", "1.13.0", "1")]
    assert [entry.location for entry in found.undecided] == ["requirements.txt:2"]


def test_reads_nested_files_with_their_own_locations(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "-r sub/base.txt\n--requirement=more.txt\ntop==1.0\n",
        sub__base_txt="base==1.0\n-r ../more.txt\n-r ../requirements.txt\n",
        more_txt="more==1.0\nopen\n",
    )
    assert [(pin.name, pin.location) for pin in found.pins] == [
        ("base", "sub/base.txt:1"),
        ("more", "more.txt:1"),
        ("top", "requirements.txt:3"),
    ]
    assert [entry.location for entry in found.undecided] == ["more.txt:2"]
    assert [entry.name for entry in found.inputs] == ["requirements.txt"]


def test_a_constraint_pins_what_a_requirement_leaves_open(tmp_path: Path) -> None:
    found = read(tmp_path, "demo>=1\n-c limits.txt\n", limits_txt="demo==1.5\nbelow==2.0\nbound<3\n")
    assert {(pin.name, pin.version) for pin in found.pins} == {("demo", "1.5"), ("below", "2.0")}
    assert not found.undecided


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-r missing.txt", "No such file"),
        ("-r ../outside.txt", "outside the directory"),
        ("-r /etc/passwd.txt", "not a relative path"),
        ("-c https://example.org/limits.txt", "not a relative path"),
        ("-r link.txt", "outside the directory"),
        ("-r key.pem", "does not end in"),
        ("-r masked.txt", "does not end in"),
        ("-r .", "does not end in"),
    ],
)
def test_never_reads_outside_its_directory_or_a_file_of_another_kind(tmp_path: Path, line: str, why: str) -> None:
    inner = tmp_path / "project"
    inner.mkdir()
    (tmp_path / "outside.txt").write_text("secret==1.0\n")
    (inner / "key.pem").write_text("secret==1.0\n")
    (inner / "link.txt").symlink_to(tmp_path / "outside.txt")
    (inner / "masked.txt").symlink_to(inner / "key.pem")
    found = read(inner, f"{line}\n")
    assert not found.pins
    assert why in found.undecided[0].reason
    assert included_files(inner / "requirements.txt") == ()


def test_a_worker_may_read_exactly_what_is_included(tmp_path: Path) -> None:
    read(tmp_path, "-r a.txt\n-c b.txt\n-r none.txt\n", a_txt="-r b.txt\n-r a.txt\n-r requirements.txt\n", b_txt="")
    main = str(tmp_path / "requirements.txt")
    assert set(included_files(Path(main))) == {tmp_path / "a.txt", tmp_path / "b.txt"}
    options = DependencyAuditOptions(advisories="/advisories", requirements=(main,))
    assert set(CheckRequest(model="/model", options=options).readable()) == {
        Path("/advisories"), Path(main), tmp_path / "a.txt", tmp_path / "b.txt",
    }  # fmt: skip


def digest(folder: Path, name: str = "requirements.txt") -> str:
    """The digest that the audit reports, which is that of the bytes that are bound and signed."""
    (found,) = read_requirements(folder / name).inputs
    assert found.sha256 == hashlib.sha256(bytes_to_bind(folder / name)).hexdigest()
    return found.sha256


def test_the_digest_of_a_file_that_includes_nothing_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "any.txt").write_text("fine==1.0\n")
    assert digest(tmp_path, "any.txt") == hashlib.sha256(b"fine==1.0\n").hexdigest()


def test_sha256sum_computes_the_digest_of_what_includes_others(tmp_path: Path) -> None:
    read(tmp_path, "-r sub/b.txt\n-c a.txt\n", sub__b_txt="b==1\n-r ../c.txt\n", a_txt="a==1\n", c_txt="c==1\n")
    command = "sha256sum requirements.txt a.txt c.txt sub/b.txt | sha256sum"
    told = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert digest(tmp_path) == told.stdout.split()[0]


def test_the_digest_says_which_file_is_the_root(tmp_path: Path) -> None:
    read(tmp_path, "-c a.txt\nloose\n", a_txt="-r requirements.txt\nloose==1.0\n")
    assert digest(tmp_path) != digest(tmp_path, "a.txt")


def test_the_digest_says_which_bytes_each_name_has(tmp_path: Path) -> None:
    read(tmp_path, "-r a.txt\n-c b.txt\n", a_txt="a==1\n", b_txt="b==1\n")
    before = digest(tmp_path)
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    (tmp_path / "c.txt").rename(tmp_path / "a.txt")
    assert digest(tmp_path) != before


def test_a_link_is_what_it_is_named_as_and_holds(tmp_path: Path) -> None:
    # As Kubernetes mounts a ConfigMap: the name stays, what it leads to has another name each time.
    (tmp_path / "..data").mkdir()
    held = {"..data__base_txt": "-r more.txt\nbase==1.0\n", "more_txt": "more==1.0\n"}
    assert read(tmp_path, "-r base.txt\n", **held).undecided
    (tmp_path / "base.txt").symlink_to("..data/base.txt")
    linked = digest(tmp_path)
    assert [name for name, _, _ in pins(read_requirements(tmp_path / "requirements.txt"))] == ["more", "base"]
    (tmp_path / "base.txt").unlink()
    (tmp_path / "..data" / "base.txt").rename(tmp_path / "base.txt")
    assert digest(tmp_path) == linked


@pytest.mark.parametrize("name", ["==1.0;.txt", "a\\b.txt", "a@b.txt"])
def test_a_name_that_no_list_of_sums_can_hold_is_undecided(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("fine==1.0\n")
    (tmp_path / "fine.txt").write_text("fine==1.0\n")
    assert "cannot stand in a list" in read(tmp_path, f"-r '{name}'\n").undecided[0].reason
    (tmp_path / name).write_text("-r fine.txt\n")
    assert "cannot stand in a list" in read_requirements(tmp_path / name).undecided[0].reason


def test_what_could_never_be_judged_is_neither_bound_nor_signed(tmp_path: Path) -> None:
    read(tmp_path, "fine==1.0\n-r missing.txt\n")
    with pytest.raises(InputError, match="could never be judged"):
        bytes_to_bind(tmp_path / "requirements.txt")


def test_a_path_that_leads_up_from_a_link_is_undecided(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/er")
    (tmp_path / "a.txt").write_text("fine==1.0\n")
    (tmp_path / "deep" / "a.txt").write_text("demo==1.0\n")
    assert "not every pip reads alike" in read(tmp_path, "-r link/../a.txt\n").undecided[0].reason


def test_a_file_that_changes_between_two_readings_is_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = iter([b"-r a.txt\n-c a.txt\n", b"fine==1.0\n", b"fine==2.0\n"])
    monkeypatch.setattr(requirement_tree, "read_input", lambda *_, **__: next(contents))
    assert "changed while it was read" in read_requirements(tmp_path / "requirements.txt").undecided[0].reason


@pytest.mark.parametrize("name", ["loop.txt", "nul\0.txt", "x" * 300 + ".txt"])
def test_a_name_that_leads_nowhere_is_undecided(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    assert read(tmp_path, f"-r {name}\n").undecided


def test_stops_at_a_number_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirement_tree, "MAX_FILES", 3)
    for number in range(6):
        (tmp_path / f"f{number}.txt").write_text(f"-r f{number + 1}.txt\n")
    found = read(tmp_path, "-r f0.txt\n")
    assert "more than 3 files" in found.undecided[0].reason
    assert included_files(tmp_path / "requirements.txt") == (tmp_path / "f0.txt", tmp_path / "f1.txt")


# --- options --------------------------------------------------------------------------------------------------------

EXTRA = "--extra-index-url https://internal.example/simple"
FINDING, UNDECIDED, NOTHING = "finding", "undecided", ""

OPTIONS = {
    "--extra-index-url https://internal.example/simple": FINDING,
    "--extra-index-url=https://internal.example/simple": FINDING,
    "--extra-index-url ./simple": UNDECIDED,
    "--extra-index-url file:///srv/simple": UNDECIDED,
    "--find-links https://internal.example/wheels.html": FINDING,
    "-fhttps://internal.example/wheels.html": FINDING,
    "--find-links ./wheels": UNDECIDED,
    "--find-links=file:///srv/wheels": UNDECIDED,
    "-f ~/wheels": UNDECIDED,
    "-f ftp://internal.example/wheels": UNDECIDED,
    "--no-index --find-links /srv/wheels": UNDECIDED,
    "--no-index": UNDECIDED,
    "--index-url https://internal.example/simple": NOTHING,
    "--pypi-url https://internal.example/simple": NOTHING,
    "-i /srv/simple": UNDECIDED,
    "--require-hashes": NOTHING,
    "--pre": NOTHING,
    "--all-releases :all:": NOTHING,
    "--only-final=demo": NOTHING,
    "--uploaded-prior-to 2026-01-01": NOTHING,
    "--no-binary :all:": NOTHING,
    "--only-binary=demo --pre": NOTHING,
    "--prefer-binary": NOTHING,
    "--use-feature fast-deps": NOTHING,
}
"""What each option that pip allows makes of one pinned requirement without a hash."""


def judged(found: Inventory) -> str:
    assert [finding.rule for finding in found.findings] in ([], ["index-confusion"])
    return FINDING if found.findings else UNDECIDED if found.undecided else NOTHING


@pytest.mark.parametrize(("option", "expected"), OPTIONS.items(), ids=OPTIONS.keys())
def test_packages_that_come_from_elsewhere_are_judged_unless_all_have_hashes(
    tmp_path: Path, option: str, expected: str
) -> None:
    for text in (f"{option}\ndemo==1.0\n", f"demo==1.0\n{option}\nother==1.0 {HASH}\n"):
        found = read(tmp_path, text)
        assert judged(found) == expected
        assert pins(found)[0][:2] == ("demo", "1.0")
        told = [finding.message for finding in found.findings] + [entry.reason for entry in found.undecided]
        assert all("(demo)" in words for words in told)
    assert judged(read(tmp_path, f"{option}\ndemo==1.0 {HASH}\n")) == NOTHING


def test_an_option_of_an_included_file_counts_for_all(tmp_path: Path) -> None:
    assert judged(read(tmp_path, "-r more.txt\ndemo==1.0\n", more_txt=f"--find-links ./wheels\nother==1.0 {HASH}\n"))


def test_names_some_of_many_packages_without_hashes(tmp_path: Path) -> None:
    (finding,) = read(tmp_path, EXTRA + "\n" + "".join(f"p{number}==1.0\n" for number in range(9))).findings
    assert "9 packages have no hash (p0, p1, p2, p3, p4 and 4 more)" in finding.message


@pytest.mark.parametrize(
    "option",
    [
        "--trusted-host internal.example",
        "-i http://internal.example/simple",
        "--extra-index-url HTTP://internal.example/simple",
        "-f http://internal.example/wheels",
    ],
)
def test_a_server_that_nobody_checks_is_a_finding_with_hashes_too(tmp_path: Path, option: str) -> None:
    found = read(tmp_path, f"{option}\ndemo==1.0 {HASH}\n")
    assert [finding.rule for finding in found.findings] == ["insecure-index"]
    found = read(tmp_path, f"{option}\ndemo==1.0\n")
    assert "insecure-index" in {finding.rule for finding in found.findings}


def test_indexes_are_listed(tmp_path: Path) -> None:
    found = read(tmp_path, f"{EXTRA}\n-i https://mirror.example/simple\ndemo==1.0\n")
    assert found.indexes == ("https://internal.example/simple", "https://mirror.example/simple")


@pytest.mark.parametrize("line", ["--no-require-hashes", "--process-dependency-links", "--find-link ./wheels"])
def test_options_under_which_hashes_are_not_enough_are_undecided(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{line}\ndemo==1.0 {HASH}\n").undecided


def test_passes_over_options_that_do_not_change_what_is_installed(tmp_path: Path) -> None:
    found = read(tmp_path, "demo==1.0 --config-settings='a=b' --global-option=x\n")
    assert (pins(found), found.undecided) == ([("demo", "1.0", "1")], ())


@pytest.mark.parametrize("data", [b"demo==1.0\xff", "demo==1.0".encode("utf-16"), b"\xff\xfed\x00"])
def test_refuses_bytes_that_are_not_utf_8(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ParseError, match="not UTF-8"):
        read(tmp_path, data)


@pytest.mark.parametrize("mark", ["utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le"])
def test_refuses_what_another_byte_order_mark_begins(tmp_path: Path, mark: str) -> None:
    with pytest.raises(ParseError, match="not UTF-8"):
        read(tmp_path, "\ufeffdemo==1.0\n".encode(mark))


@pytest.mark.parametrize(
    "start",
    [
        b"# -*- coding: utf-7 -*-\n",
        b"# first\n# vim: set fileencoding=latin-1 :\n",
        b"#coding=cp037\r\n",
        b"\xef\xbb\xbf# coding: utf-7\n",
        b"# coding: utf-8-sig\n",
        b"# coding: no.such.codec\n",
        b"# a\x0b\r# encoding:\t utf_7\n",
    ],
)
def test_refuses_a_comment_that_makes_pip_read_another_encoding(tmp_path: Path, start: bytes) -> None:
    with pytest.raises(ParseError, match="says that it is written in"):
        read(tmp_path, start + b"# reviewed 2026 +AAo-demo==1.0\nfine==1.0\n")
    (tmp_path / "base.txt").write_bytes(start)
    assert "says that it is written in" in read(tmp_path, "-r base.txt\n").undecided[0].reason


@pytest.mark.parametrize(
    "start", ["# coding: UTF-8\n", "# coding=utf_8", "#\n#\n# coding: utf-7\n", " # coding: utf-7\n", "# coding\n"]
)
def test_reads_what_pip_reads_as_utf_8(tmp_path: Path, start: str) -> None:
    assert pins(read(tmp_path, f"{start}\ndemo==1.0\n"))[0][:2] == ("demo", "1.0")


@pytest.mark.parametrize("line", ["-r a.txt -c b.txt", "-c b.txt --requirement=a.txt", "-r a.txt -r b.txt"])
def test_a_line_that_includes_several_files_is_undecided_since_pip_reads_one(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, f"{line}\n", a_txt="demo\n", b_txt="demo==1.0\n")
    assert "of which pip reads one" in " ".join(entry.reason for entry in found.undecided)


def test_reads_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    assert pins(read(tmp_path, b"\xef\xbb\xbfdemo==1.0\r\nother==2.0\r\n")) == [
        ("demo", "1.0", "1"),
        ("other", "2.0", "2"),
    ]


def test_refuses_what_is_over_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_requirements(tmp_path / "none.txt")
    monkeypatch.setattr(requirement_lines, "MAX_LINES", 2)
    with pytest.raises(ParseError, match="more than 2 lines"):
        read(tmp_path, "a==1\nb==1\nc==1\n")
    monkeypatch.setattr(requirement_lines, "MAX_LINES", 100)
    monkeypatch.setattr(requirement_lines, "MAX_LINE", 30)
    with pytest.raises(ParseError, match="longer than 30"):
        read(tmp_path, "a==1 \\\n" * 20)


@given(st.text(max_size=200))
def test_reads_any_text_without_a_traceback(text: str) -> None:
    list(lines(text, what="text"))


PARTS = ["demo", "==", "1.0", "\\\n", "\n", " ", "#", ";", "-r", "--hash=", "'", "@", "[", "]", "-e", "é"]


@given(st.lists(st.sampled_from(PARTS)))
def test_reads_any_mixture_without_a_traceback(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    found = read(folder, "".join(parts))
    assert all(pin.name and pin.version for pin in found.pins)


HOSTILE = {
    "continuations": "\\\n" * 199_000,
    "spaces": " " * 200_000 + "x",
    "comments": " #" * 100_000,
    "hashes": "demo==1.0 " + "#x" * 100_000,
    "variables": "$" + "{A" * 100_000,
    "a long name": "x" * 200_000,
    "commas": "demo==1.0" + ",==1.0" * 30_000,
    "parentheses": "demo; " + "(" * 4_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.timeout(20)
def test_hostile_lines_take_no_quadratic_time(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert not found.pins or found.pins[0].name == "demo"


def test_the_name_of_a_file_is_made_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a\u001b[2J\udcff.txt"
    path.write_text("demo\n")
    found = read_requirements(path)
    assert found.undecided[0].location.isprintable()
    found.inputs[0].name.encode()


@pytest.mark.parametrize(
    ("text", "open_at"),
    [
        ("demo==2.0; python_version < '3.7'\ndemo<2; python_version >= '3.7'\n", "requirements.txt:2"),
        ("-c limits.txt\ndemo<2\n", "requirements.txt:2"),
        ("demo==2.0; python_full_version < '3.12.4'\ndemo>=1; python_version < '3.13'\n", "requirements.txt:2"),
        ("demo==2.0; platform_release >= '6'\ndemo>=1\n", "requirements.txt:2"),
        ("demo>=1; platform_release >= '6'\ndemo==2.0; python_version < '3.11'\n", "requirements.txt:1"),
        ("demo==2.0; sys_platform == 'win32'\ndemo>=1\n", "requirements.txt:2"),
    ],
)
def test_a_pin_for_some_places_fixes_no_version_in_others(tmp_path: Path, text: str, open_at: str) -> None:
    found = read(tmp_path, text, limits_txt="demo==2.0; python_version < '3.7'\n")
    assert [entry.location for entry in found.undecided] == [open_at]
    assert "pinned" in found.undecided[0].reason


@pytest.mark.parametrize(
    "text",
    [
        "demo>=1\ndemo==2.0\n",
        "demo>=1\ndemo==1.0; python_version < '3.11'\ndemo==2.0; python_version >= '3.11'\n",
        "demo>=1; python_version < '3.9'\ndemo==1.0; python_version < '3.11'\n",
        "demo>=1; platform_release >= '6'\ndemo==2.0; platform_release >= '6'\n",
        "demo>=1\ndemo==1.0; python_full_version < '3.11.4'\ndemo==2.0; python_full_version >= '3.11.4'\n",
    ],
)
def test_pins_may_fix_a_version_place_by_place(tmp_path: Path, text: str) -> None:
    assert not read(tmp_path, text).undecided


def test_a_name_with_very_many_pins_is_open(tmp_path: Path) -> None:
    pinned = "".join(f"demo==1.{number}; python_full_version != '3.11.{number}'\n" for number in range(100))
    assert [entry.location for entry in read(tmp_path, f"demo\n{pinned}").undecided] == ["requirements.txt:1"]


@pytest.mark.parametrize(
    "marker",
    [
        "python_full_version == '3.11.7'",
        "python_full_version > '3.11.0' and python_full_version < '3.11.50'",
        "implementation_version ~= '3.12.5'",
        "python_full_version in '3.10.4 3.11.7'",
        "'.7' in python_full_version",
        "python_full_version != '3.11.0' and python_full_version < '3.11.2' and python_version == '3.11'",
        " or ".join(f"python_full_version == '3.11.{patch}'" for patch in range(2, 90, 3)),
    ],
)
def test_a_marker_about_one_patch_release_leaves_no_pin_out(tmp_path: Path, marker: str) -> None:
    found = read(tmp_path, f"fine==1.0\ntorch==1.13.0 ; {marker}\n")
    assert pins(found) == [("fine", "1.0", "1"), ("torch", "1.13.0", "2")]


@pytest.mark.parametrize("marker", ["", " ; python_version > '3'"])
@pytest.mark.parametrize("ending", ["zip", "whl", "tbz", "txz", "tlz", "tar.lz", "tar.lzma", "TGZ"])
def test_a_version_that_pip_takes_for_a_file_is_undecided(tmp_path: Path, ending: str, marker: str) -> None:
    found = read(tmp_path, f"demo==1.0+x.{ending}{marker}\n")
    assert not found.pins
    assert "a file, directory or URL" in found.undecided[0].reason


@pytest.mark.parametrize("option", ["--config-settings", "--config-setting", "--global-option", "--install-option"])
def test_a_hash_that_is_the_value_of_another_option_is_none(tmp_path: Path, option: str) -> None:
    found = read(tmp_path, f"demo==1.0 {option} {HASH}\n--no-index\n")
    assert "demo" in found.undecided[0].reason
    assert not read(tmp_path, f"demo==1.0 {option} a=b {HASH}\n--no-index\n").undecided
    assert not read(tmp_path, f"demo==1.0 {option}=a=b {HASH}\n--no-index\n").undecided


def test_a_word_that_belongs_to_no_option_cannot_be_judged(tmp_path: Path) -> None:
    assert "is not known" in read(tmp_path, f"demo==1.0 {HASH} more\n").undecided[0].reason
