"""What a provider error concerns: the account code, the rate limit, one exam, or the provider itself for a while."""

from __future__ import annotations

import pytest

from examhook.http.errors import CertificateError, TlsError
from examhook.http.response import HttpResponse
from examhook.provider.errors import (
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.response_errors import RequestKind, error_from_status, error_from_text, error_from_transport

ABOUT_ONE_EXAM = (RequestKind.RESULTS, RequestKind.CANDIDATE)


def status(code: int, question: RequestKind) -> ProviderError | None:
    return error_from_status(HttpResponse(code, {}, b"<html>", truncated=False, elapsed_s=0.1), 0.0, question)


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("question", ABOUT_ONE_EXAM)
def test_a_rejection_about_one_exam_concerns_only_that_exam(code: int, question: RequestKind) -> None:
    """The provider accepted the code for the exam list; without that, the cause is uncertain."""
    error = status(code, question)
    assert isinstance(error, ProviderRejected)
    assert not error.plain
    assert "code" not in str(error)


def test_a_rejection_of_the_list_concerns_the_code_but_403_may_come_from_a_firewall() -> None:
    plain, doubtful = (status(code, RequestKind.EXAMS) for code in (401, 403))
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
        "SQLSTATE[08004] [1040] Too many connections",
        "User www has exceeded the 'max_user_connections' resource",
        "Database quota exceeded",
    ],
)
@pytest.mark.parametrize("question", RequestKind)
def test_a_failure_of_the_provider_is_temporary(said: str, question: RequestKind) -> None:
    error = error_from_text(said, question, "k")
    assert isinstance(error, ProviderUnavailable)
    assert error.retryable


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
        "The code you provided is not valid",
        "missing parameter code",
        "token expired",
        "the signature does not match",
        "Your API key has been revoked",
        "Account suspended",
        "invalid access_token",
        "授权码错误",
        "没有权限",
    ],
)
def test_an_error_that_says_that_the_code_is_wrong_is_a_plain_refusal(said: str) -> None:
    error = error_from_text(said, RequestKind.EXAMS, "k")
    assert isinstance(error, ProviderRefused)
    assert error.plain
    assert not error.retryable
    assert all(isinstance(error_from_text(said, question, "k"), ProviderRejected) for question in ABOUT_ONE_EXAM)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Oops",
        "error code 17",
        "errorcode: 5",
        "status code 9",
        "参数错误",
        "Encoded badly",
        "the account manager is Ann Smith",
        "This account's exam is closed",
        "Contact your account manager",
        "Your account has no exams",
        "exam is invalid for this account",
        "The user has no exam",
    ],
)
def test_an_error_that_does_not_say_that_the_code_is_wrong_is_no_plain_refusal(said: str) -> None:
    error = error_from_text(said, RequestKind.EXAMS, "k")
    assert isinstance(error, ProviderRefused)
    assert not error.plain
    assert error.retryable
    assert said in str(error)
    assert "account-code secret" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        "Too many requests",
        "Request was throttled",
        "Quota exceeded",
        "API call limit reached",
        "Too Many Attempts",
        "Request frequency exceeded",
        "Rate limit exceeded for this account",
        "Rate exceeded",
        "You have exceeded the maximum request rate of your account",
        "Your code has reached its daily limit",
        "Slow down, please",
        "请求次数超过限制",
        "调用次数已达上限",
        "请求过于频繁",
        "访问受限请稍后",
        "操作太快,请稍后再试",
        "超出接口调用频率限制",
    ],
)
@pytest.mark.parametrize("question", RequestKind)
def test_an_error_about_a_rate_limit_is_a_throttle(said: str, question: RequestKind) -> None:
    assert isinstance(error_from_text(said, question, "k"), ProviderThrottled)


@pytest.mark.parametrize(
    ("code", "kind"), [(429, ProviderThrottled), (500, ProviderUnavailable), (503, ProviderUnavailable)]
)
@pytest.mark.parametrize("question", RequestKind)
def test_an_error_code_counts_if_the_text_is_unclear(
    code: int, kind: type[ProviderError], question: RequestKind
) -> None:
    assert isinstance(error_from_text("Oops", question, "k", stated_code=code), kind)


def test_a_certificate_error_does_not_blame_the_url() -> None:
    error = error_from_transport(CertificateError("The certificate of ks.example cannot be trusted. Ask its operator."))
    assert isinstance(error, ProviderUnavailable)
    assert "Ask its operator" in str(error)
    assert "ProviderBaseUrl" not in str(error)
    assert not error.retryable
    assert "ProviderBaseUrl" in str(error_from_transport(TlsError("It does not speak TLS.")))
