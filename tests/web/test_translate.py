"""The workbench: what translators see and save, in the console and alone, and what it refuses."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from outreach.cli import main, translate
from outreach.content import extraction, po_writing
from outreach.content.compose import Words
from outreach.content.coverage import coverage, translators
from outreach.content.workbench import Workbench
from outreach.domain.access import Role
from outreach.errors import BadFile
from outreach.settings import ROOT
from outreach.store import staff
from outreach.web.app import create
from outreach.web.translate import local, patient_page
from tests import shipped
from tests.web.house import NOW, PASSWORD, PUBLIC, House, TestClient, field

HERE = "http://127.0.0.1:8790"
KEY = "pre.tomorrow.sms"
PAGE = f"/translate/ar/{KEY}"
SAID = "%(clinic)s: موعدكم للتسريب الوريدي غدا %(day)s، %(time)s. المكان: %(address)s. للأسئلة أو التأخير: %(phone)s."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the words, with one language beside English."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    rows = (tmp_path / "config" / "languages.yaml").read_text("utf-8")
    kept = [line for line in rows.splitlines() if line.startswith(("#", "en:", "ar:"))]
    (tmp_path / "config" / "languages.yaml").write_text("\n".join(kept), "utf-8")
    for locale in ("en", "ar"):
        shutil.copytree(ROOT / "locales" / locale, tmp_path / "locales" / locale)
    shutil.copy(ROOT / "locales" / "messages.pot", tmp_path / "locales")
    return tmp_path


def catalog(root: Path) -> Path:
    return root / "locales" / "ar" / "LC_MESSAGES" / "messages.po"


@pytest.fixture
def alone(root: Path) -> Iterator[TestClient]:
    with TestClient(local.create(root, "Ana Reviewer <ana@example.org>"), base_url=HERE, follow_redirects=False) as one:
        yield one


def shown(alone: TestClient, path: str = PAGE) -> dict[str, str]:
    """The fields of a unit's page as a browser would send them."""
    html = alone.get(path).text
    forms = re.findall(r'<textarea id="(form\.\d)"[^>]*>\n(.*?)</textarea>', html, re.DOTALL)
    return {name: field(html, name) for name in ("csrf", "digest")} | {name: unescape(text) for name, text in forms}


def faults(html: str) -> list[str]:
    return re.findall(r"<code>(\w+\.\w+)</code></li>", html)


def test_a_language_is_listed_narrowed_and_searched(alone: TestClient) -> None:
    first = alone.get("/translate").text
    assert re.findall(r'href="(/translate/\w+)"', first) == ["/translate/en", "/translate/ar"]
    assert alone.get("/").headers["location"] == "/translate"
    whole = alone.get("/translate/ar").text
    assert whole.count('class="states"') == len(Workbench(ROOT).grounds().house.units)
    found = alone.get("/translate/ar", params={"q": "INFUSION IS tomorrow"}).text
    assert re.findall(r'href="/translate/ar/([\w.]+)\?', found) == ["pre.tomorrow.body.title", "pre.tomorrow.sms"]
    assert "Nothing here." in alone.get("/translate/ar", params={"show": "unfinished"}).text
    assert "Nothing here." in alone.get("/translate/ar", params={"q": "%(nobody)s"}).text
    assert alone.get("/translate/xx").status_code == 404
    assert alone.get("/translate/ar/no.such").status_code == 404


def test_what_is_typed_is_checked_and_shown_before_it_is_saved(alone: TestClient, root: Path) -> None:
    before = catalog(root).read_bytes()
    fields = shown(alone)
    good = alone.post(PAGE + "/preview", data=fields | {"form.0": SAID})
    assert faults(good.text) == []
    assert "للأسئلة أو التأخير" in good.text
    bad = alone.post(PAGE + "/preview", data=fields | {"form.0": SAID.replace("%(phone)s", "STOP  555-0199")}).text
    assert "placeholder.missing" in faults(bad)
    assert "must be mended before saving" in bad
    advice = alone.post(PAGE + "/preview", data=fields | {"form.0": SAID + " " + SAID.partition(": ")[2]})
    assert "placeholder.doubled" in faults(advice.text) or "placeholder.repeated" in faults(advice.text)
    assert catalog(root).read_bytes() == before, "a preview keeps nothing"
    assert alone.post(PAGE + "/preview", data=fields | {"csrf": "x"}).status_code == 403
    without = alone.post(PAGE, data=fields | {"form.0": SAID, "do": "preview"})
    assert without.status_code == 200
    assert "للأسئلة أو التأخير" in without.text
    assert catalog(root).read_bytes() == before, "nor does the button that needs no script"


def test_saving_changes_the_entry_its_credits_and_nothing_else(alone: TestClient, root: Path) -> None:
    before = catalog(root).read_text("utf-8").splitlines()
    answer = alone.post(PAGE, data=shown(alone) | {"form.0": SAID.replace(". ", ".\r\n"), "do": "next"})
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"?saved={KEY}")
    assert f"/{KEY}?" not in answer.headers["location"], "on to the next"
    after = catalog(root).read_text("utf-8").splitlines()
    assert after != before
    changed = [line for line in after if line not in before]
    assert any("Ana Reviewer" in line for line in changed)
    assert [line for line in changed if line.startswith("msgstr")] == ['msgstr "' + SAID.replace(". ", ".\\n") + '"']
    [signed] = [line for line in changed if line.startswith("# by: ")]
    assert signed.startswith("# by: Ana Reviewer <ana@example.org>, 2")
    assert len(changed) <= 5
    assert [line for line in before if line not in after and line.startswith("msg")] == [
        line for line in before if line.startswith("msgstr") and "غدا، %(day)s" in line and line not in after
    ]
    page = alone.get(PAGE).text
    assert "of an earlier wording" in page
    assert "Written by <bdi>Ana Reviewer &lt;ana@example.org&gt;</bdi>" in page
    assert "Written by" not in alone.get("/translate/ar/pre.tomorrow.subject").text, "she wrote one sentence"
    words = Words.load(root, ["ar"])
    drafted = coverage(words, "ar", root)
    assert ("machine" in drafted.drafted, drafted.edits) == (True, {"Ana Reviewer <ana@example.org>": 1})
    po_writing.write(catalog(root), {"hint.stop": ("أرسلوا STOP.",)}, translator="Ben, MD <b@x.example>", now=NOW)
    assert translators(root, "ar", [KEY]) == {"Ana Reviewer <ana@example.org>", "Ben, MD <b@x.example>"}, "not one less"
    assert translators(root, "ar", ["pre.tomorrow.subject"]) == {"Ben, MD <b@x.example>"}
    after = catalog(root).read_text("utf-8").splitlines()
    again = alone.post(PAGE, data=shown(alone))
    assert again.status_code == 303
    assert catalog(root).read_text("utf-8").splitlines() == after, "saving the same words again changes nothing"


def test_words_that_a_patient_must_not_get_are_not_saved_and_not_lost(alone: TestClient, root: Path) -> None:
    before, fields = catalog(root).read_bytes(), shown(alone)
    typed = SAID.replace("%(phone)s", "%(fone)s")
    refused = alone.post(PAGE, data=fields | {"form.0": typed})
    assert refused.status_code == 422
    assert typed in unescape(refused.text)
    assert 'aria-invalid="true"' in refused.text
    empty = alone.post(PAGE, data=fields | {"form.0": "  "})
    assert (empty.status_code, "nothing is written yet" in empty.text) == (422, True)
    assert alone.post("/translate/en/" + KEY, data=fields | {"form.0": "Hello"}).status_code == 422
    assert catalog(root).read_bytes() == before


def test_the_second_of_two_translators_is_shown_both_wordings_and_decides(alone: TestClient, root: Path) -> None:
    opened = shown(alone)
    theirs = SAID.replace("للأسئلة أو التأخير", "للأسئلة")
    assert alone.post(PAGE, data=shown(alone) | {"form.0": theirs}).status_code == 303
    late = alone.post(PAGE, data=opened | {"form.0": SAID})
    assert late.status_code == 409
    assert "Somebody has saved this text" in late.text
    assert SAID in unescape(late.text)
    assert re.sub(r"</?bdi[^>]*>", "", late.text).count(theirs.replace("%(clinic)s: ", "")) == 1
    assert theirs in catalog(root).read_text("utf-8"), "nothing is written over"
    seen_first = alone.post(PAGE, data=opened | {"form.0": SAID, "do": "preview"})
    assert field(seen_first.text, "digest") == opened["digest"], "looking does not count as having seen theirs"
    insist = alone.post(PAGE, data=opened | {"form.0": SAID, "digest": field(late.text, "digest")})
    assert insist.status_code == 303
    assert SAID in catalog(root).read_text("utf-8")


def test_a_disk_that_cannot_be_written_is_said_so_and_what_was_typed_stays(
    alone: TestClient, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = shown(alone)
    if os.geteuid() == 0:  # root may write wherever a mode forbids it, so the mode is put before it as for others
        monkeypatch.setattr(os, "access", lambda *_: False)
    catalog(root).chmod(0o444)
    answer = alone.post(PAGE, data=fields | {"form.0": SAID})
    assert answer.status_code == 409
    assert "cannot be written" in answer.text
    assert "read-only" in answer.text
    assert SAID in unescape(answer.text)
    assert str(root) not in answer.text


def test_a_broken_catalog_is_shown_with_its_line_and_not_written(alone: TestClient, root: Path) -> None:
    fields = shown(alone)
    path = catalog(root)
    path.write_text(path.read_text("utf-8") + "<<<<<<< mine\n", "utf-8")
    listed = alone.get("/translate/ar").text
    assert "cannot be read" in listed
    assert str(root) not in listed
    assert '<button name="do"' not in alone.get(PAGE).text
    before = path.read_bytes()
    assert alone.post(PAGE, data=fields | {"form.0": SAID}).status_code in (409, 422)
    assert path.read_bytes() == before


def test_english_newer_than_the_file_is_not_translated_into_the_old_entry(alone: TestClient, root: Path) -> None:
    template = root / "templates" / "messages" / "pre.tomorrow" / "sms.txt"
    template.write_text(template.read_text("utf-8").replace("{{ clinic }}: ", "{{ clinic }} here: "), "utf-8")
    answer = alone.post(PAGE, data=shown(alone) | {"form.0": SAID})
    assert answer.status_code == 422
    assert "outreach locales update" in answer.text
    assert 'href="/translate/ar/pre.tomorrow.sms?show=unfinished' in alone.get("/translate/ar?show=unfinished").text


def test_mails_and_pages_are_framed_and_run_nothing(alone: TestClient) -> None:
    unit = "/translate/ar/pre.the_day.body.long"
    page = alone.get(unit)
    frames = [unescape(one) for one in re.findall(r'<iframe[^>]* sandbox [^>]*src="([^"]+)"', page.text)]
    assert len(frames) == 2
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    for place in frames:
        answer = alone.get(place.replace("form.2=", "form.2=ZZ&x=").replace("number=60", "number=2"))
        assert answer.status_code == 200
        assert 'dir="rtl"' in answer.text
        assert "ZZ" in answer.text, "the form for two is shown where the number is two"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "script" not in policy
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    hostile = alone.get(unit + "/page.html", params={"form.4": "<script>alert(1)</script>%(minutes)s", "number": "60"})
    assert "<script" not in hostile.text
    mail = alone.get(unit + "/email.html", params={"form.4": "<img src=x>%(minutes)s", "number": "60"})
    assert "<img src=x" not in mail.text


def test_small_words_can_be_looked_at_on_the_patients_page(alone: TestClient) -> None:
    """Each unit's page opens; where it has a page of the patient's, that one too, and it says the unit."""
    lacking = []
    keys = [key for key in Workbench(ROOT).grounds().house.units if key.startswith(("page.", "privacy.", "time."))]
    for key in keys[::2]:
        frames = re.findall(r'src="([^"]+page\.html[^"]*)"', alone.get(f"/translate/ar/{key}").text)
        if frames and "ZZMARK" not in alone.get(f"/translate/ar/{key}/page.html", params={"form.0": "ZZMARK"}).text:
            lacking.append(key)
        if not frames and not key.startswith("page.answered"):
            lacking.append(f"{key}: no page")
    assert lacking == []


def test_alone_it_answers_this_machines_own_pages_and_nobody_elses(alone: TestClient) -> None:
    assert alone.get("/translate", headers={"host": "evil.example"}).status_code == 403
    assert alone.get("/translate", headers={"host": "127.0.0.1.evil.example:8790"}).status_code == 403
    assert alone.get("/translate", headers={"host": "localhost:8790"}).status_code == 200
    assert alone.get("/translate", headers={"host": "[::1]:8790"}).status_code == 200
    fields = shown(alone) | {"form.0": SAID}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert alone.post(PAGE, data=fields, headers=headers).status_code == 403
    assert alone.post(PAGE, data=fields | {"csrf": ""}).status_code == 403
    assert alone.post(PAGE, data=fields, headers={"origin": "null", "sec-fetch-site": "same-origin"}).status_code == 303
    fields = shown(alone)
    assert alone.post(PAGE, data=fields, headers={"origin": HERE, "sec-fetch-site": "same-origin"}).status_code == 303


def desk(house: House, root: Path, role: Role) -> TestClient:
    """Somebody of this role, in a console whose words are those under `root`."""
    front: object = create(house.out)
    app = front
    while not isinstance(app, FastAPI):
        app = getattr(app, "app", None) or app._rest  # type: ignore[attr-defined]
    app.state.workbench = Workbench(root)
    email = f"{role.value}@north.example"
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email=email, name="Tara Translator", password=PASSWORD, role=role)
    browser = TestClient(front, base_url=PUBLIC, follow_redirects=False)  # type: ignore[arg-type]
    form = field(browser.get("/sign-in").text, "form")
    browser.post("/sign-in", data={"form": form, "email": email, "password": PASSWORD})
    return browser


def test_a_translator_of_a_clinic_saves_in_the_console_and_the_audit_says_who(house: House, root: Path) -> None:
    translator = desk(house, root, Role.TRANSLATOR)
    assert 'href="/translate"' in translator.get("/translate").text
    answer = translator.post(PAGE, data=shown(translator) | {"form.0": SAID})
    assert answer.status_code == 303
    assert "Tara Translator" in catalog(root).read_text("utf-8")
    with house.out.sessions() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT action, subject, subject_id, detail ->> 'locale' FROM audit WHERE action LIKE 'words.%%'"
        )
        assert rows.all() == [("words.translated", "words", KEY, "ar")]
    assert translator.post(PAGE, data=shown(translator) | {"csrf": "of another session"}).status_code == 403
    coordinator = desk(house, root, Role.COORDINATOR)
    assert coordinator.get("/translate").status_code == 403
    assert coordinator.get(PAGE).status_code == 403


def test_what_could_not_be_written_is_not_in_the_audit(
    house: House, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_args: object, **_named: object) -> None:
        raise BadFile(path, 0, "the catalog is read-only.", "Allow writing to it.")

    translator = desk(house, root, Role.TRANSLATOR)
    fields = shown(translator)
    monkeypatch.setattr(po_writing, "write", refuse)
    assert translator.post(PAGE, data=fields | {"form.0": SAID}).status_code == 409
    with house.out.sessions() as session:
        counted = session.connection().exec_driver_sql("SELECT count(*) FROM audit WHERE action LIKE 'words.%%'")
        assert counted.scalar() == 0


def test_the_command_asks_for_a_name_and_a_language_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, dict[str, object]]] = []
    monkeypatch.setattr(translate.uvicorn, "run", lambda app, **named: started.append((app, named)))
    run = CliRunner().invoke(main.build(["translate"]), ["translate", "ar-EG", "--name", "Ana", "--port", "8791"])
    assert run.exit_code == 0
    assert "http://127.0.0.1:8791/translate/ar" in run.stdout
    assert started[0][1]["host"] == "127.0.0.1"
    assert CliRunner().invoke(main.build(["translate"]), ["translate", "xx", "--name", "Ana"]).exit_code == 1


def test_a_text_whose_english_has_changed_shows_the_english_that_it_was_translated_from(root: Path) -> None:
    sms = root / "templates" / "messages" / "pre.tomorrow" / "sms.txt"
    sms.write_text(sms.read_text("utf-8").replace("Questions, or late?", "Will you be late?"), "utf-8")
    extraction.update(root, "ar")
    with TestClient(local.create(root, "Ana Reviewer <ana@example.org>"), base_url=HERE) as alone:
        page = alone.get(PAGE).text
        assert re.search(r"Before</dt><dd[^>]*>.*?Questions, or late\?.*?</dd>", page)
        assert "Will you be late?" in page


def test_a_sample_reader_has_all_that_the_templates_ask_of_a_reader() -> None:
    named = [ROOT / "templates" / "pages" / f"{name}.html" for name in (*patient_page.TEMPLATES, "call", "base")]
    asked = {name for path in named for name in re.findall(r"\breader\.(\w+)", path.read_text("utf-8"))}
    assert "stopped" in asked
    reader = patient_page.Reader(shipped.words().language("en"))
    assert not reader.declined, "only of whoever declined is the message itself asked for"
    assert {name for name in asked if not hasattr(reader, name)} == {"due", "said_no"}
