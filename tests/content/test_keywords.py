"""The words patients answer with, as a file that people edit."""

from pathlib import Path

import pytest

from outreach.content.keywords import load_replies
from outreach.errors import BadFile
from outreach.settings import ROOT

SHIPPED = ROOT / "config" / "replies.yaml"
GOOD = "groups:\n  - {kind: stop, locale: en, words: [STOP], source: somewhere}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "replies.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_words_cover_the_first_languages_in_every_kind() -> None:
    words = load_replies(SHIPPED)
    for kind in ("stop", "start", "help", "yes"):
        assert {"en", "es", "ar"} <= {word.locale for word in words.of(kind)}, kind


def test_only_documented_words_claim_to_be_reviewed() -> None:
    reviewed = {word.locale for word in load_replies(SHIPPED).words if word.reviewed}
    assert reviewed == {"en", "fr"}


def test_the_digest_follows_the_words_not_the_comments(tmp_path: Path) -> None:
    first = load_replies(written(tmp_path, GOOD)).digest
    assert load_replies(written(tmp_path, "# a note\n" + GOOD)).digest == first
    assert load_replies(written(tmp_path, GOOD.replace("[STOP]", "[STOP, QUIT]"))).digest != first


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param("", 0, "empty", id="empty"),
        pytest.param("groups:\n", 1, "no groups", id="no groups"),
        pytest.param(GOOD + "more: 1\n", 3, '"more"', id="unknown word at the top"),
        pytest.param(GOOD.replace("kind: stop", "kind: stpo"), 2, "Did you mean stop", id="unknown kind"),
        pytest.param(GOOD.replace("source", "sorce"), 2, "Did you mean source", id="misspelt key"),
        pytest.param(GOOD.replace(", source: somewhere", ""), 2, "source is missing", id="no source"),
        pytest.param(GOOD.replace("[STOP]", "STOP"), 2, "must be a list", id="no list"),
        pytest.param(GOOD.replace("[STOP]", "[STOP, 1]"), 2, 'in quotes: "1"', id="a number"),
        pytest.param(GOOD.replace("[STOP]", "[true]"), 2, "in quotes", id="a truth value"),
        pytest.param(GOOD.replace("[STOP]", '["!"]'), 2, "no letters", id="only punctuation"),
        pytest.param(GOOD.replace("[STOP]", '["1"]'), 0, "is a digit", id="a digit"),
        pytest.param(
            GOOD + GOOD.splitlines()[1].replace("stop,", "start,") + "\n", 0, "for stop only", id="two meanings"
        ),
        pytest.param(GOOD.replace("source:", "anywhere: sometimes, source:"), 2, "neither true nor false", id="flag"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadFile) as refused:
        load_replies(path)
    assert refused.value.line == line
    assert says in str(refused.value)
    assert str(path) in str(refused.value)
