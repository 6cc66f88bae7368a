"""Microburst as a program that passes the ``Host`` header on as it came: run by ``.venv-faults``, never imported.

The emulator checks each request's signature, which covers that header; microburst alone would put its upstream's name
there, and signing anew would give every function the rights of one key.
"""

from __future__ import annotations

import sys

from aiohttp import web
from microburst.cli import main
from microburst.forward import HOP_BY_HOP, Upstream


def _headers(_client: Upstream, request: web.Request) -> dict[str, str]:
    kept = {name.lower(): value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    return {**kept, "host": request.headers["Host"]}


Upstream._outbound_headers = _headers  # noqa: SLF001 - it has no setting for this
sys.exit(main())
