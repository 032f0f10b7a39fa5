"""Write the pages below ``docs/rules`` and ``docs/reasons`` from the catalogue, or check that they are what it says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from weighbridge.checks.catalogue import CATALOGUE, REASONS
from weighbridge.checks.rule import Reason, Rule
from weighbridge.evidence.record import Severity
from weighbridge.report.facts import TITLES
from weighbridge.report.rules import OWN, sentence

ROOT: Final = Path(__file__).resolve().parent.parent / "docs"
RULES: Final = "rules"
WHY: Final = "reasons"
INDEX: Final = "README.md"
_NOTE: Final = "<!-- Written by `python -m tools.rules write` from the catalogue of rules; a test compares. -->\n"
_CWE: Final = "https://cwe.mitre.org/data/definitions"


def pages() -> dict[str, str]:
    """Return every page by its path below the documentation: one a rule, one a reason, and the list of each."""
    sections = [(TITLES[check], rules) for check, rules in CATALOGUE.items()] + [("Reports and gate", OWN)]
    found = {f"{RULES}/{rule.id}.md": _rule_page(rule, of) for of, rules in sections for rule in rules}
    whys = list(REASONS.items())
    found |= {f"{WHY}/{reason.id}.md": _reason_page(reason, of) for of, reasons in whys for reason in reasons}
    return found | {f"{RULES}/{INDEX}": _index(sections), f"{WHY}/{INDEX}": _reason_index(whys)}


def _severity(rule: Rule) -> str:
    return "as the finding says" if rule.severity is Severity.UNKNOWN else rule.severity.value


def _rule_page(rule: Rule, of: str) -> str:
    weaknesses = ", ".join(f"[CWE-{number}]({_CWE}/{number}.html)" for number in rule.cwe)
    worse = " or worse, as the finding says" if rule.severity in (Severity.LOW, Severity.MEDIUM, Severity.HIGH) else ""
    facts = [f"- reported by: {of}", f"- severity: {_severity(rule)}{worse}"]
    facts += [f"- kind of weakness: {weaknesses}"] if weaknesses else []
    return _page(rule, facts, all_of="All rules")


def _reason_page(reason: Reason, of: str) -> str:
    return _page(reason, [f"- reported by: {of}, as undecided"], all_of="All reasons")


def _page(entry: Rule | Reason, facts: list[str], *, all_of: str) -> str:
    lines = [_NOTE, f"# {entry.id}", "", sentence(entry.title), "", *facts, ""]
    for title, text in (("What it means", entry.meaning), ("What to do", entry.remedy)):
        lines += [f"## {title}", "", sentence(text), ""]
    return "\n".join([*lines, f"[{all_of}](README.md)", ""])


def _index(sections: list[tuple[str, tuple[Rule, ...]]]) -> str:
    head = [
        "# Rules",
        "",
        "Every finding names one of these rules. The severity here is the least that its findings have.",
    ]
    tables = [(of, [[_link(rule), rule.title, _severity(rule)] for rule in rules]) for of, rules in sections]
    return _list(head, ["rule", "what is wrong", "severity"], tables)


def _reason_index(sections: list[tuple[str, tuple[Reason, ...]]]) -> str:
    head = [
        "# Reasons",
        "",
        "What could not be judged is undecided for one of these reasons; a gate refuses it as it does a finding.",
    ]
    tables = [(of, [[_link(reason), reason.title] for reason in reasons]) for of, reasons in sections]
    return _list(head, ["reason", "what was met"], tables)


def _link(entry: Rule | Reason) -> str:
    return f"[{entry.id}]({entry.id}.md)"


def _list(head: list[str], columns: list[str], tables: list[tuple[str, list[list[str]]]]) -> str:
    lines = [_NOTE, *head, ""]
    for title, rows in tables:
        lines += [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines += [""]
    return "\n".join(lines)


def _there() -> dict[str, Path]:
    return {f"{folder}/{path.name}": path for folder in (RULES, WHY) for path in (ROOT / folder).glob("*.md")}


def stale() -> list[str]:
    """Return the pages that are missing, other than the catalogue says, or about nothing in it."""
    wanted = pages()
    found = {name: path.read_text(encoding="utf-8") for name, path in _there().items()}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write() -> None:
    """Write every page, and take away those about nothing in the catalogue."""
    wanted = pages()
    for name, path in _there().items():
        if name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write or check; 0 when the pages are what the catalogue says."""
    if arguments == ["write"]:
        write()
        return 0
    if arguments == ["check"]:
        for name in stale():
            print(f"docs/{name} is not what the catalogue says: python -m tools.rules write")
        return 1 if stale() else 0
    print("usage: python -m tools.rules write|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
