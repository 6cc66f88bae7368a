"""One local stack for all end-to-end tests; each test uses exams of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from local_installation import LocalInstallation, local_installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalInstallation]:
    state = tmp_path_factory.mktemp("local") / "state"
    with local_installation(state) as found:
        yield found
    assert not state.exists(), "down leaves nothing behind"
