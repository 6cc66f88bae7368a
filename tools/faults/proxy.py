"""microburst with two additions, as ``python -m tools.faults.proxy``. It runs in ``.venv-faults`` only.

- It keeps the ``Host`` header. The emulator checks the signature of each request, which covers this header. microburst
  would replace the header, and signing again would give every function the same permissions.
- A rule with ``{"response": {"set_headers": {"x-some-failed": "1"}}}`` lets every other entry of a batch fail.
"""

from __future__ import annotations

import sys
from typing import Any

from aiohttp import web
from microburst.cli import main
from microburst.forward import HOP_BY_HOP, Upstream

from tools.faults.partial_failure import some_failed

_relay = Upstream.relay


def _headers(_upstream: Upstream, request: web.Request) -> dict[str, str]:
    kept = {name.lower(): value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    return {**kept, "host": request.headers["Host"]}


async def _relay_or_fail_some(
    upstream: Upstream,
    request: web.Request,
    body: bytes | None,
    mutator: Any = None,  # noqa: ANN401 - microburst has no types
    data: Any = None,  # noqa: ANN401 - microburst has no types
) -> web.StreamResponse:
    if mutator is None or "x-some-failed" not in mutator.set_headers:
        return await _relay(upstream, request, body, mutator, data)
    url = upstream.base_url + request.rel_url.raw_path_qs
    payload = body if body is not None else await request.read()
    async with upstream.session.post(url, data=payload, headers=_headers(upstream, request)) as answer:
        return web.Response(
            status=answer.status, body=some_failed(await answer.read()), content_type=answer.content_type
        )


Upstream._outbound_headers = _headers  # noqa: SLF001 - microburst has no setting for this
Upstream.relay = _relay_or_fail_some
sys.exit(main())
