"""E-mails about events: sentences that a person understands, subjects that SNS takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Unpack
from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from examhook.events.build import Event, endpoint_test_event, exam_event, operations_event, submission_event
from examhook.events.catalogue import EventType, ExamEventType, OperationsEventType
from examhook.events.message import email_for
from examhook.events.text import SUBJECT_UNITS, one_line, shortened
from examhook.model import ExamTransition, Receipt
from tests.support.events.event_examples import examples
from tests.support.events.model_values import OBSERVED_AT, TransitionFields, attempt, exam, submission, transition


def event_of(wanted: EventType, **fields: Unpack[TransitionFields]) -> Event:
    fields["event_type"] = wanted.value
    return submission_event(submission(), transition(**fields))


def test_an_email_reads_like_a_sentence_and_says_until_when_the_link_works() -> None:
    email = email_for(event_of(EventType.SUBMITTED))
    assert email.subject == "Mei Chen submitted “Anatomy II”, score 87, passed"
    assert email.text == (
        "Mei Chen submitted “Anatomy II” on 3 May 2026 at 14:02 UTC, score 87, passed.\n"
        "\n"
        "Exam: Anatomy II (23812)\n"
        "Candidate: Mei Chen (19382)\n"
        "Status: submitted (1)\n"
        "Score: 87\n"
        "Passed: yes\n"
        "Started: 3 May 2026 at 13:32 UTC\n"
        "Ended: 3 May 2026 at 14:02 UTC, after 30 min\n"
        "Account: main\n"
        "Event: evt_8e3883f09d15ddeaba6e0770fcbcfb0f\n"
        "\n"
        "Result (the link works until 3 May 2026 at 14:33 UTC):\n"
        "https://provider.test/viewresult/made-up-token\n"
    )


@pytest.mark.parametrize(
    ("event_type", "subject", "sentence"),
    [
        ("exam.opened", "“Anatomy II” is open to candidates", "as of 3 May 2026 at 13:32 UTC."),
        ("exam.closed", "“Anatomy II” is closed to candidates", "as of 3 May 2026 at 14:32 UTC."),
        ("exam.verified", "All results of “Anatomy II” are checked", "as of 3 May 2026 at 14:32 UTC."),
    ],
)
def test_an_email_about_an_exam_is_a_sentence_too(event_type: str, subject: str, sentence: str) -> None:
    email = email_for(examples()[event_type])
    assert email.subject == subject
    assert email.text.startswith(f"{subject} {sentence}\n\nExam: Anatomy II (23812)\nCategory: Medicine\n")
    counted = "\nAttempts: 2 (submitted 1, timed out 1)\n" in email.text
    assert counted == (event_type == "exam.verified")


@pytest.mark.parametrize("title", ["", "💉" * 90, "two\r\nlines", "x" * 4000])
@pytest.mark.parametrize("event_type", list(ExamEventType))
def test_sns_takes_every_subject_about_an_exam(title: str, event_type: ExamEventType) -> None:
    shown = exam(title=title, url=None, category=None)
    receipt = Receipt(OBSERVED_AT, {}, "0" * 16) if event_type is ExamEventType.VERIFIED else None
    transition = ExamTransition("evt_1", event_type.value, 1, None, OBSERVED_AT, receipt=receipt)
    subject = email_for(exam_event("main", shown, transition)).subject
    assert 0 < len(subject.encode("utf-16-le")) // 2 <= SUBJECT_UNITS
    assert subject == one_line(subject)


@pytest.mark.parametrize(
    ("event_type", "sentence"),
    [
        (EventType.STARTED, "Mei Chen started “Anatomy II” on 3 May 2026 at 14:02 UTC."),
        (EventType.TIMED_OUT, "Mei Chen ran out of time in “Anatomy II” on 3 May 2026 at 14:02 UTC, score 87, passed."),
        (
            EventType.FORCED,
            "An administrator force-submitted “Anatomy II” for Mei Chen on 3 May 2026 at 14:02 UTC, score 87, passed.",
        ),
        (
            EventType.SYSTEM_SUBMITTED,
            "The system submitted “Anatomy II” for Mei Chen on 3 May 2026 at 14:02 UTC, score 87, passed.",
        ),
        (EventType.RESCORED, "“Anatomy II” was rescored for Mei Chen on 3 May 2026 at 14:02 UTC, score 87, passed."),
        (EventType.REOPENED, "“Anatomy II” was reopened for Mei Chen on 3 May 2026 at 14:02 UTC."),
        (
            EventType.REMOVED,
            "The result of Mei Chen in “Anatomy II” was deleted on 3 May 2026 at 14:02 UTC, score 87, passed.",
        ),
    ],
)
def test_each_type_has_its_sentence(event_type: EventType, sentence: str) -> None:
    assert email_for(event_of(event_type)).text.splitlines()[0] == sentence


def test_a_strange_status_is_named_by_its_number() -> None:
    email = email_for(event_of(EventType.UNKNOWN_STATUS, status_code=7))
    assert email.subject.startswith("Mei Chen has the undocumented status 7 in “Anatomy II”")


def test_a_candidate_without_a_name_is_called_by_the_id() -> None:
    event = submission_event(
        submission(attempt=attempt(candidate_name=None)), transition(score_points=None, passed=None)
    )
    assert email_for(event).subject == "Candidate 19382 submitted “Anatomy II”"


def test_a_failed_attempt_with_a_half_point_reads_well() -> None:
    email = email_for(event_of(EventType.SUBMITTED, score_points=Decimal("30.50"), passed=False))
    assert email.subject == "Mei Chen submitted “Anatomy II”, score 30.5, not passed"


def test_a_long_title_gives_way_before_the_verdict() -> None:
    long = submission(exam_title="Fundamentals of Human Anatomy and Physiology for Nurses, second term, evening group")
    subject = email_for(submission_event(long, transition())).subject
    assert subject.startswith("Mei Chen submitted “Fundamentals of Human Anatomy")
    assert subject.endswith("…”, score 87, passed")
    assert len(subject) == SUBJECT_UNITS


@given(
    name=st.one_of(st.none(), st.text(st.characters(codec=None))),
    title=st.text(st.characters(codec=None)),
    event_type=st.sampled_from(EventType),
    points=st.one_of(st.none(), st.decimals(-(10**30), 10**30, places=3)),
)
@example(name="💉" * 60, title="🩺" * 80, event_type=EventType.UNKNOWN_STATUS, points=None)
@example(name="\r\nBcc: x@example.test", title="\u2028\x85\x00", event_type=EventType.SUBMITTED, points=None)
def test_sns_takes_every_subject(name: str | None, title: str, event_type: EventType, points: Decimal | None) -> None:
    """UTF-8, one line, no controls, less than 100 characters however they are counted, never empty."""
    event = submission_event(
        submission(attempt=attempt(candidate_name=name), exam_title=title),
        transition(event_type=event_type.value, score_points=points, status_code=2**40),
    )
    subject = email_for(event).subject
    assert subject
    assert len(subject.encode("utf-16-le")) // 2 < 100
    assert not {category(char) for char in subject} & {"Cc", "Cs", "Zl", "Zp"}
    assert len(subject.splitlines()) == 1


@given(text=st.text(st.characters(codec=None)), units=st.integers(1, 40))
def test_shortening_keeps_what_fits_and_says_that_it_cut(text: str, units: int) -> None:
    short = shortened(text, units)
    if len(text.encode("utf-16-le", errors="replace")) // 2 <= units:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
        assert len(short.encode("utf-16-le", errors="replace")) // 2 <= units


def test_a_name_cannot_rearrange_the_sentence_but_keeps_its_joiners() -> None:
    joined = "\u0645\u06cc\u200c\u062e\u0648"
    assert one_line(f"\u202e{joined}\u2066\n x") == f"{joined} x"


@pytest.mark.parametrize(
    "hostile",
    [
        "\nYour account is locked: https://evil.test",
        "\r\nX",
        "\x1b[2J",
        "\u2028X",
        "\u202egpj.exe",
        " and more",
        "\x9b",
        "\t",
    ],
)
def test_a_link_of_the_provider_stays_one_link_on_one_line(hostile: str) -> None:
    """An e-mail is read as lines, and its text is printed on terminals."""
    made = submission(attempt=attempt(result_url=f"https://provider.test/{hostile}#a?b=1&c"))
    text = email_for(submission_event(made, transition())).text
    *_, before, link = text.rstrip("\n").split("\n")
    assert before.startswith("Result (the link works until ")
    assert link.startswith("https://provider.test/")
    assert link.isascii()
    assert link.isprintable()
    assert " " not in link
    assert link.endswith("#a?b=1&c")


def test_an_operations_email_says_what_to_look_at() -> None:
    email = email_for(
        operations_event(
            OperationsEventType.PROVIDER_REFUSED,
            "main",
            OBSERVED_AT,
            "The provider refuses the account code.",
            {"since": "2026-05-03T14:03:00Z", "asked_again": False},
        )
    )
    assert email.subject == "Examhook provider.refused: The provider refuses the account code."
    assert "Account: main\nsince: 2026-05-03T14:03:00Z\nasked_again: no\nEvent: evt_" in email.text


def test_a_test_event_has_an_email_too() -> None:
    assert "This is a test" in email_for(endpoint_test_event("ep_1", OBSERVED_AT)).subject
