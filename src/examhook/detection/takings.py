"""What ``attempt_count`` may count, and whether what was seen bears it out.

Nobody knows whether it counts starts or ends, so both are kept as theories, each with its own sum: to a count
of starts an end is no news, to a count of ends a start is none. A theory is refuted by what it never told of
within PATIENCE_SECONDS, and explains nothing any more. Where both are, the takings lie.
"""

from __future__ import annotations

from examhook.detection.plan import ExamRequest, Reason
from examhook.detection.watch import ExamWatch, Told

PATIENCE_SECONDS = 600
"""How long ``attempt_count`` may be out of step with the rows, in either direction."""


def accounts_for(request: ExamRequest, appeared: int, ended: int, now: int) -> bool:
    """Whether what was found explains how far the takings moved.

    As long as they may count starts, no end explains them: there may be a new attempt whose row was not met, or is
    listed later.
    """
    known = request.known
    if not request.growth or known is None:
        return True
    if takings_lie(known, now):
        # Late rows may have refuted what was right, so the one growth that has its rows is believed.
        return appeared >= request.growth
    told, seen = (known.ends, ended) if _is_refuted(known.starts, now) else (known.starts, appeared)
    return told.ahead + seen >= request.growth


def compared(  # noqa: PLR0913 - what was found, and of what
    request: ExamRequest, known: ExamWatch, *, appeared: int, ended: int, now: int, settled: bool
) -> tuple[Told, Told]:
    """Both theories, of starts and of ends, after what was found at ``now``.

    Until the takings are ``settled``, it counts again at the next comparison. Of an exam that is not listed they are
    not known, so that nothing refutes a theory.
    """
    listed = request.reason is not Reason.UNLISTED

    def after(told: Told, seen: int) -> Told:
        ahead = told.ahead + seen
        stand_still = listed and request.exam.attempt_count == known.exam.attempt_count
        return Told(
            ahead=ahead - request.growth if settled else ahead,
            ahead_since=(told.ahead_since or now) if listed and ahead > request.growth else None,
            refuted=told.refuted or (stand_still and _is_refuted(told, now)),
        )

    return after(known.starts, appeared), after(known.ends, ended)


def takings_lie(watch: ExamWatch, now: int) -> bool:
    """Whether starts and ends were seen that the takings have not told of for so long that they never will."""
    return _is_refuted(watch.starts, now) and _is_refuted(watch.ends, now)


def _is_refuted(told: Told, now: int) -> bool:
    return told.refuted or (told.ahead_since is not None and now - told.ahead_since >= PATIENCE_SECONDS)
