"""Plays every measure, one after the other: whatever ran beside would be measured with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.cloud import Cloud, running_cloud
from bench.drift import Drifted, drift
from bench.figures import Many, Run, Scale
from bench.interruption import Interrupted, interrupt
from bench.pace import ALLOWED_PER_SECOND, ASKED_PER_SECOND, Paced, pace
from bench.peers import Naive, dlt, floor
from bench.product import Polled, Product
from bench.provider import Provider, running_provider
from bench.steady import Steady, Watcher, watch
from examhook_cli.simulator.facts import RowOrder

PAGE = 100
_UNTIL_QUIET_S = 7200
"""After so long without a change no exam counts as busy any more."""

Say = Callable[[str], None]


def run(scale: Scale, say: Say, dlt_python: Path | None) -> Run:
    """Measure all; says what it is at. ``dlt_python`` is the Python that has dlt; None leaves it out."""
    began_s = time.monotonic()
    say(f"making a world of {scale.exams} exams with {scale.rows} attempts each")
    with running_provider(scale.exams, scale.rows) as provider, running_cloud(provider.code) as cloud:
        first, newest, oldest, naive, drifted = _main_world(scale, cloud, provider, say)
        peer = None
        if dlt_python is not None:
            say("dlt")
            peer = dlt(provider, provider.exam_ids[: scale.moving], dlt_python)
    interrupted, paced = _small_world(scale, say)
    many = _many_exams(scale, say)
    return Run(
        scale=scale,
        first=first,
        newest=newest,
        oldest=oldest,
        naive=naive.answers[-1],
        drifted=drifted,
        interrupted=interrupted,
        paced=paced,
        many=many,
        dlt=peer,
        whole_run_s=time.monotonic() - began_s,
    )


def _main_world(
    scale: Scale, cloud: Cloud, provider: Provider, say: Say
) -> tuple[Polled, Steady, Steady, Naive, Drifted]:
    say("first contact")
    with Product(cloud, provider, "main") as product:
        first = product.poll()
    busy = provider.exam_ids[: scale.busy]
    naive = Naive(cloud, provider, busy)
    with Product(cloud, provider, "main") as product, floor(provider) as reader:
        say("newest first")
        newest = watch(Watcher(product, provider), reader, busy, scale.passes, naive)
        say("rows that move in the middle of a pass")
        drifted = drift(cloud, product, provider, "main", provider.exam_ids[: scale.moving])
        say("oldest first")
        provider.control.quirk_on(f"row_order={RowOrder.OLDEST}")
        provider.control.advance(_UNTIL_QUIET_S)
        # The account's order was another so far; a full pass finds that out.
        product.poll(full=True)
        oldest = watch(Watcher(product, provider), reader, busy, scale.passes)
    return first, newest, oldest, naive, drifted


def _small_world(scale: Scale, say: Say) -> tuple[Interrupted, Paced]:
    with running_provider(scale.small_exams, scale.rows) as provider, running_cloud(provider.code) as cloud:
        say("a first contact that is killed")
        pages = scale.small_exams * (scale.rows // PAGE + 1)
        interrupted = interrupt(cloud, provider, "main", pages, [pages * share // 10 for share in (3, 6, 9)])
        say("eight requests a second")
        return interrupted, pace(cloud, provider, "main")


def _many_exams(scale: Scale, say: Say) -> Many:
    say(f"{scale.many_exams} exams")
    with (
        running_provider(scale.many_exams, scale.many_rows, scale.many_busy, PAGE) as provider,
        running_cloud(provider.code) as cloud,
    ):
        with Product(cloud, provider, "main") as product:
            product.poll()
            watcher = Watcher(product, provider)
            quiet, few_busy = watcher.quiet(), watcher.few_busy(provider.exam_ids[: scale.busy])
        provider.control.set_limit(ALLOWED_PER_SECOND)
        with Product(cloud, provider, "main", ASKED_PER_SECOND) as product:
            busy = provider.exam_ids[: scale.many_busy]
            paced = Watcher(product, provider, watcher.truth).busy(busy, busy)
        return Many(quiet, few_busy, paced, provider.control.limit().refused, watcher.truth)
