from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.dependencies import Json, ecosystem, record

from weighbridge.checks.dependencies.osv import decode_record
from weighbridge.checks.dependencies.severity import base_score, rating, severity_of
from weighbridge.evidence.record import Severity

# The CVSS v3.1 examples of FIRST by their CVE; for v4.0 the reference calculator, against which all were compared.
V3 = {
    "AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,  # CVE-2013-1937
    "AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N": 6.4,  # CVE-2013-0375
    "AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N": 3.1,  # CVE-2014-3566
    "AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H": 9.9,  # CVE-2012-1516
    "AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L": 4.2,  # CVE-2009-0783
    "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H": 8.8,  # CVE-2012-0384
    "AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H": 7.8,  # CVE-2015-1098
    "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N": 7.5,  # CVE-2014-0160
    "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 9.8,  # CVE-2014-6271
    "AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N": 6.8,  # CVE-2008-1447
    "AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 6.8,  # CVE-2014-2005
    "AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:L/A:N": 5.8,  # CVE-2010-0467 and CVE-2012-1342 have one low impact
    "AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H": 9.3,  # CVE-2013-6014
    "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N": 0.0,
}
V4 = {
    "AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.3,
    "AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.7,
    "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 9.3,
    "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": 10.0,
    "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N": 8.7,
    "AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N": 5.1,
    "AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N": 5.2,
    "AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:L/VA:L/SC:L/SI:L/SA:L": 1.0,
    "AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N": 0.0,
}
PUBLISHED = [
    *((f"CVSS:3.{minor}/{metrics}", score) for metrics, score in V3.items() for minor in (0, 1)),
    *((f"CVSS:4.0/{metrics}", score) for metrics, score in V4.items()),
]
LOW, CRITICAL = [{"type": "CVSS_V3", "score": f"CVSS:3.1/{metrics}"} for metrics in list(V3)[2:9:6]]
NEWER = {"type": "CVSS_V4", "score": f"CVSS:4.0/{next(iter(V4))}"}


@pytest.mark.parametrize(("vector", "score"), PUBLISHED)
def test_scores_published_vectors(vector: str, score: float) -> None:
    assert base_score(vector) == score


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "7.5",
        "CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:5.0/AV:N",
        "CVSS:3.1",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:Z/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:HL/VI:H/VA:H/SC:N/SI:N/SA:N",
        "CVSS:4.0/AV:/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        "CVSS:3.1/" + "AV:N/" * 200,
    ],
)
def test_a_vector_that_cannot_be_read_has_no_score(vector: str) -> None:
    assert base_score(vector) is None


def test_temporal_and_environmental_metrics_do_not_change_the_base_score() -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    assert base_score(f"{vector}/E:U/RL:O/RC:U/MAV:P") == base_score(vector)
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
    assert base_score(f"{vector}/E:U/MAV:P") == base_score(vector)


@pytest.mark.parametrize(
    ("score", "severity"),
    [(0.0, "low"), (3.9, "low"), (4.0, "medium"), (6.9, "medium"), (7.0, "high"), (8.9, "high"), (9.0, "critical")],
)
def test_rates_scores_as_first_does(score: float, severity: str) -> None:
    assert rating(score) == severity


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, Severity.UNKNOWN),
        ({"severity": []}, Severity.UNKNOWN),
        ({"severity": [{"type": "CVSS_V3", "score": "nonsense"}]}, Severity.UNKNOWN),
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        ({"database_specific": {"severity": "SEVERE"}}, Severity.UNKNOWN),
        ({"database_specific": {"severity": 7}}, Severity.UNKNOWN),
        ({"database_specific": []}, Severity.UNKNOWN),
        ({"severity": [LOW]}, Severity.LOW),
        (
            {
                "severity": [
                    {"type": "CVSS_V3", "score": PUBLISHED[2][0]},
                    {"type": "CVSS_V4", "score": PUBLISHED[13][0]},
                ]
            },
            Severity.HIGH,
        ),
    ],
)
def test_takes_the_worst_that_a_record_says(more: Json, severity: Severity) -> None:
    read = decode_record(json.dumps(record("demo", ecosystem({"introduced": "0"}), **more)).encode())
    assert severity_of(read, read.affected[0]) is severity


def test_takes_the_severity_of_the_affected_package() -> None:
    raw = record("demo", ecosystem({"introduced": "0"}))
    raw["affected"][0]["severity"] = [CRITICAL]
    read = decode_record(json.dumps(raw).encode())
    assert severity_of(read, read.affected[0]) is Severity.CRITICAL


IMPACT = st.sampled_from("HLN")


@given(
    st.sampled_from("NALP"), st.sampled_from("LH"), st.sampled_from("NP"), st.sampled_from("NLH"),
    st.sampled_from("NPA"), st.tuples(IMPACT, IMPACT, IMPACT, IMPACT, IMPACT, IMPACT), st.integers(0, 5),
)  # fmt: skip
def test_a_worse_impact_never_lowers_a_version_4_score(
    av: str, ac: str, at: str, pr: str, ui: str, impact: tuple[str, ...], which: int
) -> None:
    def score(values: tuple[str, ...]) -> float:
        names = ("VC", "VI", "VA", "SC", "SI", "SA")
        tail = "/".join(f"{name}:{value}" for name, value in zip(names, values, strict=True))
        found = base_score(f"CVSS:4.0/AV:{av}/AC:{ac}/AT:{at}/PR:{pr}/UI:{ui}/{tail}")
        assert found is not None
        return found

    worse = (*impact[:which], "H", *impact[which + 1 :])
    assert 0 <= score(impact) <= score(worse) <= 10


@given(st.text(max_size=40))
def test_any_text_has_a_score_or_none(text: str) -> None:
    for vector in (text, f"CVSS:3.1/{text}", f"CVSS:4.0/{text}"):
        assert base_score(vector) is None
