"""The usual rate limiter: a bucket of N tokens that fills at N a second. It bursts when it was full."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from http import HTTPStatus

import requests

from examhook_simulator.wire import Fields
from tools.bench.json_process import serve

_TIMEOUT_S = 30


def main() -> None:
    """Ask as often as the input says, at the rate that it says, and count the answers that say "too many"."""
    session = requests.Session()

    def ask(fields: Fields) -> Mapping[str, object]:
        per_second = fields.number("per_second")
        tokens, filled_s = per_second, time.monotonic()
        refused = 0
        for _ in range(fields.whole("requests")):
            while True:
                now_s = time.monotonic()
                tokens, filled_s = min(per_second, tokens + (now_s - filled_s) * per_second), now_s
                if tokens >= 1:
                    break
                time.sleep((1 - tokens) / per_second)
            tokens -= 1
            params = {"option": "com_exams", "task": "api.getExams", "format": "raw", "code": os.environ["CODE"]}
            answer = session.get(os.environ["URL"] + "/index.php", params=params, timeout=_TIMEOUT_S)
            refused += answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
        return {"refused": refused}

    serve(ask)


if __name__ == "__main__":
    main()
