"""Data that the fault matrix and the soak test use: every message of a queue, and only exams in use."""

from __future__ import annotations

import boto3
from moto import mock_aws

from examhook_cli.demo.subscriber import subscribe_queue
from examhook_simulator.clock import VirtualClock
from tools.faults.stack import ListedWorld


def test_everything_on_the_queue_is_read_however_many_messages_there_are() -> None:
    """One request returns ten messages; unread messages would count as lost."""
    with mock_aws():
        session = boto3.Session(region_name="eu-central-1")
        topic_arn = session.client("sns").create_topic(Name="submissions")["TopicArn"]
        queue = subscribe_queue(session, topic_arn, "everything")
        for number in range(35):
            session.client("sns").publish(TopicArn=topic_arn, Message=f"event {number}")
        queue.take_all()
        assert sorted(queue.bodies) == sorted(f"event {number}".encode() for number in range(35))
        queue.take_all()
        assert len(queue.bodies) == 35


def test_a_finished_exam_leaves_the_list_but_not_the_ledger() -> None:
    world = ListedWorld(1, VirtualClock())
    first, second = world.create_exam(), world.create_exam()
    world.submit(world.start(first))
    before = world.ledger()
    world.unlisted.add(first)
    assert [str(exam.exam_id) for exam in world.exams()] == [second]
    assert world.ledger() == before
