"""Every reader of external input, with the errors that it may raise. Any other error is a defect."""

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
from examhook.provider.errors import ProviderError
from examhook.provider.headers import charset, clock_offset_s, http_date, retry_after_s
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.response_envelope import ErrorAnswer
from examhook.provider.response_errors import RequestKind, error_from_status, error_from_text
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
    """A function that reads bytes, and its errors."""

    name: str
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]


def _answered(parse: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Read an answer; turn an error object into its errors."""

    def read(body: bytes) -> object:
        try:
            return parse(body)
        except ErrorAnswer as answer:
            return [error_from_text(answer.text, kind, "code", stated_code=answer.code) for kind in RequestKind]

    return read


def _text(body: bytes) -> str:
    """Decode to text that may contain half a surrogate pair, as JSON can."""
    return body.decode("utf-8", errors="surrogateescape")


def _headers(body: bytes) -> object:
    text = _text(body)[:200]
    headers = {"Retry-After": text, "Date": text, "Location": text, "Content-Type": f"text/html; charset={text}"}
    answer = HttpResponse(300 + len(body) % 300, headers, b"", truncated=False, elapsed_s=0)
    return (
        http_date(text),
        retry_after_s(answer.headers, _NOW),
        clock_offset_s(answer.headers, _NOW),
        charset(answer.headers),
        [error_from_status(answer, _NOW, kind) for kind in RequestKind],
    )


def _settings(body: bytes) -> object:
    text = _text(body)
    environ = {name: text[nth * 7 : nth * 7 + 30] for nth, name in enumerate(_VARIABLES)}
    problems = []
    for settings in (PollSettings, DispatchSettings, DeliverSettings, RetrySettings):
        try:
            settings.read(environ)
        except SettingsError as error:
            problems.append(error)
    return problems


def _record(body: bytes) -> object:
    """Read a stream record with random attribute values."""
    text = _text(body)
    image: dict[str, Mapping[str, object]] = {
        name: {kind: text[:40]}
        for name, kind in (
            *(("account", "S"), ("exam_id", "S"), ("exam_title", "S"), ("candidate_id", "S"), ("started_at", "N")),
            *(("status_code", "N"), ("observed_at", "N"), ("sequence", "N"), ("version", "N"), ("fence", "N")),
        )
    }
    image |= {"v": {"N": "1"}, "transitions": {"L": [{"M": image}]}, "type_counts": {"M": {text[:10]: {"N": text[:9]}}}}
    if len(body) % 3 and image:
        image[sorted(image)[len(body) % len(image)]] = {"S": text}
    record = cast(
        "StreamRecord",
        {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "1", "Keys": {"pk": {"S": text}}, "NewImage": image}},
    )
    record_key(record)
    return stored_change(record)


def _arguments(body: bytes) -> object:
    text = _text(body)
    found: list[object] = [split_list([text])]
    for read in (
        lambda: parse_since(text[:40], _NOW),
        lambda: parse_duration_s(text[:20], 86_400, "--for"),
        lambda: parse_headers([text]),
        lambda: parse_types([text], ["submission.forced"], "--types"),
    ):
        try:
            found.append(read())
        except typer.BadParameter as error:
            found.append(error)
    return found


READERS: tuple[Reader, ...] = (
    Reader("exam list, legacy", _answered(parse_exams), (ProviderError,)),
    Reader("results, legacy", _answered(parse_results), (ProviderError,)),
    Reader(
        "results of one candidate, legacy",
        _answered(lambda body: parse_results(body, candidate_id="7")),
        (ProviderError,),
    ),
    Reader("results, v1", _answered(parse_records), (ProviderError,)),
    Reader("results of one exam, v1", _answered(lambda body: parse_records(body, exam_id="23001")), (ProviderError,)),
    Reader("answer headers", _headers, ()),
    Reader("message of the delivery queue", lambda body: parse_body(_text(body)), (BadMessageError,)),
    Reader("message of the failure queue", lambda body: parse_redrive(_text(body), int(_NOW)), ()),
    Reader("message of the tick queue", lambda body: parse_expiry(_text(body)), (ValueError,)),
    Reader("stream record", _record, (UnreadableRecordError,)),
    Reader("secret with the account list", lambda body: accounts_in(_text(body), "main"), (AccountsError,)),
    Reader("account code", lambda body: code_in(_text(body), "code"), (AccountsError,)),
    Reader("settings", _settings, ()),
    Reader("command-line arguments", _arguments, ()),
    Reader("endpoint URL", lambda body: check_endpoint_url(_text(body)), (EndpointUrlError,)),
    Reader("endpoint headers", lambda body: check_headers({_text(body): _text(body[::-1])}), (BadHeaderError,)),
)
