"""Facts: where each stands, who uses it, and what the templates may not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.cli.main import build
from outreach.content import facts, sources
from outreach.errors import BadFile
from outreach.settings import ROOT

FACTS = facts.load_facts(ROOT / "config" / "facts.yaml")
CLAIMS = facts.load_claims(ROOT / "config" / "claims.yaml", FACTS)


def test_the_templates_as_they_ship_rest_on_facts() -> None:
    assert facts.check(sources.read(ROOT / "templates"), FACTS, CLAIMS, ROOT) == []


def test_every_fact_names_its_document_and_its_place_there() -> None:
    assert len(FACTS) == 25
    assert all(set(fact.documents) <= {"A", "B"} and fact.documents and fact.place for fact in FACTS.values())


def checked(tmp_path: Path, source: str, name: str = "messages/m/body.md") -> list[str]:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(source, "utf-8")
    (tmp_path / "layouts").mkdir(exist_ok=True)
    return [found.fault.rule for found in facts.check(sources.read(tmp_path), FACTS, CLAIMS, tmp_path)]


SAID = '{{# facts: {facts} #}}\n{{% trans "m.body" %}}{text}{{% endtrans %}}'


@pytest.mark.parametrize(("named", "text", "rule"), [
    ("S1", "You may feel dizzy.", None),
    ("operational", "Your infusion is tomorrow.", None),
    ("operational", "You may feel dizzy.", "fact.unsupported"),
    ("K2", "You may feel dizzy.", "fact.unsupported"),
    ("S1", "It comes as in a dream.", "fact.unsupported"),
    ("S9", "Hello.", "fact.unknown"),
    ("operational", "It is safe.", "fact.forbidden"),
    ("operational", "It has little to no effects on you.", "fact.forbidden"),
    ("operational", "It will help you.", "fact.forbidden"),
    ("operational", "We guarantee it.", "fact.forbidden"),
    ("operational", "It is used against depression.", "fact.forbidden"),
    ("operational", "It lowers anxiety.", "fact.forbidden"),
    ("operational", "Do not drive today.", "fact.forbidden"),
    ("operational", "Drink no alcohol.", "fact.forbidden"),
    ("operational", "Do not eat before the visit.", "fact.forbidden"),
])  # fmt: skip
def test_a_unit_rests_on_the_facts_that_its_template_names(
    tmp_path: Path, named: str, text: str, rule: str | None
) -> None:
    found = checked(tmp_path, SAID.format(facts=named, text=text))
    assert found == [] if rule is None else rule in found


def test_a_template_without_facts_is_told_of(tmp_path: Path) -> None:
    assert checked(tmp_path, '{% trans "m.body" %}Hello.{% endtrans %}') == ["fact.unnamed"]


def test_the_last_note_before_a_unit_counts_for_it(tmp_path: Path) -> None:
    first = '{# facts: operational #}\n{% trans "a" %}Hello.{% endtrans %}\n'
    assert checked(tmp_path, first + '{# facts: S1 #}\n{% trans "b" %}Dizzy?{% endtrans %}') == []


def test_a_claim_of_an_unknown_fact_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text("statements: {dizzy: [S77]}", "utf-8")
    with pytest.raises(BadFile, match="S77"):
        facts.load_claims(path, FACTS)


def test_the_command_tells_both_ways() -> None:
    said = CliRunner().invoke(build(["facts"]), ["facts"])
    assert said.exit_code == 0, said.output
    assert "S2 (hedged)" in said.output
    assert 'document B: "Safety and Side Effects"' in said.output
    assert "pre.the_day: K2 T2 S1 S2 S3" in said.output
    one = CliRunner().invoke(build(["facts"]), ["facts", "pre.the_day"])
    assert "pre.the_day.body.dream (S2)" in one.output
    assert CliRunner().invoke(build(["facts"]), ["facts", "nothing"]).exit_code == 2
