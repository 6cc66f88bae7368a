"""The proxy of the fault matrix passes calls on as signed, and makes the configured faults."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.delivery.scripted_server import answer, scripted_server
from tools.faults.aws_faults import running_aws_faults
from tools.processes import PROJECT

pytestmark = pytest.mark.skipif(
    not (PROJECT / ".venv-faults" / ".installed").exists(),
    reason="microburst is not installed: make .venv-faults/.installed",
)


def test_a_call_keeps_its_signed_host_and_a_fault_is_counted(tmp_path: Path) -> None:
    said = answer(json.dumps({"TableNames": ["Exams"]}), Content_Type="application/x-amz-json-1.0")
    with scripted_server(said) as upstream:
        with running_aws_faults(upstream.url, tmp_path / "log") as aws_faults:
            client = boto3.client(
                "dynamodb",
                endpoint_url=aws_faults.url,
                region_name="eu-central-1",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                config=Config(retries={"total_max_attempts": 1}),
            )
            assert client.list_tables()["TableNames"] == ["Exams"]
            assert aws_faults.count() == 0
            aws_faults.set([{"service": "dynamodb", "times": 1, "error": {"code": "ThrottlingException"}}])
            with pytest.raises(ClientError, match="ThrottlingException"):
                client.list_tables()
            assert aws_faults.count() == 1
        assert [request.headers["host"] for request in upstream.requests] == [aws_faults.url.removeprefix("http://")]
