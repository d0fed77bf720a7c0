"""The ideas of replies, as files that people edit."""

from pathlib import Path

import pytest

from outreach.content.concepts import load_sense
from outreach.domain.passage import Passage
from outreach.errors import BadFile
from outreach.settings import ROOT

RULES = "rules:\n  - {means: stop, each: [cease, message]}\n"
WORDS = "source: somewhere\nconcepts:\n  cease: [stop]\n  message: [texts]\n"


def folder(path: Path, rules: str = RULES, words: str = WORDS) -> Path:
    (path / "rules.yaml").write_text(rules, "utf-8")
    (path / "en.yaml").write_text(words, "utf-8")
    return path


def test_without_the_folder_nothing_is_sensed(tmp_path: Path) -> None:
    assert load_sense(tmp_path / "none").rules == ()


def test_every_language_has_words_for_every_idea_that_a_rule_needs() -> None:
    sense = load_sense(ROOT / "config" / "concepts")
    missing = []
    for file in sorted((ROOT / "config" / "concepts").glob("*.yaml")):
        text = file.read_text("utf-8")
        for rule in sense.rules if file.stem != "rules" else ():
            if rule.means in ("stop", "help", "urgent") and len(rule.each) > 1:
                missing += [(file.stem, names) for names in rule.each if not any(f"\n  {n}: [" in text for n in names)]
    assert {one for one in missing if one[1] not in {("leave",), ("be_alone",)}} == set()


def test_words_are_laid_out_for_the_first_message_and_not_before(tmp_path: Path) -> None:
    sense = load_sense(folder(tmp_path))
    assert "_forms" not in vars(sense), "a process that reads no reply would pay for it"
    passage = Passage.of("stop the texts")
    assert sense.sensed(passage, sense.hits(passage), "stop")


def test_the_digest_follows_words_and_rules(tmp_path: Path) -> None:
    first = load_sense(folder(tmp_path)).digest
    assert load_sense(folder(tmp_path, RULES, "# a note\n" + WORDS)).digest == first
    assert load_sense(folder(tmp_path, RULES, WORDS.replace("[stop]", "[stop, halt]"))).digest != first
    assert load_sense(folder(tmp_path, RULES.replace("]}", "], within: 2}"))).digest != first


@pytest.mark.parametrize(
    ("rules", "words", "says"),
    [
        (RULES, WORDS.replace("cease", "seize"), "no rule asks for"),
        (RULES, WORDS.replace("source: somewhere\n", ""), "source is missing"),
        (RULES, WORDS.replace("[stop]", "[1]"), "is not text"),
        (RULES.replace("means: stop", "means: halt"), WORDS, "means is missing"),
        (RULES.replace("each", "eech"), WORDS, "eech"),
        (RULES.replace("means: stop", "means: urgent"), WORDS, "about"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, rules: str, words: str, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        load_sense(folder(tmp_path, rules, words))
