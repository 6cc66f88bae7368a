"""Whom an error of the provider's is about: the account's code, one exam, or nobody since it will pass."""

from __future__ import annotations

import pytest

from examhook.http.session import Answer
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderRejected, ProviderUnavailable
from examhook.provider.verdict import Question, error_answered, unusable

ABOUT_ONE_EXAM = (Question.RESULTS, Question.CANDIDATE)


def status(code: int, question: Question) -> ProviderError | None:
    return unusable(Answer(code, {}, b"<html>", truncated=False, elapsed_s=0.1), 0.0, question)


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("question", ABOUT_ONE_EXAM)
def test_a_status_of_refusal_about_one_exam_is_that_exams_own(code: int, question: Question) -> None:
    """The code was accepted for the list of exams; but who has not seen that cannot be certain."""
    error = status(code, question)
    assert isinstance(error, ProviderRejected)
    assert not error.plain
    assert "code" not in str(error)


def test_a_status_of_refusal_about_the_list_refuses_the_code_and_403_may_be_a_firewalls() -> None:
    plain, doubtful = (status(code, Question.EXAMS) for code in (401, 403))
    assert isinstance(plain, ProviderRefused)
    assert isinstance(doubtful, ProviderRefused)
    assert (plain.plain, doubtful.plain) == (True, False)
    assert all("account-code secret" in str(error) for error in (plain, doubtful))


@pytest.mark.parametrize(
    "said",
    [
        "Database connection failed",
        "SQLSTATE[HY000] [2002] Connection refused",
        "SQLSTATE[28000]: Access denied for user 'www'@'10.0.0.7'",
        "Internal error",
        "Server error, code 17",
        "The request timed out",
        "The system is busy, please try again later",
        "MySQL server has gone away",
        "系统繁忙",
        "数据库连接失败",
    ],
)
@pytest.mark.parametrize("question", Question)
def test_trouble_of_the_providers_own_refuses_nobody(said: str, question: Question) -> None:
    error = error_answered(said, question, "k")
    assert isinstance(error, ProviderUnavailable)
    assert error.helps_to_retry


@pytest.mark.parametrize(
    "said",
    [
        "code error",
        "The verification code is wrong",
        "Invalid code!",
        "code错误",
        "The authorization is wrong",
        "Unauthorized",
        "Authentication failed",
        "Permission denied",
        "Invalid API key",
        "Your account has expired",
        "verification_code not found",
        "签名错误",
        "账号不存在",
    ],
)
def test_an_error_that_speaks_of_the_code_or_the_account_is_a_plain_refusal(said: str) -> None:
    error = error_answered(said, Question.EXAMS, "k")
    assert isinstance(error, ProviderRefused)
    assert error.plain
    assert not error.helps_to_retry
    assert all(isinstance(error_answered(said, question, "k"), ProviderRejected) for question in ABOUT_ONE_EXAM)


@pytest.mark.parametrize(
    "said", ["", "Oops", "error code 17", "errorcode: 5", "status code 9", "参数错误", "Encoded badly"]
)
def test_an_error_in_unknown_words_may_be_a_refusal_and_is_told_as_it_is(said: str) -> None:
    error = error_answered(said, Question.EXAMS, "k")
    assert isinstance(error, ProviderRefused)
    assert not error.plain
    assert error.helps_to_retry
    assert said in str(error)
    assert "account-code secret" in str(error)
