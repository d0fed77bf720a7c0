"""The words as they ship, and the longest values they must fit with."""

from __future__ import annotations

import pytest

from outreach.content.compose import Values, Words
from outreach.content.measure import longest
from outreach.settings import ROOT
from tests import shipped


@pytest.fixture(scope="session")
def words() -> Words:
    return shipped.words()


@pytest.fixture(scope="session")
def values() -> Values:
    return longest(ROOT / "config" / "longest.yaml")
