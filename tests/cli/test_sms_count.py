"""`outreach sms count`, as typed."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from outreach.cli.sms import app


def test_it_prints_encoding_units_segments_and_what_forces_them() -> None:
    said = CliRunner().invoke(app, ["count"], input="Su infusión\n")
    assert said.exit_code == 0
    assert said.output.splitlines() == ["UCS-2, 11 units, 1 segment", "forced by:", "  position 9: ó  U+00F3"]


def test_it_prints_json_for_programs() -> None:
    said = CliRunner().invoke(app, ["count", "--json"], input="a" * 161)
    assert json.loads(said.output) == {"encoding": "GSM-7", "units": 161, "segments": 2, "forcing": []}


def test_what_cannot_be_sent_is_refused() -> None:
    empty = CliRunner().invoke(app, ["count"], input="")
    assert (empty.exit_code, "empty" in empty.stderr) == (2, True)
    odd = CliRunner().invoke(app, ["count"], input=b"\xff")
    assert (odd.exit_code, "UTF-8" in odd.stderr) == (2, True)
    bell = CliRunner().invoke(app, ["count"], input="a\x07")
    assert (bell.exit_code, "U+0007 at position 1" in bell.stderr) == (2, True)
