"""Templates are judged by their syntax tree: what reaches attributes is found, what real ones do is clean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.templates import FILES, REACHING, WORK
from tests.checks.model_scan.documents.honest import TEMPLATES
from tests.checks.model_scan.documents.test_json import report
from weighbridge.checks.model_scan.documents.template import MAX_TEMPLATE, judge_template


@pytest.mark.parametrize("name", sorted(REACHING))
def test_finds_what_reaches_the_interpreter(name: str) -> None:
    found = judge_template(REACHING[name])
    assert {one.rule for one in found.findings} & {"unsafe-template", "template-computed-name", "template-call"}


@pytest.mark.parametrize("name", sorted(REACHING))
@pytest.mark.parametrize("key", ["chat_template", "note"])
def test_finds_it_under_any_key_of_json(name: str, key: str) -> None:
    assert report(json.dumps({"a": {key: REACHING[name]}}).encode()).findings


@pytest.mark.parametrize("name", sorted(FILES))
def test_finds_what_reads_another_file(name: str) -> None:
    assert "template-other-file" in {one.rule for one in judge_template(FILES[name]).findings}


@pytest.mark.parametrize("name", sorted(WORK))
def test_names_endless_work(name: str) -> None:
    assert {one.rule for one in judge_template(WORK[name]).findings} & {"template-work", "unsafe-template"}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_honest_template_is_clean(name: str) -> None:
    found = judge_template(TEMPLATES[name])
    assert (found.findings, found.undecided) == ((), ())
    assert report(TEMPLATES[name].encode(), name="chat_template.jinja").coverage.state == "clean"


@pytest.mark.parametrize(
    "text",
    ["{{" + "(" * 9000, "{{ " + "not " * 12000 + "x }}", "{{ x" + ".a" * 20000 + " }}", "{% if a %}" * 6000],
    ids=["parentheses", "not", "attributes", "if"],
)
def test_what_nests_too_deeply_is_undecided(text: str) -> None:
    found = judge_template(text)
    assert found.undecided
    assert not found.findings


@pytest.mark.parametrize(
    "text",
    ["{{", "{% nothing %}", "{{ x y }}", "x" * (MAX_TEMPLATE + 1), "{{ x | own }}", "{% if x is own %}{% endif %}"],
    ids=["cut", "tag", "syntax", "large", "filter", "test"],
)
def test_what_is_not_known_is_undecided(text: str) -> None:
    assert judge_template(text).undecided
    assert report(json.dumps({"chat_template": text, "model_type": "x"}).encode()).coverage.state != "refused"


PARTS = [
    "{{",
    "}}",
    "{%",
    "%}",
    ".a",
    "['b']",
    "[c]",
    "~",
    "+",
    "'_'",
    "set",
    "for",
    "endfor",
    "in",
    "x",
    "if",
    "endif",
    "|map(",
    ")",
    "(",
    "macro",
    "m(a)",
    "endmacro",
    "m(",
    "=",
    "%",
    "*",
    "9",
]


@given(st.lists(st.sampled_from(PARTS), max_size=25))
@settings(max_examples=300, deadline=None)
def test_no_template_crashes(parts: list[str]) -> None:
    found = judge_template(" ".join(parts))
    assert found.parsed or found.undecided


MANY = {
    "callers": "{% call(a) m() %}{{ caller(1) }}{% endcall %}" * 1200,
    "texts": "".join(f"{{% set l='{n}' %}}{{{{ x[l~l~l] }}}}" for n in range(1600)),
    "chain": "{% for z in y %}" + "".join(f'{{% set a{n}=a{n + 1}~"b" %}}' for n in range(1800)) + "{% endfor %}",
    "nested": "{% for a in b %}" * 60 + "{% set c=c~a %}" * 2000 + "{% endfor %}" * 60,
}


@pytest.mark.parametrize("name", sorted(MANY))
@pytest.mark.timeout(900)
def test_a_large_template_is_judged_in_bounded_time(name: str) -> None:
    assert len(MANY[name]) <= MAX_TEMPLATE
    assert judge_template(MANY[name]).parsed
