"""Random worlds and random pollers: whatever happens in between, in the end every change is told, and told once.

``HYPOTHESIS_PROFILE=long`` plays 20,000 examples, another set each time; ``EXAMPLES`` sets another number.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.model.machine import Detection

pytestmark = pytest.mark.slow

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES = int(os.environ.get("EXAMPLES", "20000" if IS_LONG else "120"))

TestDetection = Detection.TestCase
TestDetection.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=20,
    deadline=None,
    # The same examples at each ordinary run: it proves that nothing broke, the long one looks for news.
    derandomize=not IS_LONG,
    report_multiple_bugs=False,
    phases=[Phase.reuse, Phase.generate] if "NO_SHRINK" in os.environ else [Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
