"""The client with a scripted provider: its requests, its retries, and that it never reveals the code."""

from __future__ import annotations

import gzip
import logging
import random
import socket
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest

from examhook.http.client import HttpClient
from examhook.provider.api_client import MAX_WAIT_S, ClientOptions
from examhook.provider.discovery import Discovery
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRefused,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.provider.v1 import V1Client, V1Memory
from examhook.settings import Dialect
from tests.support.delivery.scripted_server import Peer, ScriptedServer, Step, answer, scripted_server
from tests.support.security.secret_scan import everything_about

CODE = "k3y & s3cret/ü"
FORMS = (CODE, "k3y", "s3cret", "k3y%20%26%20s3cret", "k3y+%26+s3cret", "viewresult", "Lovelace")
"""What no text may hold: the code, plain, quoted or in parts, and what only an answer holds."""

NOW = 1_777_815_120.0
DATE = "Sun, 03 May 2026 13:32:00 GMT"
EXAMS = answer('[{"eid": 1, "title": "T", "times": 0}]', Date=DATE)
ROWS = answer('[{"sid": 2, "startTime": 1777815000, "status": 1}]', Date=DATE)


class Clock:
    """Time that passes only by sleeping; sockets use real time."""

    def __init__(self) -> None:
        self.at = NOW
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


class Asked:
    """A client, its clock and its provider."""

    def __init__(self, server: ScriptedServer, deadline_s: float = 5.0, dialect: Dialect = Dialect.LEGACY) -> None:
        self.server = server
        self.clock = Clock()
        self.session = HttpClient()
        self.memory = V1Memory(Discovery(lambda: ()))
        options: ClientOptions = {
            "session": self.session,
            "pacer": Pacer(5, self.clock.now, self.clock.sleep),
            "now": self.clock.now,
            "sleep": self.clock.sleep,
            "rng": random.Random(7),
            "request_deadline_s": deadline_s,
        }
        self.client: LegacyClient | V1Client = (
            LegacyClient(server.url + "/path", CODE, **options)
            if dialect is Dialect.LEGACY
            else V1Client(server.url + "/path", CODE, memory=self.memory, **options)
        )

    def fails(self, kind: type[ProviderError], ask: Callable[[ProviderClient], object] | None = None) -> ProviderError:
        """The error of that kind that a request for exams (or ``ask``) ends with."""
        with pytest.raises(kind) as caught:
            (ask or (lambda client: client.exams(0, 30)))(self.client)
        return caught.value


@pytest.fixture
def provider() -> Iterator[Callable[..., Asked]]:
    """Starts providers that answer by a script, and stops all at the end."""
    started = []

    def start(*steps: Step, deadline_s: float = 5.0, dialect: Dialect = Dialect.LEGACY) -> Asked:
        running = scripted_server(*steps)
        asked = Asked(running.__enter__(), deadline_s, dialect)
        started.append((asked, running))
        return asked

    yield start
    for asked, running in started:
        asked.session.close()
        running.__exit__(None, None, None)


Provider = Callable[..., Asked]


def test_requests_follow_the_providers_documentation(provider: Provider) -> None:
    asked = provider(EXAMS, ROWS, ROWS)
    exams = asked.client.exams(60, 30)
    results = asked.client.results("23812", 0, 100)
    asked.client.results("23812", 0, 100, "19382")
    assert [request.path for request in asked.server.requests] == ["/path/index.php"] * 3
    common = {"option": "com_exams", "format": "raw", "code": CODE}
    assert [request.query for request in asked.server.requests] == [
        {**common, "task": "api.getExams", "start": "60", "limit": "30"},
        {**common, "task": "api.queryResults", "eid": "23812", "start": "0", "limit": "100"},
        {**common, "task": "api.queryResults", "eid": "23812", "start": "0", "limit": "100", "sid": "19382"},
    ]
    assert asked.server.requests[0].headers["user-agent"].startswith("examhook/")
    assert (exams.row_count, results.row_count) == (1, 1)
    assert asked.client.requests_made == 3
    assert asked.server.connections == 1


def dated(ahead_s: float, body: str = "[]", status: str = "200 OK") -> bytes:
    return answer(body, status, Date=formatdate(NOW + ahead_s, usegmt=True))


@pytest.mark.parametrize(
    ("answers", "offset_s"),
    [
        ([dated(0)], 0),
        ([dated(59)], 0),
        ([dated(-59)], 0),
        ([dated(3600)], 3600),
        ([dated(-7200)], -7200),
        ([dated(86_400)], 86_400),
        ([dated(86_500)], None),
        ([dated(-NOW)], None),
        ([dated(-3 * 86_400)], None),
        ([answer("[]")], None),
        ([answer("[]", Date="yesterday")], None),
        ([dated(3600), dated(0)], 0),
        ([dated(0), dated(3600)], 0),
        ([dated(3600), dated(-120), dated(3600)], -120),
        ([dated(3600), answer("[]"), dated(-NOW)], 3600),
        ([dated(120, "no", "500 Internal Server Error"), answer("[]")], 120),
    ],
)
def test_the_clock_offset_is_that_of_the_answer_nearest_to_our_clock(
    provider: Provider, answers: list[bytes], offset_s: int | None
) -> None:
    """So neither one of two servers that is ahead nor a stopped clock changes the offset."""
    asked = provider(*answers)
    assert asked.client.clock_offset_s is None
    while len(asked.server.requests) < len(answers):
        asked.client.exams(0, 30)
    assert asked.client.clock_offset_s == offset_s


def test_a_slow_answer_is_dated_by_the_middle_of_its_request(provider: Provider) -> None:
    def slow(peer: Peer) -> None:
        asked.clock.at += 100
        peer.send(dated(50))

    asked = provider(slow)
    asked.client.exams(0, 30)
    assert asked.client.clock_offset_s == 0


@pytest.mark.parametrize("dialect", Dialect)
def test_names_are_read_in_the_character_set_that_the_headers_state(provider: Provider, dialect: Dialect) -> None:
    row = '{"eid": 1, "sid": 2, "startTime": 1777815000, "status": 1, "name": "王小明"}'
    body = f'{{"data": [{row}], "status": "ok"}}' if dialect is Dialect.V1 else f"[{row}]"
    asked = provider(
        answer(body.encode("gbk"), Content_Type="application/json; charset=GBK"),
        answer(body, Content_Type="text/html; charset=GBK"),
        dialect=dialect,
    )
    for _ in range(2):
        assert [row.candidate_name for row in asked.client.results("1", 0, 30).rows] == ["王小明"]


@pytest.mark.parametrize("dialect", Dialect)
def test_a_small_answer_that_expands_to_millions_of_objects_is_an_error(provider: Provider, dialect: Dialect) -> None:
    bomb = gzip.compress(b"[" + b"{}," * (16 * 2**20 // 3) + b"{}]")
    assert len(bomb) < 20_000
    asked = provider(answer(bomb, Content_Encoding="gzip"), dialect=dialect)
    tracemalloc.start()
    error = asked.fails(ProviderMalformed, lambda client: client.results("1", 0, 30))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not error.retryable
    assert asked.client.requests_made == 1
    assert peak_bytes < 100 * 2**20


@pytest.mark.parametrize("dialect", Dialect)
def test_rows_of_another_exam_or_candidate_are_not_returned(provider: Provider, dialect: Dialect) -> None:
    rows = (
        '{"data": [{"eid": 1, "sid": 2, "startTime": 1777815000, "status": 1},'
        ' {"eid": 9, "sid": 2, "startTime": 1777815001, "status": 1},'
        ' {"eid": 1, "sid": 3, "startTime": 1777815002, "status": 1}], "status": "ok"}'
    )
    asked = provider(answer(rows), dialect=dialect)
    asked.memory.logins["2"] = "login"
    assert [row.candidate_id for row in asked.client.results("1", 0, 30).rows] == ["2", "3"]
    one = asked.client.results("1", 0, 30, "2")
    assert [row.started_at for row in one.rows] == [1777815000]
    assert [row.place for row in one.unreadable] == [1, 2]


def test_the_v1_client_returns_the_total_of_one_exam_unless_the_provider_counts_all(provider: Provider) -> None:
    row = '{"eid": "%d", "sid": "2", "startTime": "1777815000", "status": "1"}'
    body = f'{{"data": [{row % 1}], "total": "40", "status": "ok"}}'
    asked = provider(answer(body), dialect=Dialect.V1)
    asked.memory.logins["2"] = "login"
    assert asked.client.results("1", 0, 30).total == 40
    assert asked.client.results("1", 0, 30, "2").total is None
    uncounted = provider(answer(f'{{"data": [{row % 1}], "status": "ok"}}'), answer(body), dialect=Dialect.V1)
    uncounted.client.exams(0, 30)
    assert uncounted.client.results("1", 0, 30).total is None


@pytest.mark.parametrize(
    "said",
    ['"message": "Too many requests"', '"code": 429', '"errcode": 45009, "errmsg": "api freq out of limit, too many"'],
)
@pytest.mark.parametrize("empty", ["[]", "null", "{}"])
@pytest.mark.parametrize("dialect", Dialect)
def test_a_rate_limit_message_beside_an_empty_list_is_a_throttle(
    provider: Provider, said: str, empty: str, dialect: Dialect
) -> None:
    asked = provider(answer(f'{{"success": false, {said}, "data": {empty}}}'), dialect=dialect)
    asked.fails(ProviderThrottled)
    asked.fails(ProviderThrottled, lambda client: client.results("1", 0, 30))


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param(answer("oops", "500 Internal Server Error"), id="500"),
        pytest.param(answer("oops", "503 Service Unavailable"), id="503"),
        pytest.param(lambda peer: peer.reset(), id="reset"),
        pytest.param(lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n[{"), id="cut-body"),
        pytest.param(answer('[{"eid": 1, "ti'), id="cut-json"),
        pytest.param(answer("<html><body>502</body></html>"), id="web-page"),
        pytest.param(answer('{"status": "error", "error": "Server busy, please try again later"}'), id="busy"),
    ],
)
def test_temporary_errors_are_retried(provider: Provider, failing: Step) -> None:
    asked = provider(failing, failing, EXAMS)
    assert len(asked.client.exams(0, 30).rows) == 1
    assert asked.client.requests_made == 3


@pytest.mark.parametrize("breaks", [lambda _peer: None, lambda peer: peer.reset()], ids=["closed", "reset"])
def test_a_reused_connection_that_breaks_is_no_attempt_and_keeps_the_pace(provider: Provider, breaks: Step) -> None:
    """All three attempts remain for failures of the provider."""
    failing = answer("oops", "500 Internal Server Error", Connection="close")
    asked = provider(EXAMS, breaks, failing, failing, EXAMS)
    for _ in range(2):
        assert len(asked.client.exams(0, 30).rows) == 1
    assert asked.client.requests_made == 5
    assert asked.clock.at - NOW >= 4 * 0.2 - 1e-6


def test_permanent_errors_end_after_three_attempts(provider: Provider) -> None:
    asked = provider(answer("oops", "500 Internal Server Error"))
    error = asked.fails(ProviderUnavailable)
    assert error.retryable
    assert asked.client.requests_made == 3


def test_pauses_between_attempts_are_jittered_and_grow(provider: Provider) -> None:
    """Every pause is within its bounds, and they differ; the rate limit adds to them."""
    asked = provider(answer("oops", "500 Internal Server Error"))
    for _ in range(5):
        asked.fails(ProviderUnavailable)
    assert all(0 <= pause_s <= 2 for pause_s in asked.clock.slept)
    assert len(set(asked.clock.slept)) > 5


def test_a_hanging_request_ends_at_the_deadline(provider: Provider) -> None:
    asked = provider(lambda peer: peer.hang(), deadline_s=0.2)
    assert "within 0.2 s" in str(asked.fails(ProviderUnavailable))


@pytest.mark.parametrize(
    "refusing",
    [
        pytest.param(answer('{"status": "error", "error": "code error"}'), id="error-object"),
        pytest.param(answer("no", "401 Unauthorized"), id="401"),
        pytest.param(answer('{"status": "error", "error": "code error"}', "400 Bad Request"), id="400-error-object"),
    ],
)
def test_a_refused_code_is_used_once(provider: Provider, refusing: Step) -> None:
    asked = provider(refusing, EXAMS)
    error = asked.fails(ProviderRefused)
    assert not error.retryable
    assert asked.client.requests_made == 1
    assert "account-code secret" in str(error)


@pytest.mark.parametrize(
    "unclear",
    [
        pytest.param(answer("no", "403 Forbidden"), id="403"),
        pytest.param(answer('{"status": "error", "error": "wrong parameter"}'), id="unknown-words"),
        pytest.param(answer('{"status": "error"}'), id="no-words"),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_a_possible_refusal_is_confirmed_by_one_more_request(
    provider: Provider, unclear: Step, dialect: Dialect
) -> None:
    asked = provider(unclear, unclear, EXAMS, dialect=dialect)
    error = asked.fails(ProviderRefused)
    assert asked.client.requests_made == 2
    assert "account-code secret" in str(error)


def test_an_unclear_temporary_error_has_no_effect(provider: Provider) -> None:
    asked = provider(answer('{"status": "error", "error": "wrong parameter"}'), EXAMS)
    assert asked.client.exams(0, 30).row_count == 1


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
@pytest.mark.parametrize("dialect", Dialect)
def test_a_forbidden_exam_is_rejected_at_once(provider: Provider, status: str, dialect: Dialect) -> None:
    asked = provider(answer("no", status), dialect=dialect)
    asked.fails(ProviderRejected, lambda client: client.results("1", 0, 30))
    assert asked.client.requests_made == 1


def test_an_error_about_one_exam_is_no_refusal(provider: Provider) -> None:
    asked = provider(answer('{"status": "error", "error": "exam not exist"}'))
    error = asked.fails(ProviderRejected, lambda client: client.results("1", 0, 30))
    assert "exam not exist" in str(error)
    assert asked.client.requests_made == 1


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(answer("", "302 Found", Location=f"https://user@elsewhere.test/x?code={CODE!r}"), id="redirect"),
        pytest.param(answer("", "301 Moved Permanently", Location="http://[::1"), id="bad-redirect"),
        pytest.param(answer("nothing here", "404 Not Found"), id="404"),
        pytest.param(answer(b"[" + b" " * 17_000_000 + b"]"), id="endless"),
    ],
)
def test_a_wrong_url_is_reported_at_once(provider: Provider, wrong: Step) -> None:
    asked = provider(wrong)
    error = asked.fails(ProviderMalformed)
    assert not error.retryable
    assert "ProviderBaseUrl" in str(error)
    assert asked.client.requests_made == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("429 Too Many Requests", {"Retry_After": "12"}),
        ("503 Service Unavailable", {"Retry_After": "12"}),
        ("429 Too Many Requests", {"Retry_After": "Sun, 03 May 2026 13:32:12 GMT", "Date": DATE}),
        ("429 Too Many Requests", {"Retry_After": "Sun, 03 May 2026 13:32:12 GMT"}),
    ],
)
def test_a_requested_pause_is_kept(provider: Provider, status: str, headers: dict[str, str]) -> None:
    asked = provider(answer("slow down", status, **headers), EXAMS)
    asked.client.exams(0, 30)
    assert 12 <= asked.clock.at - NOW < 14


def test_a_long_requested_pause_stops_the_requests(provider: Provider) -> None:
    """The poll and all later callers get the error at once; no request is sent until the pause ends."""
    asked = provider(answer("slow down", "429 Too Many Requests", Retry_After="300"), EXAMS)
    assert asked.fails(ProviderThrottled).retryable
    asked.fails(ProviderThrottled)
    assert asked.client.requests_made == 1
    assert asked.clock.slept == []
    asked.clock.at += 300 - MAX_WAIT_S
    assert asked.client.exams(0, 30).row_count == 1
    assert asked.clock.at >= NOW + 300


@pytest.mark.parametrize("said", ["Too many requests", "Request frequency exceeded", "请求过于频繁"])
def test_a_rate_limit_message_with_status_200_is_a_throttle(provider: Provider, said: str) -> None:
    assert isinstance(
        provider(answer(f'{{"status":"error","error":"{said}"}}')).fails(ProviderError), ProviderThrottled
    )


def test_no_wait_exceeds_the_time_limit(provider: Provider) -> None:
    asked = provider(answer("slow down", "429 Too Many Requests", Retry_After="20"), EXAMS)
    asked.client.give_up_at = NOW + 10
    asked.fails(ProviderThrottled)
    assert asked.clock.slept == []
    asked.fails(ProviderUnavailable)
    assert asked.client.requests_made == 1


def test_retries_keep_the_pace(provider: Provider) -> None:
    """Fifteen requests, answered or not, take at least fourteen intervals of 0.2 s."""
    asked = provider(*[answer("oops", "500 Internal Server Error"), EXAMS] * 8)
    while asked.client.requests_made < 15:
        asked.client.exams(0, 30)
    assert asked.clock.at - NOW >= 14 * 0.2 - 1e-6


def closed_port(asked: Asked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    _move(asked, f"http://127.0.0.1:{port}")


def tls_to_plain(asked: Asked) -> None:
    _move(asked, asked.server.url.replace("http:", "https:"))


def no_url(asked: Asked) -> None:
    _move(asked, "http://[")


def as_it_is(_: Asked) -> None:
    pass


def _move(asked: Asked, base_url: str) -> None:
    asked.client._url = base_url + "/index.php"  # noqa: SLF001 - as if it had been configured so


ECHO = f'{{"status": "error", "error": "bad code {CODE} in ?code=k3y%20%26%20s3cret%2F%C3%BC, see https://x/?{CODE}"}}'


@pytest.mark.parametrize(
    ("step", "arrange"),
    [
        pytest.param(answer(ECHO), as_it_is, id="error-echoes-the-code"),
        pytest.param(answer(f"<html>{CODE} Lovelace"), as_it_is, id="page-echoes-the-code"),
        pytest.param(answer('[{"name": "Lovelace", "viewResult": "https://x/viewresult/'), as_it_is, id="cut"),
        pytest.param(answer("", "302 Found", Location="/?code=k3y+%26+s3cret"), as_it_is, id="redirect"),
        pytest.param(answer("", "500 Oops"), as_it_is, id="500"),
        pytest.param(lambda peer: peer.reset(), as_it_is, id="reset"),
        pytest.param(lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["), as_it_is, id="cut-body"),
        pytest.param(lambda peer: peer.send(b"nonsense\r\n\r\n"), as_it_is, id="no-http"),
        pytest.param(lambda peer: peer.hang(), as_it_is, id="hang"),
        pytest.param(
            lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\n{}"),
            as_it_is,
            id="bad-headers",
        ),
        pytest.param(answer(""), closed_port, id="refused-connection"),
        pytest.param(lambda peer: peer.hang(), tls_to_plain, id="no-tls"),
        pytest.param(answer(""), no_url, id="no-url"),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_only_the_provider_gets_the_code(
    provider: Provider,
    caplog: pytest.LogCaptureFixture,
    step: Step,
    arrange: Callable[[Asked], None],
    dialect: Dialect,
) -> None:
    """No error, cause, local variable of a traceback or log of any level contains the code."""
    caplog.set_level(logging.DEBUG)
    asked = provider(step, deadline_s=0.3, dialect=dialect)
    asked.memory.logins["2"] = "Lovelace"
    arrange(asked)
    told: list[str] = []
    for ask in (lambda client: client.exams(0, 30), lambda client: client.results("1", 0, 30, "2")):
        told.extend(everything_about(asked.fails(ProviderError, ask)))
    told.extend(record.getMessage() + repr(record.__dict__) for record in caplog.records)
    told += [repr(asked.client), repr(asked.memory)]
    sent = {request.headers.get("authorization", "") for request in asked.server.requests} - {""}
    assert [(text, form) for text in told for form in (*FORMS, *sent) if form in text] == []


def test_the_search_for_leaks_finds_them() -> None:
    """An error is a leak if its cause contains the code."""

    def leak() -> None:
        try:
            raise ssl.SSLError(f"GET /?code={CODE}")  # noqa: TRY301 - the two must be chained
        except ssl.SSLError:
            raise ProviderUnavailable("It failed.") from None

    with pytest.raises(ProviderUnavailable) as caught:
        leak()
    assert any(CODE in text for text in everything_about(caught.value))


def test_a_dripping_answer_ends_at_the_deadline(provider: Provider) -> None:
    def drip(peer: Peer) -> None:
        peer.drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000)

    asked = provider(drip, deadline_s=0.3)
    asked.fails(ProviderUnavailable)
    assert asked.client.requests_made == 3
