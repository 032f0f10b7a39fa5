from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.attacks.dependencies import Json, ecosystem, git

from weighbridge.checks.dependencies.matching import Outcome, fixed_versions, judge_entry
from weighbridge.checks.dependencies.names import canonical
from weighbridge.checks.dependencies.osv import Affected
from weighbridge.checks.dependencies.versions import parse_event_version, parse_version
from weighbridge.errors import ParseError

YES, NO, OPEN = Outcome.AFFECTED, Outcome.UNAFFECTED, Outcome.UNDECIDABLE


def entry(*ranges: Json, versions: list[str] | None = None) -> Affected:
    value = {"package": {"ecosystem": "PyPI", "name": "demo"}, "ranges": list(ranges), "versions": versions or []}
    return msgspec.json.decode(json.dumps(value), type=Affected)


FROM_1_TO_2 = ecosystem({"introduced": "1.0"}, {"fixed": "2.0"})
TO_LAST = ecosystem({"introduced": "1.0"}, {"last_affected": "2.3.0"})
BRANCHES = ecosystem({"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"fixed": "2.5"})
SHUFFLED = ecosystem({"fixed": "2.5"}, {"introduced": "2.0"}, {"fixed": "1.5"}, {"introduced": "1.0"})


@pytest.mark.parametrize(
    ("one", "version", "outcome"),
    [
        # plain ranges
        (entry(FROM_1_TO_2), "0.9", NO),
        (entry(FROM_1_TO_2), "1.0", YES),
        (entry(FROM_1_TO_2), "1.0.0", YES),
        (entry(FROM_1_TO_2), "2.0", NO),
        # local builds: the normal case in machine learning
        (entry(FROM_1_TO_2), "1.5+cu121", YES),
        (entry(FROM_1_TO_2), "1.0+cu121", YES),
        (entry(FROM_1_TO_2), "2.0+cu121", NO),
        (entry(TO_LAST), "2.3.0+cu121", YES),
        (entry(TO_LAST), "2.3.0", YES),
        (entry(TO_LAST), "2.3.0.post1", NO),
        (entry(TO_LAST), "2.3.1+cu121", NO),
        (entry(versions=["2.3.0"]), "2.3.0+cu121", YES),
        (entry(versions=["2.3.0"]), "2.3+nv23.1", YES),
        # an event or a listed version with a local part means that build
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.0+cu118"})), "2.0+cu118", YES),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.0+cu118"})), "2.0", YES),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.0+cu118"})), "2.0+cu121", NO),
        (entry(versions=["2.0+cu118"]), "2.0+cu118", YES),
        (entry(versions=["2.0+cu118"]), "2.0+cu121", NO),
        (entry(versions=["2.0+cu118"]), "2.0", NO),
        # pre- and post-releases by plain order
        (entry(FROM_1_TO_2), "2.0rc1", YES),
        (entry(FROM_1_TO_2), "2.0.dev1", YES),
        (entry(FROM_1_TO_2), "1.0rc1", NO),
        (entry(FROM_1_TO_2), "1.0.post9", YES),
        (entry(FROM_1_TO_2), "1!1.5", NO),
        (entry(ecosystem({"introduced": "1!1.0"}, {"fixed": "1!2.0"})), "1!1.5", YES),
        (entry(ecosystem({"introduced": "1!1.0"}, {"fixed": "1!2.0"})), "1.5", NO),
        # the beginning is before every version
        (entry(ecosystem({"introduced": "0"}, {"fixed": "1"})), "0.dev1", YES),
        (entry(ecosystem({"introduced": "0"})), "999", YES),
        # several pairs in one range, in any order, and several ranges
        (entry(BRANCHES), "1.4", YES),
        (entry(BRANCHES), "1.7", NO),
        (entry(BRANCHES), "2.4", YES),
        (entry(SHUFFLED), "1.7", NO),
        (entry(SHUFFLED), "2.4", YES),
        (entry(FROM_1_TO_2, ecosystem({"introduced": "3.0"})), "3.1", YES),
        (entry(ecosystem({"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "2.0"}, {"fixed": "3.0"})), "2.0", YES),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "1.0"}, {"last_affected": "1.2"})), "1.2", YES),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "1.0"}, {"last_affected": "1.2"})), "1.1", NO),
        (entry(ecosystem({"introduced": "0"}, {"limit": "2.0"})), "1.9", YES),
        (entry(ecosystem({"introduced": "0"}, {"limit": "2.0"})), "2.0", NO),
        (entry(ecosystem({"introduced": "0"}, {"limit": "*"})), "2.0", YES),
        # a GIT range first must not hide what follows
        (entry(git({"introduced": "0"}, {"fixed": "abcdef"}), FROM_1_TO_2), "1.5", YES),
        (entry(git({"introduced": "0"})), "1.5", NO),
        (entry(), "1.5", NO),
        # the list counts beyond the ranges
        (entry(FROM_1_TO_2, versions=["5.0"]), "5.0", YES),
        (entry(FROM_1_TO_2, versions=["5.0"]), "5.0.0", YES),
        (entry(versions=["v5.0"]), "5", YES),
        (entry(versions=["0.1.2-1"]), "0.1.2.post1", YES),
        (entry(versions=["not-a-version", "2013-01-21T20:33:09+0100"]), "1.0", NO),
        # what cannot be ordered decides nothing
        (entry(ecosystem({"introduced": "0"}, {"fixed": "2018-04-22b"})), "1.0", OPEN),
        (entry(ecosystem({"introduced": "0"}, {"fixed": "2018-04-22b"}), versions=["1.0"]), "1.0", YES),
        (entry(ecosystem({"introduced": "0"}, {"fixed": "2018-04-22b"}), FROM_1_TO_2), "1.0", YES),
        (entry({"type": "SEMVER", "events": [{"introduced": "0"}]}), "1.0", OPEN),
        (entry(ecosystem({"fixed": "2.0"})), "1.0", OPEN),
        (entry(ecosystem()), "1.0", OPEN),
        # the spellings of the NVD, as all records about torch of 2025 have them
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.6.0-NA"})), "2.6.0+cu124", YES),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.6.0-NA"})), "2.7.0", NO),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.6.0-cu124"})), "2.6.0", YES),
        (entry(ecosystem({"introduced": "0"}, {"last_affected": "2.6.0-cu124"})), "2.7.0+cu128", NO),
    ],
)
def test_follows_the_rules(one: Affected, version: str, outcome: Outcome) -> None:
    assert judge_entry(one, Version(version)) is outcome


@pytest.mark.parametrize("event", [{}, {"introduced": "0", "fixed": "1"}, {"somethingelse": "1"}])
def test_refuses_an_event_that_does_not_say_one_thing(event: Json) -> None:
    with pytest.raises(ParseError, match="exactly one thing"):
        judge_entry(entry(ecosystem(event)), Version("1"))


def test_refuses_versions_that_are_no_list_of_strings() -> None:
    broken = msgspec.json.decode(b'{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": [1]}', type=Affected)
    with pytest.raises(ParseError, match="not a list of strings"):
        judge_entry(broken, Version("1"))


@pytest.mark.parametrize("text", ["2.6.0-cpu", "2.6.0-cu", "NA", "-NA", "4.6.0.stable11", "7.2.0-12.1", "x" * 300])
def test_guesses_nothing_else(text: str) -> None:
    assert parse_event_version(text) is None


def test_knows_the_fixes_of_every_range() -> None:
    assert fixed_versions(entry(BRANCHES, ecosystem({"introduced": "3"}, {"fixed": "3.1"}))) == [
        Version("1.5"),
        Version("2.5"),
        Version("3.1"),
    ]


releases = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
versions = st.builds(
    "{}{}{}{}".format,
    releases,
    st.sampled_from(["", "a1", "rc1"]),
    st.sampled_from(["", ".post1"]),
    st.sampled_from(["", ".dev1"]),
)
locals_ = st.sampled_from(["", "+cu121", "+cpu", "+nv23.1"])


@given(st.lists(st.tuples(versions, versions), min_size=1, max_size=4), versions, locals_)
def test_agrees_with_intervals_checked_one_by_one(pairs: list[tuple[str, str]], version: str, local: str) -> None:
    # Intervals that do not overlap: sorted bounds, taken two by two. Then the events may stand in any order.
    bounds = sorted({Version(one) for pair in pairs for one in pair})
    bounds = bounds[: len(bounds) // 2 * 2]
    intervals = list(zip(bounds[::2], bounds[1::2], strict=True))
    events = [{"introduced": str(low)} for low, _ in intervals] + [{"fixed": str(high)} for _, high in intervals]
    if not intervals:
        return
    wanted = Version(version + local)
    expected = any(low <= wanted < high for low, high in intervals)
    assert (judge_entry(entry(ecosystem(*events)), wanted) is YES) is expected


@given(versions, versions, versions, locals_)
def test_last_affected_includes_every_local_build(first: str, second: str, version: str, local: str) -> None:
    low, high = sorted([first, second], key=Version)
    one = entry(ecosystem({"introduced": low}, {"last_affected": high}))
    expected = Version(low) <= Version(version + local) and Version(version) <= Version(high)
    assert (judge_entry(one, Version(version + local)) is YES) is expected


@given(st.text(max_size=20))
def test_reads_any_text_as_a_version_or_as_none(text: str) -> None:
    version = parse_version(text)
    assert version is None or Version(str(version)) == version


SPELLINGS = ["2.3", "2.3.0", "v2.3", "V2.3.0", " 2.3", "02.3", "2.03", "0!2.3", "2.3.0.0", "2.3+cu121", "\u20032.3"]


@pytest.mark.parametrize("listed", SPELLINGS)
@pytest.mark.parametrize("escape", ["2.3", "\\u0032.3"])
def test_finds_a_version_however_the_list_spells_it(listed: str, escape: str) -> None:
    raw = json.dumps([listed, "9.9"], ensure_ascii=False).replace("2.3", escape).encode()
    one = msgspec.json.decode(b'{"package":{"ecosystem":"PyPI","name":"x"},"versions":' + raw + b"}", type=Affected)
    assert judge_entry(one, Version("2.3+cu121")) is YES


@given(versions, locals_, st.lists(versions, max_size=5))
def test_a_list_names_a_version_by_its_public_part(version: str, local: str, listed: list[str]) -> None:
    expected = any(Version(one) == Version(version) for one in listed)
    assert (judge_entry(entry(versions=listed), Version(version + local)) is YES) is expected


@given(st.text(max_size=20) | st.from_regex(r"[A-Za-z0-9._-]{1,20}"))
def test_names_are_made_equal_as_packaging_makes_them(name: str) -> None:
    assert canonical(name) == canonicalize_name(name)
