from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import pytest

from tests.report import samples
from tests.report.conftest import Golden
from weighbridge.evidence.measurements import AuditedComponent, FileCoverage
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.report.html import _environment, render
from weighbridge.report.html.page import MAX_COMPONENTS, MAX_RAW
from weighbridge.report.html.rows import MAX_ENTRIES, MAX_ROWS
from weighbridge.report.interface import EvidenceView, ReportInput
from weighbridge.report.rules import INFORMATION
from weighbridge.report.words import GLOSSARY

VOID = {"meta", "link", "img", "br", "circle", "path", "line", "polyline", "polygon"}
ADDRESSES = {"src", "href", "action", "formaction", "poster", "data", "srcset", "xlink:href", "background"}


class Page(HTMLParser):
    """The elements, attributes and text of a page; refuses what does not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.scripts:
            self.scripts[self.open[-1]].append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def only(record: CheckRecord) -> ReportInput:
    return ReportInput(model="m", digest=samples.DIGEST, evidence=(samples.view(record, signer=None),))


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_page_has_no_way_to_the_network_and_no_inline_handler(sample: str) -> None:
    page = Page(render(samples.SAMPLES[sample]()))
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "form", "base", "a-script"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ADDRESSES:
                to_a_rule = tag == "a" and str(value).startswith(f"{INFORMATION}/docs/rules/")
                inside = str(value).startswith(("#", "data:image/png;base64,")) or (tag, value) == ("link", "data:,")
                assert inside or to_a_rule
                assert not to_a_rule or attributes["rel"] == "noopener noreferrer"
    assert "url(" not in "".join(page.scripts["style"])
    assert "@import" not in "".join(page.scripts["style"])


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_policy_allows_exactly_our_style_and_script(sample: str) -> None:
    page = Page(render(samples.SAMPLES[sample]()))
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    sources = {}
    for kind in ("style", "script"):
        assert sum(tag == kind for tag, _ in page.elements) == 1
        digest = hashlib.sha256("".join(page.scripts[kind]).encode()).digest()
        sources[kind] = base64.b64encode(digest).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{sources['style']}'; script-src 'sha256-{sources['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_hostile_text_is_text_everywhere() -> None:
    text = render(samples.hostile())
    page = Page(text)
    assert samples.SCRIPT in page.text
    assert "{{7*7}}" in page.text
    assert samples.SCRIPT not in text
    for sign in ("\x00", "\x1b", "\u202e", "\u2066", "\ufeff", "\ud800"):
        assert sign not in text
    values = [value for _, attributes in page.elements for value in attributes.values() if value]
    assert not any("pwned" in value for value in values)


def test_hostile_record_is_cut() -> None:
    assert len(render(samples.hostile())) < 500_000


def test_verdict_comes_before_everything_else() -> None:
    page = Page(render(samples.failed()))
    assert page.text.index("This model must not be loaded.") < page.text.index("dirHash:")
    headings = [tag for tag, _ in page.elements if tag in {"h1", "h2"}]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ("passed", ["Passed", "1 Dec 2026, 09:12 UTC", "verifier", "Waived : PYSEC-2026-1177", "71.0 %"]),
        ("failed", ["Failed", "PYSEC-2026-4242", "CVE-2026-28219", "Files that are not accepted", "pillow 9.5.0"]),
        (
            "undecided",
            [
                "Undecided",
                "does not fool the model",
                "not accepted",
                "This kernel has no Landlock",
                "no-parser-hdf5",
            ],
        ),
        ("evidence-only", ["No verdict", "no policy was applied", "A 3 that the model reads as 8 after the attack"]),
    ],
)
def test_page_says_what_matters(sample: str, words: list[str]) -> None:
    text = Page(render(samples.SAMPLES[sample]())).text
    for word in words:
        assert word in text


def test_every_reference_inside_the_page_leads_somewhere() -> None:
    page = Page(render(samples.hostile()))
    identifiers = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)
    for _, attributes in page.elements:
        for name in str(attributes.get("aria-labelledby") or "").split():
            assert name in identifiers
        if (attributes.get("href") or "").startswith("#"):
            assert str(attributes["href"])[1:] in identifiers


def test_charts_and_pictures_have_words_for_screen_readers() -> None:
    text = render(samples.passed())
    page = Page(text)
    drawings = [attributes for tag, attributes in page.elements if tag == "svg" and attributes.get("role") == "img"]
    assert len(drawings) == 2
    assert text.count("<desc") == 2
    assert "Accuracy falls from 97.0 % without attack to 71.0 %" in page.text
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(pictures) == 9
    assert all(attributes["alt"] for attributes in pictures)


def test_picture_that_is_none_is_said_to_be_none() -> None:
    assert Page(render(samples.hostile())).text.count("not a picture") == 3


def test_unsigned_verdict_says_that_it_is_unsigned() -> None:
    report = samples.passed()
    assert report.verdict is not None
    plain = samples.verdict("passed", report.verdict.requirements)
    unsigned = type(plain)(**{name: getattr(plain, name) for name in plain.__slots__} | {"signed_by": None})
    page = render(ReportInput(model="m", digest=samples.DIGEST, evidence=(), verdict=unsigned))
    assert "nobody: this is not a signed verdict" in page


def test_policy_without_requirements_is_not_shown_as_fulfilled() -> None:
    page = render(ReportInput(model="m", digest=samples.DIGEST, evidence=(), verdict=samples.verdict("undecided", ())))
    assert "requires nothing, which never passes" in page


def test_tables_are_limited_and_say_how_much_they_leave_out() -> None:
    one = FileCoverage(path="p", format="f", size=1, sha256="0" * 64, state="clean")
    files = msgspec.structs.replace(samples.scan(), files=(one,) * (MAX_ROWS + 7))
    record = samples.record(CheckName.MODEL_SCAN, files, findings=samples.payloads(MAX_ROWS + 3))
    page = render(only(record))
    assert "3 more are not shown here" in page
    assert "7 more are not shown here" in page
    assert page.count("<tr>") == 2 * MAX_ROWS + 2


def test_components_and_entries_are_limited() -> None:
    many = tuple(AuditedComponent(name=f"c{place}", version="1") for place in range(MAX_COMPONENTS + 5))
    audit = msgspec.structs.replace(samples.audit(), components=many)
    assert "5 more are not shown here" in render(only(samples.record(CheckName.DEPENDENCY_AUDIT, audit)))
    full = samples.robustness()
    attacked = msgspec.structs.replace(full, entries=full.entries * (MAX_ENTRIES + 2))
    assert "2 more are not shown here" in render(only(samples.record(CheckName.ROBUSTNESS, attacked)))


def test_long_record_is_cut_and_says_so() -> None:
    files = msgspec.structs.replace(
        samples.scan(), files=(FileCoverage(path="p" * 4000, format="f", size=1, sha256="0" * 64, state="clean"),) * 200
    )
    page = render(only(samples.record(CheckName.MODEL_SCAN, files)))
    assert "more characters are left out" in page
    assert len(page) < MAX_RAW + 400_000


def test_worst_file_and_finding_come_first() -> None:
    text = Page(render(samples.failed())).text
    assert text.index("classifier.pkl pickle") < text.index("classifier.onnx onnx")
    assert text.index("PYSEC-2026-4242 CVE") < text.index("PYSEC-2026-1177 CVE")


def test_sections_keep_their_words(golden: Golden) -> None:
    # The words only, without the records: how they are laid out is looked at in a browser.
    page = re.sub("<pre.*?</pre>", "", render(samples.failed()), flags=re.DOTALL)
    text = re.sub(r"(.{1,100})(?: |$)", r"\1\n", Page(page).text)
    golden(text, "failed-page-words.txt")


def test_evidence_that_does_not_count_never_wears_the_state_of_a_requirement() -> None:
    whole = samples.passed()
    old = samples.view(whole.evidence[2].record, signer=None, signature="invalid", why="it is about another model")
    page = Page(
        render(ReportInput(model="m", digest=samples.DIGEST, evidence=(whole.evidence[2], old), verdict=whole.verdict))
    )
    assert page.text.count("not accepted Robustness") == 1
    assert page.text.count("satisfied Robustness") == 1
    assert page.text.count("Robustness satisfied") == 2


def test_text_is_cleaned_even_where_a_template_forgets_to_cut_it() -> None:
    template = _environment().from_string("{{ text }}|{{ text | upper }}|{{ text ~ '<' }}")
    assert (
        template.render(text="\x1b\u202e<b>") == "\\x1b\\u202e&lt;b&gt;|\\x1b\\u202e&lt;B&gt;|\\x1b\\u202e&lt;b&gt;&lt;"
    )


def test_sections_stand_in_the_order_of_the_policy_and_what_counts_comes_first() -> None:
    whole = samples.passed()
    old = samples.view(whole.evidence[0].record, signer=None, signature="invalid", why="it is older")
    shuffled = ReportInput(
        model="m", digest=samples.DIGEST, evidence=(old, *whole.evidence[::-1]), verdict=whole.verdict
    )
    text = Page(render(shuffled)).text
    titles = ["satisfied Model scan", "not accepted Model scan", "satisfied Dependency", "satisfied Robustness"]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


def test_check_that_has_just_run_has_no_file_to_name() -> None:
    view = samples.view(samples.record(CheckName.MODEL_SCAN, samples.scan()), signer=None)
    fresh = EvidenceView(record=view.record, signature="unverified", source="", why="it was not signed")
    text = Page(render(ReportInput(model="m", digest=samples.DIGEST, evidence=(fresh,)))).text
    assert "4 clean finished 24 Nov 2026, 09:12 UTC it was not signed" in text


def test_findings_of_one_kind_are_one_row_that_can_be_unfolded() -> None:
    page = Page(render(only(samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=samples.UNLISTED))))
    before = page.text.partition("The whole record as JSON")[0]
    assert "forbidden-global ×10" in before
    assert before.count(samples.UNLISTED[0].remedy) == 1
    assert "Each of the 10" in before
    assert all(before.count(str(one.message)) == 1 for one in samples.UNLISTED)


@pytest.mark.parametrize("sample", ["failed", "undecided", "revoked", "hostile"])
def test_page_that_refuses_has_no_date_until_which_it_is_valid(sample: str) -> None:
    text = Page(render(samples.SAMPLES[sample]())).text
    assert "Valid until" not in text
    assert 'class="refused"' in render(samples.SAMPLES[sample]())


def test_revoked_model_says_at_once_why_it_is_refused_though_all_requirements_hold() -> None:
    text = Page(render(samples.revoked())).text
    assert "Every requirement holds, and the model is refused all the same" in text
    assert text.index("was revoked at") < text.index("Digest of the model")
    assert "weighbridge verify digits" not in text


def test_older_evidence_is_one_line_and_has_no_tile() -> None:
    page = Page(render(samples.run_twice()))
    assert [a.get("class") for _, a in page.elements].count("tile") == 4
    assert "Not shown: 4 older results (not asked), 1 result that the policy does not ask for" in page.text
    assert "signature not checked" not in page.text.partition("Words on this page")[0]
    assert "older, not asked; signature verified, scanner" in page.text
    assert "it is signed by tester, and the policy wants scanner; signature verified" in page.text


def test_fingerprints_digests_and_commands_can_be_copied_and_say_what_they_are() -> None:
    page = Page(render(samples.passed()))
    buttons = [attributes for tag, attributes in page.elements if attributes.get("class") == "copy"]
    labels = [attributes["aria-label"] for attributes in buttons]
    for label in (
        "Copy the digest of the model",
        "Copy the digest of the policy",
        "Copy the fingerprint of the verdict's key",
        "Copy the command that verifies the verdict",
        "Copy the command that runs everything again",
        "Copy Robustness: the command",
        "Copy Robustness: sha256 of test examples",
        "Copy Leakage: the fingerprint of the key",
    ):
        assert labels.count(label) == 1
    assert len(set(labels)) == len(labels)
    # Without scripts they would do nothing, so they are not there.
    assert all("hidden" in attributes for attributes in buttons)
    for text in (samples.KEYS["verifier"], samples.KEYS["tester"], "ab" * 32, "weighbridge run digits-classifier"):
        assert text in page.text


def test_controls_are_questions_with_their_technical_name_as_a_tooltip() -> None:
    page = Page(render(samples.undecided()))
    titles = [str(attributes.get("title")) for tag, attributes in page.elements if tag == "abbr"]
    assert {"larger-epsilon-breaks", "attack-converged"} <= set(titles)
    assert "Does a much larger change fool the model, so that the attack works at all? no" in page.text


def test_every_word_of_the_glossary_is_explained_on_the_page_for_those_who_have_no_tooltips() -> None:
    page = Page(render(samples.passed()))
    words = page.text.partition("Words on this page")[2]
    assert all(item.meaning in words for item in GLOSSARY)
    used = {str(attributes.get("title")) for tag, attributes in page.elements if tag == "abbr"}
    assert len(used & {item.meaning for item in GLOSSARY}) >= 12


def test_undecided_leads_to_what_to_do_and_to_the_page_of_the_rule() -> None:
    page = Page(render(samples.undecided()))
    links = [str(attributes["href"]) for tag, attributes in page.elements if tag == "a"]
    assert links.count("#undecided") == 4
    assert links.count(f"{INFORMATION}/docs/rules/undecided") == 1
    assert [a.get("id") for _, a in page.elements].count("undecided") == 1
    assert "#undecided" not in render(samples.passed())


def test_rule_of_ours_leads_to_its_page_and_one_of_an_attacker_does_not() -> None:
    links = [a.get("href") for tag, a in Page(render(samples.failed())).elements if tag == "a"]
    assert f"{INFORMATION}/docs/rules/forbidden-global" in links
    assert not any("pwned" in str(a.get("href")) for _, a in Page(render(samples.hostile())).elements)


def test_long_digests_are_short_in_sentences_and_whole_where_they_can_be_copied() -> None:
    requirement = samples.requirement(CheckName.MODEL_SCAN, "undecided", f"it is about dirHash:{'ab' * 32}", line=7)
    verdict = samples.verdict("undecided", (requirement,))
    page = Page(render(ReportInput(model="m", digest=samples.DIGEST, evidence=(), verdict=verdict))).text
    assert "it is about dirHash:abababababab…" in page
    assert "ab" * 32 not in page
    assert str(samples.DIGEST) in page


def test_policy_digest_says_what_kind_it_is() -> None:
    verdict = replace(samples.verdict("undecided", ()), policy_digest="cd" * 32)
    report = ReportInput(model="m", digest=samples.DIGEST, evidence=(), verdict=verdict)
    assert f"sha256:{'cd' * 32}" in render(report)
