"""AWS accepts the README's commands that subscribe a queue."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:results"
PRETENDED = """set -eu
aws() { for word in "$@"; do printf '%s\\0' "$word" >> calls; done; printf '\\n' >> calls
  [ "$2" != get-queue-attributes ] || echo "$QUEUE"; }
"""


def test_a_queue_allows_only_the_topic_before_it_is_subscribed(tmp_path: Path) -> None:
    blocks = re.findall(r"^```\w*\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    (block,) = (each for each in blocks if "QUEUE_URL=" in each)
    topic = next(line for line in block.splitlines() if line.startswith("TOPIC=")).split("=", 1)[1].split()[0]
    environ = {**os.environ, "QUEUE": QUEUE_ARN}
    subprocess.run(["/bin/sh", "-c", PRETENDED + block], cwd=tmp_path, check=True, env=environ)
    calls = [line.split("\0") for line in (tmp_path / "calls").read_text().split("\0\n") if line]
    assert [call[1] for call in calls] == ["get-queue-attributes", "set-queue-attributes", "subscribe"]
    attributes = json.loads(calls[1][calls[1].index("--attributes") + 1])
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE_ARN,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    assert calls[2][calls[2].index("--notification-endpoint") + 1] == QUEUE_ARN
