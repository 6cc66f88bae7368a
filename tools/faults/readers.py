"""Every reader of input from outside, with the errors that it may raise; anything else is a defect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import typer

from examhook.delivery.custom_headers import BadHeaderError, check_headers
from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook.destinations.delivery_queue import BadMessageError, parse_body
from examhook.destinations.redrive_queue import parse_redrive
from examhook.destinations.tick_queue import parse_expiry
from examhook.http.response import HttpResponse
from examhook.provider.envelope import ErrorAnswer
from examhook.provider.errors import ProviderError
from examhook.provider.headers import charset, clock_offset_s, http_date, retry_after_s
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.response_errors import Question, error_answered, unusable
from examhook.provider.v1 import parse_records
from examhook.settings import DeliverSettings, DispatchSettings, PollSettings, RetrySettings, SettingsError
from examhook.storage.account_secrets import AccountsError, accounts_in, code_in
from examhook.storage.submission_outbox import StreamRecord, UnreadableRecordError, record_key, stored_change
from examhook_cli.options import parse_duration_s, parse_headers, parse_since, parse_types, split_list

_NOW = 1_790_000_000.0
_VARIABLES = (
    *("ACCOUNT_NAME", "PROVIDER_BASE_URL", "PROVIDER_DIALECT", "REQUESTS_PER_SECOND", "POLL_SECONDS", "INITIAL_SYNC"),
    *("FULL_PASS_MINUTES", "RETENTION_DAYS", "ATTEMPT_DEADLINE_SECONDS", "ALLOW_HTTP_ENDPOINTS", "WEBHOOK_URLS"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader."""

    name: str
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]


def _answered(parse: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Read an answer, and make of an error object the error that it stands for."""

    def read(body: bytes) -> object:
        try:
            return parse(body)
        except ErrorAnswer as answer:
            return [error_answered(answer.said, question, "code", stated_code=answer.code) for question in Question]

    return read


def _text(body: bytes) -> str:
    """As text that may hold half a surrogate pair, which JSON can bring."""
    return body.decode("utf-8", errors="surrogateescape")


def _headers(body: bytes) -> object:
    said = _text(body)[:200]
    headers = {"Retry-After": said, "Date": said, "Location": said, "Content-Type": f"text/html; charset={said}"}
    answer = HttpResponse(300 + len(body) % 300, headers, b"", truncated=False, elapsed_s=0)
    return (
        http_date(said),
        retry_after_s(answer.headers, _NOW),
        clock_offset_s(answer.headers, _NOW),
        charset(answer.headers),
        [unusable(answer, _NOW, question) for question in Question],
    )


def _settings(body: bytes) -> object:
    said = _text(body)
    environ = {name: said[nth * 7 : nth * 7 + 30] for nth, name in enumerate(_VARIABLES)}
    problems = []
    for settings in (PollSettings, DispatchSettings, DeliverSettings, RetrySettings):
        try:
            settings.read(environ)
        except SettingsError as error:
            problems.append(error)
    return problems


def _record(body: bytes) -> object:
    """A record of the stream whose attributes hold anything, in DynamoDB's form."""
    said = _text(body)
    image: dict[str, Mapping[str, object]] = {
        name: {kind: said[:40]}
        for name, kind in (
            *(("account", "S"), ("exam_id", "S"), ("exam_title", "S"), ("candidate_id", "S"), ("started_at", "N")),
            *(("status_code", "N"), ("observed_at", "N"), ("sequence", "N"), ("version", "N"), ("fence", "N")),
        )
    }
    image |= {"v": {"N": "1"}, "transitions": {"L": [{"M": image}]}, "type_counts": {"M": {said[:10]: {"N": said[:9]}}}}
    if len(body) % 3 and image:
        image[sorted(image)[len(body) % len(image)]] = {"S": said}
    record = cast(
        "StreamRecord",
        {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "1", "Keys": {"pk": {"S": said}}, "NewImage": image}},
    )
    record_key(record)
    return stored_change(record)


def _arguments(body: bytes) -> object:
    said = _text(body)
    found: list[object] = [split_list([said])]
    for read in (
        lambda: parse_since(said[:40], _NOW),
        lambda: parse_duration_s(said[:20], 86_400, "--for"),
        lambda: parse_headers([said]),
        lambda: parse_types([said], ["submission.forced"], "--types"),
    ):
        try:
            found.append(read())
        except typer.BadParameter as error:
            found.append(error)
    return found


READERS: tuple[Reader, ...] = (
    Reader("list of exams, legacy", _answered(parse_exams), (ProviderError,)),
    Reader("results, legacy", _answered(parse_results), (ProviderError,)),
    Reader("results of one candidate, legacy", _answered(lambda body: parse_results(body, "7")), (ProviderError,)),
    Reader("results, v1", _answered(parse_records), (ProviderError,)),
    Reader("results of one exam, v1", _answered(lambda body: parse_records(body, "23001")), (ProviderError,)),
    Reader("headers of an answer", _headers, ()),
    Reader("message of the delivery queue", lambda body: parse_body(_text(body)), (BadMessageError,)),
    Reader("message of the failure queue", lambda body: parse_redrive(_text(body), int(_NOW)), ()),
    Reader("message of the tick queue", lambda body: parse_expiry(_text(body)), (ValueError,)),
    Reader("record of the stream", _record, (UnreadableRecordError,)),
    Reader("secret that lists accounts", lambda body: accounts_in(_text(body), "main"), (AccountsError,)),
    Reader("code of an account", lambda body: code_in(_text(body), "code"), (AccountsError,)),
    Reader("settings", _settings, ()),
    Reader("arguments of the command line", _arguments, ()),
    Reader("URL of an endpoint", lambda body: check_endpoint_url(_text(body)), (EndpointUrlError,)),
    Reader("headers of an endpoint", lambda body: check_headers({_text(body): _text(body[::-1])}), (BadHeaderError,)),
)
