"""What a poll does and what interrupts it at which step, as values that a random test draws."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

from tests.model.acts import ACTS, Act

LEASE_OUTLIVED_S = 200


class Fault(StrEnum):
    """A single fault of an answer; a call to a table fails or loses its answer instead."""

    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    HTML_PAGE = "html_page"
    ERROR_OBJECT = "error_object"
    ERROR_BESIDE_LIST = "error_beside_list"
    THROTTLE_TEXT = "throttle_text"
    HALF_PAGE = "half_page"
    STALE_REPLICA = "stale_replica"
    EMPTY_LIST = "empty_list"
    EMPTY_BODY = "empty_body"
    CUT_BODY = "cut_body"
    CUT_CONNECTION = "cut_connection"
    RESET = "reset"
    HANG = "hang"
    REFUSED = "refused"
    """The account code is refused; asked for an exam's results, the provider refuses these."""
    UNREADABLE_ROW = "unreadable_row"
    ANSWER_LOST = "answer lost"
    """A write stands, but nobody knows."""
    STALE = "stale"
    """A read of a table does not see the last writes."""


OF_TABLES = frozenset({Fault.ANSWER_LOST, Fault.STALE})
NO_HABITS = OF_TABLES | {Fault.REFUSED}
"""Those that are no switches of the simulator."""


@dataclass(frozen=True)
class Dies:
    """The process is killed."""


@dataclass(frozen=True)
class Happens:
    """The world changes."""

    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Fails:
    """The step fails."""

    fault: Fault


@dataclass(frozen=True)
class Stalls:
    """The process stops until its lease has expired, and another poll runs meanwhile."""

    meanwhile: PollPlan
    for_s: int = LEASE_OUTLIVED_S


@dataclass(frozen=True)
class PollPlan:
    """One poll, and what interrupts it at which step."""

    interrupts: tuple[tuple[int, Dies | Happens | Fails | Stalls], ...] = ()
    manual: bool = False
    full: bool = False
    requests_in_time: int | None = None
    """Requests after which no time is left; None: there is always time."""
    write_order: int = 0


def _plans(*interruptions: st.SearchStrategy[object]) -> st.SearchStrategy[PollPlan]:
    # A poll of one exam takes about nine steps, each further page or write one more.
    steps = st.integers(3, 12) | st.integers(1, 40)
    return st.builds(
        PollPlan,
        interrupts=st.lists(st.tuples(steps, st.one_of(*interruptions)), min_size=1, max_size=4).map(tuple),
        manual=st.sampled_from([False, False, True]),
        full=st.sampled_from([False, False, True]),
        requests_in_time=st.none() | st.none() | st.integers(1, 8),
        write_order=st.integers(0, 3),
    )


_DIES = st.just(Dies())
_HAPPENS = st.builds(Happens, st.lists(ACTS, min_size=1, max_size=3).map(tuple))
_FAILS = st.builds(Fails, st.sampled_from(Fault))
_STALLS = st.builds(
    Stalls,
    st.just(PollPlan()) | _plans(_DIES, _HAPPENS, _FAILS),
    st.sampled_from([LEASE_OUTLIVED_S, LEASE_OUTLIVED_S, LEASE_OUTLIVED_S, 0]),
)
DISTURBED = _plans(_DIES, _HAPPENS, _HAPPENS, _FAILS, _STALLS)
