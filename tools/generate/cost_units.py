"""The units that the costs are worked out from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Units:
    """What one of something uses."""

    calls: float
    """Calls of AWS."""
    write_units: float
    read_units: float
    sns: float = 0
    sqs: float = 0


@dataclass(frozen=True)
class Measured:
    """Everything that the costs are worked out from."""

    quiet_poll: Units
    """A poll of an account with one exam, in which nothing happened."""
    exam_in_quiet_poll: Units
    """What each further exam adds to it."""
    rotation: Units
    """What a poll adds for each exam whose new rows it reads in rotation, where there are none."""
    submission: Units
    """Poll's part in an attempt that is seen to begin and to end."""
    event: Units
    """Dispatch's part in one event, of which every other one is for one webhook; they come ten to a batch."""
    day_index_units: float
    """Write units of it that go to the index of Events by day, where a day is one key."""
    delivery: Units
    """Deliver's part in one webhook that is taken at once."""
    retry_tick: Units
    """A tick of Retry with one webhook and nothing due."""
