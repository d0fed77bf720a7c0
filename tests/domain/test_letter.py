"""What a person wrote in a mail, beside what their mail program put there."""

from __future__ import annotations

import pytest

from outreach.domain.letter import LONGEST, Letter, read_letter, written

CASES = {
    "quoted with >": ("STOP\n\nOn Mon, Dec 7, 2026 at 9 AM Fern <care@fern.example>\nwrote:\n\n> Reply STOP", "STOP"),
    "written below": ("On Mon, Dec 7, 2026 Fern wrote:\n> Hi\n> Reply STOP\n\nI cannot breathe", "I cannot breathe"),
    "between": ("> Are you well?\nNo.\n> Reply STOP\nI feel ill.", "No.\nI feel ill."),
    "German": ("Danke\n\nAm 7. Dez. 2026 um 09:00 schrieb Fern <care@fern.example>:\n\nReply STOP", "Danke"),
    "French, no mailbox": ("Merci\n\nLe 7 déc. 2026 à 09:00, Fern a écrit :\n\nReply STOP", "Merci"),
    "a verb not listed": ("谢谢\n\nFern <care@fern.example> 于2026年12月7日写道：\n\nReply STOP", "谢谢"),
    "Outlook's line": ("Ok\n-----Original Message-----\nReply STOP", "Ok"),
    "Outlook's head": (
        "Ok\n" + "_" * 32 + "\nVon: Fern <care@fern.example>\nGesendet: Montag, 7. Dezember 2026\nAn: Ana\nBetreff: Ja"
        "\n\nReply STOP", "Ok",
    ),
    "a signature": ("Thanks\n-- \nStop Signs Inc.", "Thanks"),
    "a telephone's": ("Stop\n\nSent from my iPhone", "Stop"),
    "colons, and no head": ("E-mail: a@b.example\nPhone: 55\nI faint", "E-mail: a@b.example\nPhone: 55\nI faint"),
    "no original, though it ends in a colon": ("I felt this at 5:30:\nchest pain", "I felt this at 5:30:\nchest pain"),
    "nothing": ("", ""),
}  # fmt: skip


def test_the_original_is_cut_and_nothing_that_a_person_wrote() -> None:
    assert {name: written(text) for name, (text, _) in CASES.items()} == {name: own for name, (_, own) in CASES.items()}


def letter(head: str, body: str = "") -> Letter | None:
    return read_letter(f"From: Ana <Ana@Home.example>\r\n{head}\r\n\r\n{body}".encode())


HTML = (
    "<html><head><style>stop {}</style><title>stop</title></head><body><!-- stop --><p>I can&#39;t<br>breathe</p>"
    "<div>On Mon Fern &lt;care@x.example&gt; wrote:<blockquote><blockquote>a</blockquote>Reply STOP</blockquote></div>"
)


@pytest.mark.parametrize(
    ("head", "body", "subject", "text"),
    [
        pytest.param("Subject: Re: AW: Fwd: STOP", "", "STOP", "", id="an answer's subject"),
        pytest.param("Subject: arrêter", "", "arrêter", "", id="letters as they are"),
        pytest.param("Subject: =?utf-8?b?YXJyw6p0ZXI=?=", "", "arrêter", "", id="letters encoded"),
        pytest.param("Subject: =?no-such?q?x?=", "", None, "", id="an encoding that is none"),
        pytest.param("Content-Type: text/html; charset=utf-8", HTML, "", "I can't\nbreathe", id="only HTML"),
        pytest.param("Content-Type: text/plain; charset=no-such", "STOP", "", "STOP", id="a charset that is none"),
        pytest.param("Content-Transfer-Encoding: base64", "U1RPUA==", "", "STOP", id="base64"),
        pytest.param("X: 1", "x" * 5000, "", "x" * LONGEST, id="endless"),
        pytest.param("X: 1", "a\0b", "", "ab", id="what no database keeps"),
    ],
)
def test_it_is_read_however_it_was_encoded(head: str, body: str, subject: str | None, text: str) -> None:
    found = letter(head, body)
    assert found is not None
    assert (found.mailbox, found.text) == ("ana@home.example", text)
    assert subject is None or found.subject == subject


def test_what_is_enclosed_is_not_the_writers() -> None:
    part = "--b\r\nContent-Type: {}\r\n{}\r\n{}\r\n"
    parts = (
        part.format("message/rfc822", "", "Subject: x\r\n\r\nReply STOP")
        + part.format("text/plain", "Content-Disposition: attachment; filename=a.txt\r\n", "STOP")
        + part.format("text/html", "", "<p>Hello</p>")
    )
    assert letter("Content-Type: multipart/mixed; boundary=b", parts + "--b--") == ("ana@home.example", "", "Hello")


@pytest.mark.parametrize("kind", ["html", "plain"])
@pytest.mark.parametrize("made", ["<", "<a ", "<!--", "<a@", "on ", "a: ", "on x\n", "-_", "<blockquote>"])
def test_no_mail_is_slow_to_read(kind: str, made: str) -> None:
    """With a parser that goes back over what it has read, some of these take minutes."""
    assert letter(f"Content-Type: text/{kind}", made * (120_000 // len(made))) is not None


def test_parts_within_parts_bring_nobody_down() -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n" for at in range(3000))
    assert letter(deep, "STOP") is None
