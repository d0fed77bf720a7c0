"""Reports that come back by mail, as providers write them."""

from __future__ import annotations

import pytest

from outreach.domain.mail_report import MOST_BYTES, OTHER, MailReport, read_report

TOP = "From: fbl@provider.example\r\nTo: care@fern.example\r\nSubject: FW: Your visit\r\nMIME-Version: 1.0\r\n"
WORDS = "--b\r\nContent-Type: text/plain\r\n\r\nThis is a report for ana@home.example.\r\n"
OURS = "--b\r\nContent-Type: {}\r\n\r\nFrom: care@fern.example\r\nTo: Ana <Ana@Home.example>\r\n\r\nhi\r\n"


def complaint(fields: str, kind: str = "feedback-report", enclosed: str = "message/rfc822") -> bytes:
    top = TOP + f"Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n"
    part = f"--b\r\nContent-Type: message/feedback-report\r\n\r\n{fields}\r\n"
    return (top + WORDS + part + (OURS.format(enclosed) if enclosed else "") + "--b--\r\n").encode()


def bounce(block: str) -> bytes:
    top = TOP + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    part = f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{block}\r\n"
    return (top + WORDS + part + "--b--\r\n").encode()


ABUSE = "Feedback-Type: abuse\r\nUser-Agent: X/1\r\nVersion: 1\r\n"
NAMED = ABUSE + "Original-Rcpt-To: <ana@home.example>\r\n"
GONE = "Final-Recipient: rfc822; ana@home.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
ANA = "ana@home.example"


@pytest.mark.parametrize(
    ("raw", "report"),
    [
        pytest.param(complaint(NAMED), MailReport("complaint", ANA, "abuse"), id="the report names the mailbox"),
        pytest.param(complaint(ABUSE), MailReport("complaint", ANA, "abuse"), id="the enclosed mail does"),
        pytest.param(
            complaint(ABUSE, enclosed="text/rfc822-headers"), MailReport("complaint", ANA, "abuse"), id="its headers do"
        ),
        pytest.param(complaint(ABUSE, enclosed=""), MailReport("complaint", "", "abuse"), id="nothing names it"),
        pytest.param(
            complaint(NAMED.replace("abuse", "not-spam")), MailReport("other", ANA, "not-spam"), id="not spam after all"
        ),
        pytest.param(bounce(GONE), MailReport("dead", ANA, "5.1.1"), id="no such mailbox"),
        pytest.param(bounce(GONE.replace("5.1.1", "4.2.2")), OTHER, id="full for now"),
        pytest.param(bounce(GONE.replace("failed", "delayed")), OTHER, id="late"),
        pytest.param(b"From: ana@home.example\r\n\r\nFeedback-Type: abuse\r\nOriginal-Rcpt-To: x@y.example", OTHER,
                     id="a person who writes the same words"),
        pytest.param(b"", OTHER, id="nothing"),
        pytest.param(b"\xff\xfe\x00" * 50, OTHER, id="no mail at all"),
        pytest.param(complaint(NAMED) + b"x" * MOST_BYTES, OTHER, id="endless"),
    ],
)  # fmt: skip
def test_only_the_machines_part_counts(raw: bytes, report: MailReport) -> None:
    assert read_report(raw) == report
