"""Which tests stay together in one worker.

``--dist=loadgroup`` of pytest-xdist 3.8 would do, but it renames tests in a way that pytest 9.2 ignores.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

OWN_WORK = {
    "tests/e2e/test_e2e_loss.py": "the stack that loses its tables",
    "tests/integration/test_crashes.py": "the emulator and the process that is killed",
}
"""Files whose tests share something that no other file uses, and what that is."""

SHARED_STACK = "tests/e2e/"


class StackScheduling(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """Distributes tests one by one, but keeps tests that share a slow fixture together."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path in OWN_WORK:
            return OWN_WORK[path]
        return SHARED_STACK if path.startswith(SHARED_STACK) else nodeid
