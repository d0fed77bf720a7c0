"""The page of compliance: what it names exists, and every one of its twenty points says where and how, or "not yet"."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from outreach.settings import ROOT

PAGE = (ROOT / "docs" / "compliance.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(::?)(\w+)`", PAGE.partition("| --- |")[2])))


@cache
def names(path: str) -> frozenset[str]:
    """The functions and classes of a file, methods too."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))


@pytest.mark.parametrize(("path", "kind", "name"), NAMED, ids=lambda part: part)
def test_what_it_names_is_there(path: str, kind: str, name: str) -> None:
    assert (ROOT / path).is_file(), path
    assert name in names(path), f"{path} has no {name}"
    assert (kind == "::") is path.startswith("tests/")


def test_it_has_all_twenty_points_each_with_a_place_and_a_test_or_a_not_yet() -> None:
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, 21))
    for row in ROWS:
        _, _, point, where, proof, _ = row.split("|")
        assert point.strip()
        assert "outreach/" in where or "*Not yet*" in where, row[:60]
        assert "tests/" in proof or "*Not yet*" in proof, row[:60]
