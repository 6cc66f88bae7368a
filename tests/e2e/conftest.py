"""One local stack for all end-to-end tests; each test uses its own exams.

The calls of the functions of every stack here are compared with the permissions in the template.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.emulator.deployed_calls import DeployedCalls
from tests.support.emulator.local_installation import LocalInstallation, local_installation
from tests.support.iam.call_recorder import Recorder
from tests.support.iam.rights import denied, wanted_by_calls


@pytest.fixture(scope="session")
def watched() -> list[DeployedCalls]:
    """The running stacks."""
    return []


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, watched: list[DeployedCalls]) -> Iterator[LocalInstallation]:
    state = tmp_path_factory.mktemp("local") / "state"
    with local_installation(state) as found:
        watched.append(DeployedCalls(found))
        yield found
    assert not state.exists(), "down leaves nothing behind"


@pytest.fixture(autouse=True)
def _deployed_rights_are_enough(watched: list[DeployedCalls], recorder: Recorder) -> Iterator[None]:
    """Fail a test if a deployed function made a call that its role in the template does not allow."""
    yield
    called = {call for each in watched for call in each.new()}
    recorder.calls |= called
    assert denied(wanted_by_calls(called)) == []
