"""The random test: a world, a provider with its habits, tables in memory, and pollers that come and go."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from examhook.detection.intervals import IDLE_FACTOR
from examhook.settings import Dialect, InitialSync
from examhook_simulator.facts import AttemptCount, ListOrder
from examhook_simulator.quirks import Quirk
from tests.model.acts import ACTS, Act, play
from tests.model.claims import Claims
from tests.model.exam_claims import check_exams, check_receipts
from tests.model.history import histories
from tests.model.plans import DISTURBED, LEASE_OUTLIVED_S, NO_HABITS, Fault, PollPlan
from tests.model.poller import FULL_SCAN_SECONDS, Installation
from tests.model.provider import Provider

UNDISTURBED = PollPlan()
SOON = 6
"""Polls, a minute apart, that follow up every hint, even if an earlier one found nothing."""

ABSENT = ("name,viewResult", "endTime", "score", "endTime,score,name")


@dataclass(frozen=True)
class Setup:
    """The provider's permanent habits, and the installation's settings."""

    dialect: Dialect = Dialect.LEGACY
    order: ListOrder = ListOrder.NEWEST
    counts: AttemptCount = AttemptCount.STARTS
    page_cap: int | None = None
    quirks: frozenset[str] = frozenset()
    absent: str = ""
    disguised: bool = False
    initial_sync: InitialSync = InitialSync.SILENT
    clock_skew_s: int = 0
    seconds_per_request: float = 0.0
    rows_lag_s: int = 0
    """How long after ``times`` counts a new attempt its row is listed."""
    habits: tuple[str, ...] = ()
    """Further quirks, switched on once the past is there."""
    past: tuple[int, ...] = (3,)
    """Attempts at each exam before the first poll."""


HABITS = (
    "uneven_pages=1",
    "uneven_pages=2",
    "uneven_pages=3",
    "hidden_rows=1:4",
    "hidden_rows=0.2:6",
    "ties_by_request",
    "exam_list_cap=2",
    "results_cap=2",
    "results_cap=4",
    "count=stuck",
    "count=lagging",
    "count=lies",
    "date=1970",
    "date=absent",
    "date=stuck",
    "date=+18000",
    "date=-18000",
    "date=two_servers",
)
"""Habits of the provider that last."""

QUIRKS = (
    Quirk.NUMBERS_AS_STRINGS,
    Quirk.NO_STATUS_IN_LISTS,
    Quirk.BARE_CANDIDATE,
    Quirk.TID_AND_PASSED,
    Quirk.BOM,
    Quirk.PHP_NOTICES,
    Quirk.RAW_UNICODE,
    Quirk.IGNORE_START,
)


def _is_fair(setup: Setup) -> bool:
    """Whether the provider shows everything.

    Rows without status, end and score never show a change. If the provider ignores the offset and pages cannot be
    longer, rows behind the first page are never shown. Pages of a few rows in a different order each time repeat rows
    by chance, like a server that ignores the offset; pages of a hundred rows do not.
    """
    if setup.page_cap is not None and setup.order is ListOrder.SHUFFLED:
        return False
    if Quirk.IGNORE_START in setup.quirks and (setup.page_cap is not None or setup.dialect is Dialect.V1):
        return False
    if Quirk.NO_STATUS_IN_LISTS in setup.quirks and setup.absent not in {"", ABSENT[0]}:
        return False
    return _are_fair(setup)


def _are_fair(setup: Setup) -> bool:
    """Whether the other habits leave every row visible.

    Pages of a few rows may never show some of them if equal rows change places at each request. A page whose few rows
    are all hidden looks like the end. The v1 API has no list of exams, so hidden or miscounted rows look like those of
    unknown exams.
    """
    names = {habit.partition("=")[0] for habit in setup.habits}
    cuts = bool(names & {"uneven_pages", "results_cap", "exam_list_cap"})
    small = cuts or setup.page_cap is not None
    unfair = (
        len(names) < len(setup.habits),
        "ties_by_request" in names and small,
        "hidden_rows" in names and small,
        cuts and (setup.order is ListOrder.SHUFFLED or setup.page_cap is not None),
        Quirk.IGNORE_START in setup.quirks and (cuts or "hidden_rows" in names),
        setup.dialect is Dialect.V1 and names & {"hidden_rows", "count", "exam_list_cap"},
    )
    return not any(unfair)


SETUPS = st.builds(
    Setup,
    dialect=st.sampled_from([Dialect.LEGACY, Dialect.LEGACY, Dialect.V1]),
    order=st.sampled_from(ListOrder),
    counts=st.sampled_from(AttemptCount),
    page_cap=st.none() | st.integers(2, 5),
    quirks=st.frozensets(st.sampled_from([quirk.value for quirk in QUIRKS]), max_size=3),
    absent=st.just("") | st.just("") | st.sampled_from(ABSENT),
    disguised=st.booleans(),
    initial_sync=st.sampled_from(InitialSync),
    clock_skew_s=st.sampled_from([0, 0, -100, 100]),
    seconds_per_request=st.sampled_from([0.0, 0.2, 1.0]),
    rows_lag_s=st.sampled_from([0, 0, 0, 90]),
    habits=st.lists(st.sampled_from(HABITS), max_size=3, unique=True).map(tuple),
    past=st.lists(st.integers(0, 6), min_size=1, max_size=2).map(tuple),
).filter(_is_fair)


class Detection(RuleBasedStateMachine):
    """A world, a provider, tables in memory, and pollers that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_sound = False
        self.known_from: dict[str, int] = {}

    @initialize(setup=SETUPS)
    def begin(self, setup: Setup) -> None:
        self.setup = setup
        self.provider = Provider(
            dialect=setup.dialect, disguised=setup.disguised, seconds_per_request=setup.seconds_per_request
        )
        self.provider.world.rows_lag_s = setup.rows_lag_s
        self.provider.switch(f"row_order={setup.order}", *sorted(setup.quirks))
        if setup.page_cap is not None:
            self.provider.switch(f"limit_cap={setup.page_cap}")
        if setup.absent:
            self.provider.switch(f"absent_fields={setup.absent}")
        for attempts in setup.past:
            self.provider.world.populate(self.provider.world.create_exam(counts=setup.counts), attempts)
        self.provider.switch(*setup.habits)
        self.installation = Installation(self.provider, setup.initial_sync, setup.clock_skew_s)
        self.is_sound = True

    @rule(acts=st.lists(ACTS, min_size=1, max_size=8))
    def something_happens(self, acts: list[Act]) -> None:
        for act in acts:
            play(self.provider.world, act)

    @rule(order=st.sampled_from(ListOrder))
    def the_order_changes(self, order: ListOrder) -> None:
        if order is ListOrder.SHUFFLED and (self.setup.page_cap is not None or self._cuts_pages()):
            return
        self.provider.switch(f"row_order={order}")
        self._note_what_is_read_in_several_orders()

    def _note_what_is_read_in_several_orders(self) -> None:
        """Record the exams that are partly read while the order changes or is undefined."""
        for (_, exam_id), state in self.installation.exam_states.items.items():
            if state.cursor is not None:
                self.provider.world.unhinted.add(exam_id)
        if self.setup.dialect is Dialect.V1:
            # All rows may be read in part as well, in search of exams that are not known yet.
            known = {exam_id for _, exam_id in self.installation.exam_states.items}
            self.provider.world.unhinted |= {str(exam.exam_id) for exam in self.provider.world.exams()} - known

    @rule(pick=st.integers(0, 2))
    def an_exam_is_missing_from_the_list(self, pick: int) -> None:
        if self.setup.dialect is Dialect.V1:
            return  # it has no list of them
        exams = self.provider.world.exams()
        self.provider.world.hidden ^= {str(exam.exam_id) for exam in exams[pick : pick + 1]}

    @rule(acts=st.lists(ACTS, max_size=5), plan=DISTURBED)
    def something_happens_and_a_poll_is_disturbed(self, acts: list[Act], plan: PollPlan) -> None:
        self.something_happens(acts)
        self.poll(plan)

    @rule(acts=st.lists(ACTS, max_size=5), full=st.booleans())
    def something_happens_and_a_poll_finds_it(self, acts: list[Act], full: bool) -> None:  # noqa: FBT001
        self.something_happens(acts)
        self.poll(PollPlan(full=full))

    @rule(plan=DISTURBED)
    def poll(self, plan: PollPlan = UNDISTURBED) -> None:
        self.is_sound = False
        self.provider.world.advance(60)
        self.installation.poll(plan)
        if self._is_shuffled():
            self._note_what_is_read_in_several_orders()
        for (_, exam_id), state in self.installation.exam_states.items.items():
            if state.scanned_at is not None:
                self.known_from.setdefault(exam_id, len(self.provider.world.ledger()))
        self.is_sound = True

    def teardown(self) -> None:
        """Change nothing for as long as an announcement may take, then compare the events with the truth."""
        if not self.is_sound:
            return
        self._calm_down()
        self._poll_undisturbed([60] * SOON)
        self._claims().check_what_was_hinted()
        longest_s = 2 * FULL_SCAN_SECONDS * IDLE_FACTOR
        self._poll_undisturbed([60] * 4 + [longest_s // 10] * 12)
        self._claims().check()
        check_exams(self.installation)
        self.provider.world.advance(60)
        last = self.installation.poll(PollPlan(full=True))
        assert last is not None
        assert last.complete, last
        assert last.changes == 0, last
        check_receipts(self.installation, certifies=Quirk.NO_STATUS_IN_LISTS not in self.setup.quirks)

    def _poll_undisturbed(self, waits_s: list[int]) -> None:
        for wait_s in waits_s:
            self.provider.world.advance(wait_s)
            self.installation.poll(UNDISTURBED)

    def _claims(self) -> Claims:
        absent = self.setup.absent.split(",")
        shows_passed = Quirk.TID_AND_PASSED in self.setup.quirks or self.setup.dialect is Dialect.V1
        found = histories(self.provider, absent, shows_passed=shows_passed)
        hints = not any(habit.startswith(("count", "hidden_rows", "ties")) for habit in self.setup.habits)
        is_stuck = "date=stuck" in self.setup.habits
        return Claims(self.installation, found, self.known_from, hints=hints, date_is_stuck=is_stuck)

    def _calm_down(self) -> None:
        for fault in Fault:
            if fault not in NO_HABITS:
                self.provider.api.quirks.turn_off(Quirk(fault.value))
        self.provider.refuses_next = False
        self.provider.world.hidden.clear()
        records = [record for record, _ in self.installation.exams.records.values()]
        if any(record.refusal or record.left_alone_until for record in records):
            # A person who corrected the code or waited for the provider asks at once.
            self.provider.world.advance(LEASE_OUTLIVED_S)
            self.installation.poll(PollPlan(manual=True))

    def _cuts_pages(self) -> bool:
        return any(habit.startswith(("uneven_pages", "results_cap")) for habit in self.setup.habits)

    def _is_shuffled(self) -> bool:
        return any(switch.value == ListOrder.SHUFFLED for switch in self.provider.api.quirks.switches())
