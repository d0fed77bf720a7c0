"""Writing into a .po file: what is read back is what was said, and no other line is another one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.content import po_writing
from outreach.content.back_translations import fingerprint
from outreach.content.extraction import targets
from outreach.content.pofile import parse
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT

NOW = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
ANA = "Ana Pérez <ana@clinic.example>"
PO = ROOT / "locales" / "es" / "LC_MESSAGES" / "messages.po"

HEAD = """# Spanish.
# Someone, 2025.
#
msgid ""
msgstr ""
"Project-Id-Version: x\\n"
"PO-Revision-Date: 2020-01-01 00:00+0000\\n"
"Last-Translator: some very "
"long name\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""
BODY = """
# a note
#. from the code
#: a.html
#, python-format, FUZZY, no-wrap
#= Fuzzy
#| msgid "Old"
#| "er"
msgctxt "a"
msgid "New %(x)s"
msgstr ""
"Viejo "
"%(x)s"

#~ # gone
#, fuzzy
#~ msgctxt "gone"
#~ msgid "Gone"
#~ msgstr "Ido"
msgctxt "b"
msgid "One"
msgid_plural "%(n)s"
msgstr[0] "uno"
msgstr[1] "varios \\"x\\""
"""


def _written(folder: Path, text: str, changes: dict[str, tuple[str, ...]], name: str = ANA) -> str:
    path = folder / "x.po"
    path.write_bytes(text.encode())
    po_writing.write(path, changes, translator=name, now=NOW)
    return path.read_bytes().decode()


def _lines_but(text: str, *starts: str) -> list[str]:
    return [line for line in text.split("\n") if not line.startswith(starts)]


def test_only_the_lines_of_the_entry_and_of_the_header_change(tmp_path: Path) -> None:
    new = 'Nuevo "%(x)s"\\'
    after = _written(tmp_path, HEAD + BODY, {"a": (new,)})
    expected = (HEAD + BODY).replace(
        '#, python-format, FUZZY, no-wrap\n#= Fuzzy\n#| msgid "Old"\n#| "er"\n', "#, python-format, no-wrap\n"
    ).replace('msgstr ""\n"Viejo "\n"%(x)s"', r'msgstr "Nuevo \"%(x)s\"\\"')  # fmt: skip
    expected = (
        expected.replace("# Someone, 2025.\n", f"# Someone, 2025.\n# {ANA}, 2026.\n")
        .replace("2020-01-01 00:00", "2026-11-21 22:30")
        .replace('some very "\n"long name', ANA)
        .replace("# a note\n", f"# by: {ANA}, 2026-11-21, {fingerprint((new,))}\n# a note\n")
    )
    assert after == expected
    both = _written(tmp_path, HEAD + BODY, {"b": ("1", "2\n3"), "a": ("A",)})
    assert [(one.key, one.forms, one.fuzzy) for one in parse(PO, both)[1:]] == [
        ("a", ("A",), False),
        ("b", ("1", "2\n3"), False),
    ]


def test_saying_the_same_again_changes_no_byte_and_a_second_saving_names_nobody_twice(tmp_path: Path) -> None:
    first = _written(tmp_path, HEAD + BODY, {"a": ("Nuevo",)})
    assert _written(tmp_path, first, {"a": ("Nuevo",), "b": ("uno", 'varios "x"')}) == first
    second = _written(tmp_path, first.replace("ana@clinic.example>, 2026", "ana@clinic.example>, 2024"), {"a": ("X",)})
    assert second.count(f"# {ANA}") == 1
    assert f"# {ANA}, 2024, 2026.\n" in second


def test_what_cannot_be_written_is_refused_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.po"
    text = HEAD + BODY
    for changes, name, said in [
        ({"nobody": ("x",)}, ANA, "no entry has the key 'nobody'"),
        ({"gone": ("x",)}, ANA, "no entry has the key 'gone'"),
        ({"": ("x",)}, ANA, "no entry has the key"),
        ({"a": ("x", "y")}, ANA, "a takes 1 forms"),
        ({"b": ("x",)}, ANA, "b takes 2 forms"),
        ({"a": ("x\x07",)}, ANA, "U\\+0007"),
        ({"a": ("x\r",)}, ANA, "U\\+000D"),
        ({"a": ("\ud800",)}, ANA, "U\\+D800"),
        ({"a": ("x\u2028",)}, ANA, "U\\+2028"),
        ({"a": ("x",)}, "Ana\nmsgid", "U\\+000A"),
        ({"a": ("x",)}, "  ", "Say who"),
    ]:
        with pytest.raises(BadInput, match=said):
            _written(tmp_path, text, changes, name)
        assert path.read_text("utf-8") == text
    for broken, said in [
        (text.replace('msgctxt "b"', 'msgctxt "a"'), "stands in line 20 already"),
        (text.replace("msgid", "<<<<<<< msgid", 1), "no line of a catalog"),
        (BODY, "header"),
        (text.replace('msgstr ""\n"Project-Id-Version: x\\n"\n"PO', 'msgstr "PO'), "share a line"),
    ]:
        with pytest.raises(BadFile, match=said):
            _written(tmp_path, broken, {"a": ("x",)})
    path.write_bytes(text.encode() + b"\xff")
    with pytest.raises(BadFile, match="not UTF-8"):
        po_writing.write(path, {"a": ("x",)}, translator=ANA, now=NOW)
    path.write_text(text, "utf-8")
    path.chmod(0o444)
    with pytest.raises(BadFile, match="read-only"):
        po_writing.write(path, {"a": ("x",)}, translator=ANA, now=NOW)
    with pytest.raises(BadFile, match="cannot be read"):
        po_writing.write(tmp_path / "none.po", {"a": ("x",)}, translator=ANA, now=NOW)
    assert list(tmp_path.iterdir()) == [path], "nothing is left behind"


def test_mode_link_and_line_ends_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.po", tmp_path / "link.po"
    real.write_bytes((HEAD + BODY).replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link.symlink_to(real)
    po_writing.write(link, {"a": ("x",), "b": ("1", "2")}, translator=ANA, now=NOW)
    raw = real.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert real.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_every_catalog_that_ships_can_be_said_anew_without_another_line_changing(tmp_path: Path) -> None:
    for locale in targets(ROOT):
        text = (ROOT / "locales" / locale / "LC_MESSAGES" / "messages.po").read_text("utf-8")
        one = parse(PO, text)[-1]
        after = _written(tmp_path, text, {one.key: tuple(f"{form}!" for form in one.forms)})
        gone = [line for line in text.split("\n") if line not in after.split("\n")]
        assert len(gone) <= 2 + len(one.forms), (locale, gone)


_words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
_form = st.text(st.one_of(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), st.just("\n")), max_size=15)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@st.composite
def _catalogs(draw: st.DrawFn) -> tuple[str, dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """A catalog, what it says, and what to change."""
    said: dict[str, tuple[str, ...]] = {}
    changes: dict[str, tuple[str, ...]] = {}
    blocks = [HEAD]
    for number in range(draw(st.integers(1, 5))):
        key, plural = f"k{number}", draw(st.booleans())
        said[key] = tuple(draw(_form) for _ in range(2 if plural else 1))
        block = draw(st.sampled_from(["", "# note\n", "#. code\n#: a:1\n", '#~ msgid "x"\n#~ msgstr "y"\n\n']))
        block += draw(st.sampled_from(["", "#, fuzzy\n", "#, Fuzzy, python-format\n", "#= fuzzy\n", "#, no-wrap\n"]))
        block += draw(st.sampled_from(["", '#| msgid "was"\n']))
        block += f'msgctxt "{key}"\nmsgid {_quoted(draw(_words))}\n' + ('msgid_plural "%(n)s"\n' if plural else "")
        for index, form in enumerate(said[key]):
            cut = draw(st.integers(0, len(form)))
            name = f"msgstr[{index}]" if plural else "msgstr"
            wrapped = f'""\n{_quoted(form[:cut])}\n{_quoted(form[cut:])}'
            block += f"{name} {draw(st.sampled_from([_quoted(form), wrapped]))}\n"
        blocks.append(block)
        if draw(st.booleans()):
            changes[key] = tuple(draw(_form) for _ in said[key])
    ending = draw(st.sampled_from(["", "\n", '\n#~ msgid "gone"\n#~ msgstr "ido"\n']))
    text = ("\n".join(blocks) + ending).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    return (text if draw(st.booleans()) else text.rstrip("\r\n")), said, changes


@settings(max_examples=150, deadline=None)
@given(_catalogs())
def test_what_is_written_is_read_back_and_all_else_stays(
    made: tuple[str, dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]],
) -> None:
    text, said, changes = made
    before = parse(PO, text)
    after_text = po_writing.changed(PO, text, changes, ANA, NOW)
    after = parse(PO, after_text)
    assert {one.key: one.forms for one in after[1:]} == {**said, **changes}
    assert [one.fuzzy for one in after[1:]] == [one.fuzzy and one.key not in changes for one in before[1:]]
    assert [one.flags - {"fuzzy"} for one in after[1:]] == [one.flags - {"fuzzy"} for one in before[1:]]
    assert po_writing.changed(PO, after_text, changes, ANA, NOW) == after_text
    assert after_text.count("\n") - after_text.count("\r\n") in (0, after_text.count("\n"))
    untouched = _lines_but(text, "msgstr", '"', "#,", "#=", "#|")
    assert [line for line in _lines_but(after_text, "msgstr", '"', "#,", "#=", "#|") if ANA not in line] == untouched
