"""Sequences as a file that clinic staff edit: every mistake named with file, line, step, and what would be right."""

from pathlib import Path

import pytest

from outreach.content.sequences import BadSequence, find, load
from outreach.domain.channel import Channel
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT

FOLDER = ROOT / "config" / "sequences"
GOOD = """\
name: trial
steps:
  - key: pre.the_day
    when: 3 days before start at 10:00
    once_per: infusion
    useful_until: start
    channels: [sms, email]
    again_when_moved: true
    asks: [1, 2]
    calendar: true
  - key: post.two_weeks
    when: 14 days after at 10:00
    once_per: course
    anchor: last infusion
    useful_until: 7 days later
    channels: [sms]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "trial.yaml"
    path.write_text(text, "utf-8")
    return path


def mistakes(folder: Path, text: str, known: set[str] | None = None) -> list[str]:
    with pytest.raises(BadFile) as refused:
        load(written(folder, text), known)
    return str(refused.value).replace(str(folder) + "/", "").splitlines()


def test_a_good_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    sequence = load(written(tmp_path, GOOD))
    day, weeks = sequence.steps
    assert sequence.name == "trial"
    assert (day.key, day.channels, day.answers, day.asks) == ("pre.the_day", tuple(Channel), ("1", "2"), True)
    assert (day.again_when_moved, day.calendar, day.anchor, day.trigger) == (True, True, None, None)
    assert (weeks.channels, weeks.once_per, weeks.anchor, weeks.asks) == ((Channel.SMS,), "course", "last", False)


def test_the_digest_follows_the_rules_not_the_layout(tmp_path: Path) -> None:
    digest = load(written(tmp_path, GOOD)).digest
    assert load(written(tmp_path, "# note\n" + GOOD.replace("[sms, email]", "[ sms,  email ]"))).digest == digest
    assert load(written(tmp_path, GOOD.replace("14 days", "15 days"))).digest != digest
    assert load(written(tmp_path, GOOD.replace("    calendar: true\n", ""))).digest != digest


def test_the_shipped_sequence_holds_every_step_of_the_course() -> None:
    sequence = load(FOLDER / "ketamine-infusion.yaml")
    assert [step.key for step in sequence.timed] == [
        "pre.what_to_expect", "pre.the_day", "pre.tomorrow", "post.first_hours", "post.check_in", "post.first_days",
        "post.two_weeks", "post.three_months",
    ]  # fmt: skip
    assert [step.key for step in sequence.triggered("enrolment")] == ["consent.request"]
    assert [step.key for step in sequence.triggered("agreed")] == ["consent.confirmed"]
    assert [step.key for step in sequence.triggered("moved")] == ["visit.moved"]
    assert [step.key for step in sequence.triggered("cancelled")] == ["visit.cancelled"]
    assert {step.key for step in sequence.steps if step.again_when_moved} == {"pre.the_day", "pre.tomorrow"}


def test_every_shipped_step_has_its_words() -> None:
    known = {path.name for path in (ROOT / "templates" / "messages").iterdir()}
    for path in FOLDER.glob("*.yaml"):
        load(path, known)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "key: pre.the_day\n", "unused: x\n",
            'trial.yaml:3: step number 1: key is missing. Add a line key: with the message\'s folder name.',
            id="no key",
        ),
        pytest.param(
            "3 days before start at 10:00", "3 days befor start at 10:00",
            'trial.yaml:4: step pre.the_day: when: "3 days befor start at 10:00" is not a time we can read. '
            'Write it like "3 days before start at 10:00".', id="when",
        ),
        pytest.param(
            "start at 10:00", "start at 10:60",
            'trial.yaml:4: step pre.the_day: when: "10:60" is not a time of day. '
            "Write hours and minutes, 00:00 to 23:59, such as 10:00.", id="clock",
        ),
        pytest.param(
            "once_per: infusion", "once_per: infusoin",
            'trial.yaml:5: step pre.the_day: once_per: "infusoin" is not one of ours. Did you mean infusion?',
            id="once",
        ),
        pytest.param(
            "useful_until: start", "useful_untill: start",
            'trial.yaml:6: step pre.the_day: "useful_untill" is not a word we know here. Did you mean useful_until?',
            id="unknown word",
        ),
        pytest.param(
            "useful_until: start", "useful_until: until start",
            'trial.yaml:6: step pre.the_day: useful_until: "until start" is not a time we can read. '
            'Write it like "start".', id="useful_until",
        ),
        pytest.param(
            "[sms, email]", "[sms, emial]",
            'trial.yaml:7: step pre.the_day: "emial" is not a channel. Did you mean email?', id="channel",
        ),
        pytest.param(
            "[sms, email]", "sms",
            "trial.yaml:7: step pre.the_day: channels must be a list. Write channels: [sms, email].",
            id="channels no list",
        ),
        pytest.param(
            "again_when_moved: true", "again_when_moved: yes please",
            'trial.yaml:8: step pre.the_day: again_when_moved: "yes please" is neither true nor false. '
            "Write again_when_moved: true.", id="flag",
        ),
        pytest.param(
            "[1, 2]", "[1, 1]",
            "trial.yaml:9: step pre.the_day: asks must be a list of different digits. Write asks: [1, 2].", id="asks",
        ),
        pytest.param(
            "key: post.two_weeks", "key: pre.the_day",
            "trial.yaml:11: step pre.the_day: this step is here twice. "
            "Remove one, or give it the key of another message.",
            id="twice",
        ),
        pytest.param(
            "    anchor: last infusion\n", "",
            "trial.yaml:11: step post.two_weeks: anchor and once_per: course belong together. "
            "Add anchor: first infusion (or last infusion).", id="no anchor",
        ),
        pytest.param(
            "useful_until: 7 days later", "useful_until: start",
            "trial.yaml:15: step post.two_weeks: a message after the infusion cannot be useful until its start. "
            "Write how long after, such as 1 day later.", id="useful before due",
        ),
        pytest.param(
            "    anchor: last infusion\n", "    anchor: last infusion\n    unless: next infusion within 48 hours\n",
            "trial.yaml:15: step post.two_weeks: unless needs once_per: infusion. Remove one of the two.", id="unless",
        ),
        pytest.param(
            "3 days before start at 10:00", "when moved",
            'trial.yaml:5: step pre.the_day: infusion does not fit "when moved". Write once_per: change.', id="event",
        ),
        pytest.param(
            "name: trial", "name: other", "trial.yaml:1: the name is not the file's. Write name: trial.", id="name",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_step_and_remedy(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert expected in mistakes(tmp_path, GOOD.replace(old, new, 1))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("10:00", "10.00").replace("[sms]", "[fax]").replace("infusion\n", "infusio\n", 1)
    told = mistakes(tmp_path, text)
    assert [line.split(":")[1] for line in told] == ["4", "5", "12", "16"]


def test_a_step_without_words_is_refused_with_the_nearest(tmp_path: Path) -> None:
    told = mistakes(tmp_path, GOOD, {"pre.the_days", "post.two_weeks"})
    assert told == [
        'trial.yaml:3: step pre.the_day: there is no message "pre.the_day" under templates/messages. '
        "Did you mean pre.the_days?"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("# only a comment\n", "the file is empty", id="only a comment"),
        pytest.param("name: [\n", "this is not YAML", id="not YAML"),
        pytest.param("just words\n", "these are not `word: value` lines", id="words"),
        pytest.param("name: trial\nname: trial\n", '"name" is written twice', id="a word twice"),
        pytest.param("name: trial\nsteps: none\n", "there are no steps", id="no steps"),
        pytest.param("name: trial\nsteps:\n  - one\n", "step number 1: this is not a step", id="no mapping"),
    ],
)
def test_a_file_that_is_no_sequence_is_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in mistakes(tmp_path, text)[0]


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"name: trial\n# caf\xe9\n")
    with pytest.raises(BadFile, match=r"trial\.yaml:2: these bytes are not UTF-8"):
        load(path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load(written(tmp_path, "\ufeff" + GOOD)).name == "trial"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no such file"):
        load(tmp_path / "none.yaml")


def test_the_first_mistake_is_the_error_itself(tmp_path: Path) -> None:
    with pytest.raises(BadSequence) as refused:
        load(written(tmp_path, GOOD.replace("[sms, email]", "[fax]").replace("[sms]", "[fax]")))
    assert (refused.value.line, len(refused.value.mistakes)) == (7, 2)


def test_an_unknown_sequence_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="Did you mean ketamine-infusion"):
        find(FOLDER, "ketamin-infusion")
    with pytest.raises(BadInput):
        find(FOLDER, "../../etc/passwd")
