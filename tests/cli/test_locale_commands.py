"""What translators call: each command from its words on the command line to the file that it writes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from outreach.cli import locale_new, locale_preview, locale_rows, locale_stats, locales, main
from outreach.content.pofile import parse
from outreach.errors import OutreachError
from outreach.settings import ROOT


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("words")
    for folder in ("config", "locales", "templates"):
        shutil.copytree(ROOT / folder, made / folder)
    return made


@pytest.fixture(autouse=True)
def _in_a_copy(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (locale_new, locale_preview, locale_rows, locale_stats, locales):
        monkeypatch.setattr(module, "ROOT", root)


def said(*words: str, code: int = 0) -> Result:
    found = CliRunner().invoke(main.build(["locales"]), ["locales", *words])
    assert found.exit_code == code, found.output
    return found


def refusal(*words: str) -> str:
    with pytest.raises(OutreachError) as found:
        CliRunner().invoke(main.build(["locales"]), ["locales", *words], catch_exceptions=False)
    return str(found.value)


def test_stats_are_read_by_people_and_by_programs() -> None:
    [spanish, arabic] = json.loads(said("stats", "es", "ar", "--json").stdout)
    assert (spanish["locale"], spanish["translated"], spanish["missing"]) == ("es", spanish["units"], 0)
    assert spanish["sendable"] == spanish["messages"] > 20
    assert spanish["reviewers"] == []
    assert 0 < arabic["read_back"] <= arabic["units"]
    assert re.search(r"es +(\d+)/\1 .* none yet", said("stats", "es").stdout)
    assert "'xx' is not offered" in refusal("stats", "xx")


def test_words_go_out_as_a_sheet_and_come_back_into_the_catalog(root: Path, tmp_path: Path) -> None:
    catalog = root / "locales" / "es" / "LC_MESSAGES" / "messages.po"
    before, sheet = catalog.read_text("utf-8"), tmp_path / "es.csv"
    said("export", "es", "--format", "csv", "-o", str(sheet))
    rows = list(csv.reader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
    at = rows[0].index("translation")
    for row in rows:
        row[at] = {"canned.call_soon": "Le llamaremos hoy mismo.", "canned.call_us": "Llámenos: %(telefono)s."}.get(
            row[1], row[at]
        )
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    ana = ("--translator", "Ana Pérez <ana@example.org>")
    dry = said("import", str(sheet), *ana, "--dry-run", code=1)
    assert "1 units would be written" in dry.output
    assert catalog.read_text("utf-8") == before
    done = said("import", str(sheet), *ana, code=1)
    assert re.search(r"es\.csv:\d+: canned\.call_us: .*%\(telefono\)s", done.output)
    after = {one.key: one for one in parse(catalog, catalog.read_text("utf-8"))}
    assert after["canned.call_soon"].forms == ("Le llamaremos hoy mismo.",)
    assert "telefono" not in str(after["canned.call_us"].forms)
    assert catalog.read_text("utf-8").count("# Ana Pérez <ana@example.org>, ") == 1
    again = said("import", str(sheet), *ana, code=1)
    assert (
        "somebody has changed the translation since the export; it is now: “Le llamaremos hoy mismo.”" in again.output
    )
    assert "0 units written" in again.output
    assert said("export", "fr", "--format", "xliff").stdout.startswith("<?xml")
    assert "columns are missing" in refusal("import", __file__, *ana)
    assert "none.csv: it cannot be read" in refusal("import", str(tmp_path / "none.csv"), *ana)
    assert "English is written in the templates" in refusal("export", "en", "--format", "csv")


def test_a_preview_loads_nothing_and_shows_every_message(tmp_path: Path) -> None:
    said("preview", "es", "ar", "--out", str(tmp_path))
    arabic, spanish = ((tmp_path / f"{locale}.html").read_text("utf-8") for locale in ("ar", "es"))
    assert 'class="bubble" lang="ar" dir="rtl"' in arabic
    assert '<mark title="forces UCS-2">ó</mark>' in spanish
    assert spanish.count("<section") > 20
    assert spanish.count("<iframe") == spanish.count("<summary>") / 2 > 30
    for page in (arabic, spanish, (tmp_path / "index.html").read_text("utf-8")):
        assert not re.findall(r"<(?:script|link|img|iframe[^>]* src=)|@import|url\(", page), "nothing is fetched"
    said("preview", "es", "--wording", "neutral", "--out", str(tmp_path / "n"))
    assert "infusión" not in (tmp_path / "n" / "es.html").read_text("utf-8")
    said("preview", "--pseudo", "--out", str(tmp_path / "p"))
    assert {one.name for one in (tmp_path / "p").iterdir()} == {"index.html", "en_XA.html", "ar_XB.html"}


def test_a_pseudo_locale_is_a_catalog_for_no_patient(root: Path, tmp_path: Path) -> None:
    assert 'msgstr "Ŵé ŵîļļ çáļļ' in said("pseudo").stdout
    said("pseudo", "--rtl", "--out", str(tmp_path))
    path = tmp_path / "ar_XB" / "LC_MESSAGES" / "messages.po"
    assert len(parse(path, path.read_text("utf-8"))) > 200


def test_a_language_is_begun_once(root: Path) -> None:
    told = said("new", "it").stdout
    assert "wrote locales/it/LC_MESSAGES/messages.po" in told
    assert "config/replies.yaml: {kind: " in told
    assert "it is there already" in refusal("new", "it")
    path = root / "locales" / "it" / "LC_MESSAGES" / "messages.po"
    before = path.read_bytes()
    said("update", "it")
    assert path.read_bytes() == before
