from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools import rules as pages

import weighbridge.checks
from tests.attacks.models import all_cases
from weighbridge.checks.catalogue import CATALOGUE, REASONS, reason_of, rule_of
from weighbridge.checks.model_scan.check import scan_file
from weighbridge.checks.rule import Reason, Rule
from weighbridge.evidence.record import CheckName
from weighbridge.report.rules import OWN

PACKAGE = Path(weighbridge.checks.__file__).parent
FOLDERS = {
    CheckName.DEPENDENCY_AUDIT: "dependencies",
    CheckName.MODEL_SCAN: "model_scan",
    CheckName.ROBUSTNESS: "robustness",
    CheckName.LEAKAGE: "leakage",
}
REPORTING = ("RefusedError", "finding")
"""Callables whose first argument is a rule."""

LEAVING_OPEN = ("UndecidedError", "cannot_decide")
"""Callables whose first argument is the code of a reason."""

PASSED_ON = ("rule", "error.rule", "identifier", "said.rule", "one.rule or 'unsafe-template'")
"""Expressions that hand on a rule which was written down elsewhere."""

ALL = [rule for rules in (*CATALOGUE.values(), OWN) for rule in rules]
WHY = [reason for reasons in REASONS.values() for reason in reasons]


def rules_in(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every rule that a module reports under, and the line where it stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = constants_of(tree)
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("weighbridge.checks."):
            home = PACKAGE.parent.parent.joinpath(*(statement.module or "").split(".")).with_suffix(".py")
            there = constants_of(ast.parse(home.read_text(encoding="utf-8"))) if home.is_file() else {}
            constants |= {alias.name: there[alias.name] for alias in statement.names if alias.name in there}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in constants:
            named = constants[node.id]
            # A rule by its constant, which goes a longer way to where it is reported.
            if isinstance(named, ast.Constant) and named.value in {rule.id for rule in ALL}:
                yield named.value, node.lineno
        for given in given_to(node):
            for value in branches(given):
                found = constants.get(value.id, value) if isinstance(value, ast.Name) else value
                if isinstance(found, ast.Constant) and isinstance(found.value, str):
                    yield found.value, value.lineno
                elif isinstance(found, ast.Constant) and found.value is None:
                    continue  # what is undecided breaks no rule
                else:
                    assert ast.unparse(value) in PASSED_ON, (
                        f"{path}:{value.lineno}: the rule {ast.unparse(value)!r} is computed; write its id down as text"
                    )


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def given_to(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in REPORTING and node.args:
            yield node.args[0]
        if name != "Global":  # an entry of an allow list, which calls its kinds of use rules too
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "rule")
    elif isinstance(node, ast.FunctionDef):
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if argument.arg == "rule" and default is not None:
                yield default


def branches(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.IfExp):
        yield from branches(value.body)
        yield from branches(value.orelse)
    else:
        yield value


def used(folder: str) -> dict[str, str]:
    """Return every rule that a check reports under, with one place where it does."""
    modules = sorted((PACKAGE / folder).rglob("*.py"))
    assert modules
    return {rule: f"{path.relative_to(PACKAGE)}:{line}" for path in modules for rule, line in rules_in(path)}


@pytest.mark.parametrize("check", FOLDERS)
def test_every_rule_of_the_code_is_in_the_catalogue_and_no_other(check: CheckName) -> None:
    places, known = used(FOLDERS[check]), {rule.id for rule in CATALOGUE[check]}
    home = f"src/weighbridge/checks/{FOLDERS[check]}/rules"
    missing = [
        f'{places[rule]} reports "{rule}", which {home} does not have. Add to the tuple of its kind there:\n'
        f'    Rule(id="{rule}", title="...", meaning="...", remedy="...", severity=Severity.HIGH, cwe=(...,)),\n'
        "and run: python -m tools.rules write"
        for rule in sorted(places.keys() - known)
    ]
    assert not missing, "\n".join(missing)
    unused = sorted(known - places.keys())
    assert not unused, f"nothing reports {', '.join(unused)}: take it out of {home}, then python -m tools.rules write"


def test_every_reason_of_the_code_is_in_the_catalogue_and_no_other() -> None:
    known = {reason.id for reason in REASONS["Model scan"]}
    written: set[str] = set()
    for path in sorted((PACKAGE / "model_scan").rglob("*.py")):
        if path.parent.name == "reasons":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        written |= {text for text in texts if isinstance(text, str) and text in known}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LEAVING_OPEN:
                given = node.args[0]
                passed_on = ast.unparse(given) in ("code", "error.code", "said.code")
                assert passed_on or ast.unparse(given).strip("'") in known, f"{path}:{node.lineno}: a reason of no list"
    unused = sorted(known - written)
    assert not unused, f"nothing is undecided for {', '.join(unused)}"


def test_ids_are_kebab_case_and_unique() -> None:
    ids = [rule.id for rule in ALL] + [reason.id for reason in WHY]
    assert len(set(ids)) == len(ids)
    assert not [one for one in ids if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", one)]


@pytest.mark.parametrize("reason", WHY, ids=lambda reason: reason.id)
def test_reason_says_something_everywhere(reason: Reason) -> None:
    assert 10 <= len(reason.title) <= 120
    assert reason.title[0].islower() or not reason.title[0].isalpha() or reason.title[1].isupper()
    assert not reason.title.endswith(".")
    assert len(reason.meaning) >= 60
    assert reason.meaning.endswith((".", ")."))
    assert len(reason.remedy) >= 20
    assert not reason.remedy.endswith(".")
    assert reason_of(reason.id) is reason


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_entry_says_something_everywhere(rule: Rule) -> None:
    assert 10 <= len(rule.title) <= 120
    assert rule.title[0].islower() or not rule.title[0].isalpha() or rule.title.startswith("Git")
    assert not rule.title.endswith(".")
    assert len(rule.meaning) >= 60
    assert rule.meaning.endswith((".", ")."))
    assert len(rule.remedy) >= 20
    assert not rule.remedy.endswith(".")


def test_what_the_corpus_is_refused_for_is_in_the_catalogue_and_no_milder(tmp_path: Path) -> None:
    found = set()
    for number, case in enumerate(all_cases()):
        path = tmp_path / str(number)
        path.write_bytes(case.content)
        found |= {(item.rule, item.severity) for item in scan_file(path, name=case.filename).findings}
    assert len(found) > 20
    for name, severity in sorted(found):
        rule = rule_of(name)
        assert rule is not None, name
        assert severity.rank >= rule.severity.rank, f"{name} is reported as {severity}; the catalogue says more"


def test_pages_are_what_the_catalogue_says(update_golden: bool) -> None:
    if update_golden:
        pages.write()
    assert pages.stale() == [], "python -m tools.rules write"


def test_page_of_a_rule_that_is_gone_is_stale_and_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/gone.md").write_text("old")
    assert "rules/gone.md" in pages.stale()
    assert "rules/forbidden-global.md" in pages.stale()
    assert "reasons/no-parser-hdf5.md" in pages.stale()
    pages.main(["write"])
    assert pages.main(["check"]) == 0
    assert not (tmp_path / "rules/gone.md").exists()
