"""Findings for a person, for a program, for GitHub's code scanning (SARIF 2.1.0), for a test report (JUnit)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from outreach.content.checker.findings import KINDS, Finding

FORMATS = ("text", "json", "sarif", "junit")
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def written(style: str, checked: Mapping[str, Sequence[Finding]], root: Path) -> str:
    """Findings by what was checked (a locale, a file), in one of FORMATS. Paths are told from `root`."""
    return {"text": _text, "json": _json, "sarif": _sarif, "junit": _junit}[style](checked, root)


def _place(finding: Finding, root: Path) -> str:
    path = Path(finding.path)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _tally(findings: Sequence[Finding]) -> str:
    errors = sum(finding.fault.blocking for finding in findings)
    advice = len(findings) - errors
    said = [f"{errors} error{'s' if errors > 1 else ''}"] if errors else []
    return ", ".join([*said, *([f"{advice} to think about"] if advice else [])]) or "clean"


def _text(checked: Mapping[str, Sequence[Finding]], root: Path) -> str:
    lines = []
    for name, findings in checked.items():
        for one in sorted(findings, key=lambda one: (not one.fault.blocking, one.path, one.line)):
            place = _place(one, root) + (f":{one.line}" if one.line else "")
            lines.append(f"{place}: {'error' if one.fault.blocking else 'advice'}{f' in {one.key}' if one.key else ''}")
            lines.append(f"    {_capital(one.fault.what)} {one.fault.remedy} ({one.fault.rule})")
        lines.append(f"{name}: {_tally(findings)}")
    return "\n".join(lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _json(checked: Mapping[str, Sequence[Finding]], root: Path) -> str:
    rows = [
        {
            "checked": name, "path": _place(one, root), "line": one.line, "locale": one.locale, "key": one.key,
            "rule": one.fault.rule, "blocking": one.fault.blocking, "what": one.fault.what, "remedy": one.fault.remedy,
        }
        for name, findings in checked.items() for one in findings
    ]  # fmt: skip
    return json.dumps({"checked": list(checked), "findings": rows}, ensure_ascii=False, indent=1)


def _sarif(checked: Mapping[str, Sequence[Finding]], root: Path) -> str:
    findings = [one for some in checked.values() for one in some]
    rules = [
        {"id": rule, "shortDescription": {"text": KINDS[rule.partition(".")[0]]}}
        for rule in sorted({one.fault.rule for one in findings})
    ]
    driver = {"name": "outreach locales check", "rules": rules}
    results = [_result(one, root) for one in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def _result(one: Finding, root: Path) -> dict[str, Any]:
    said = f"{one.key}: " if one.key else ""
    return {
        "ruleId": one.fault.rule,
        "level": "error" if one.fault.blocking else "note",
        "message": {"text": f"{said}{one.fault.what} {one.fault.remedy}"},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": _place(one, root)},
                "region": {"startLine": max(one.line, 1)},
            }
        }],
    }  # fmt: skip


def _junit(checked: Mapping[str, Sequence[Finding]], root: Path) -> str:
    """One test case for each locale and family; a failure where something blocks, its advice as output."""
    suites = ElementTree.Element("testsuites", name="outreach locales check")
    for name, findings in checked.items():
        failed = {one.fault.rule.partition(".")[0] for one in findings if one.fault.blocking}
        suite = ElementTree.SubElement(suites, "testsuite", name=name, tests=str(len(KINDS)), failures=str(len(failed)))
        for kind, about in KINDS.items():
            case = ElementTree.SubElement(suite, "testcase", classname=f"locales.{name}", name=about)
            own = [one for one in findings if one.fault.rule.startswith(kind + ".")]
            _told(case, "failure", [one for one in own if one.fault.blocking], root)
            _told(case, "system-out", [one for one in own if not one.fault.blocking], root)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def _told(case: ElementTree.Element, tag: str, findings: Sequence[Finding], root: Path) -> None:
    if findings:
        said = "\n".join(
            f"{_place(one, root)}:{one.line}: {one.key}: {one.fault.what} {one.fault.remedy}" for one in findings
        )
        made = ElementTree.SubElement(case, tag)
        # XML has no way to write these at all.
        made.text = "".join(char if char.isprintable() or char == "\n" else f"\\u{ord(char):04x}" for char in said)
        if tag == "failure":
            made.set("message", f"{len(findings)} to mend")
