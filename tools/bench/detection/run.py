"""Takes every measurement, one after the other, because they would disturb each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from examhook_simulator.facts import RowOrder
from tools.bench.cloud import running_cloud
from tools.bench.detection.first_contact import Contact, contact
from tools.bench.detection.disruptions import Drifted, drift
from tools.bench.detection.figures import Large, Many, Run, Scale
from tools.bench.interruption import Interrupted, interrupt
from tools.bench.detection.known_account import know
from tools.bench.detection.lambda_sized import memory_of_poll
from tools.bench.pace import ALLOWED_PER_SECOND, ASKED_PER_SECOND, Paced, pace
from tools.bench.detection.peers import Naive, dlt_errors, dlt_unchanged, floor
from tools.bench.detection.product import FASTEST_PER_SECOND, Product
from tools.bench.provider import Provider, pages_of, running_provider
from tools.bench.detection.steady import Watcher, watch

_UNTIL_QUIET_S = 7200
"""Seconds without a change after which no exam counts as active."""

Say = Callable[[str], None]


def run(scale: Scale, say: Say, dlt_python: Path | None) -> Run:
    """Measure everything and report progress to ``say``. ``dlt_python`` is the Python with dlt; None leaves it out."""
    began_s = time.monotonic()
    say(f"a world of {scale.exams} exams with {scale.rows} attempts each")
    with running_provider(scale.exams, scale.rows) as provider:
        large = _large_world(scale, provider, say)
        unchanged = None
        if dlt_python is not None:
            say("dlt")
            unchanged = dlt_unchanged(provider, dlt_python)
    say(f"{scale.small_exams} exams")
    with running_provider(scale.small_exams, scale.small_rows, scale.small_larger, scale.rows) as provider:
        interrupted, paced, drifted = _small_world(scale, provider, say)
        errors = None if dlt_python is None else dlt_errors(provider, dlt_python)
    return Run(
        scale=scale,
        large=large,
        drifted=drifted,
        interrupted=interrupted,
        paced=paced,
        many=_many_exams(scale, say),
        contact=_first_contact(scale, say),
        dlt=unchanged,
        dlt_errors=errors,
        whole_run_s=time.monotonic() - began_s,
    )


def _large_world(scale: Scale, provider: Provider, say: Say) -> Large:
    with running_cloud(provider.code) as cloud:
        say(f"first contact at {FASTEST_PER_SECOND:g} requests a second with {memory_of_poll()} MB")
        with Product(cloud, provider, "main", FASTEST_PER_SECOND, memory_of_poll()) as product:
            paced_first = product.poll()
    with running_cloud(provider.code) as cloud:
        say("first contact")
        with Product(cloud, provider, "main") as product:
            first = product.poll()
        busy = provider.exam_ids[: scale.busy]
        naive = Naive(cloud, provider, busy)
        with Product(cloud, provider, "main") as product, floor(provider) as reader:
            say("newest first")
            newest = watch(Watcher(product, provider), reader, busy, scale.scans, naive)
            say("oldest first")
            provider.control.quirk_on(f"row_order={RowOrder.OLDEST}")
            provider.control.advance(_UNTIL_QUIET_S)
            # A full scan learns the new order.
            product.poll(full=True)
            oldest = watch(Watcher(product, provider), reader, busy, scale.scans)
        sized = {}
        for memory_mb in scale.memory_mb:
            say(f"a full scan with {memory_mb} MB")
            with Product(cloud, provider, "main", memory_mb=memory_mb) as product:
                product.poll()
                sized[memory_mb] = product.poll(full=True)
    return Large(first, paced_first, newest, oldest, naive.answers[-1], sized)


def _small_world(scale: Scale, provider: Provider, say: Say) -> tuple[Interrupted, Paced, Drifted]:
    with running_cloud(provider.code) as cloud:
        say("a first contact that is killed")
        smaller = scale.small_exams - scale.small_larger
        pages = smaller * pages_of(scale.small_rows) + scale.small_larger * pages_of(scale.rows)
        # The exams that were created last are read first, so the later kills hit the larger ones.
        interrupted = interrupt(cloud, provider, "main", pages, [pages * share // 100 for share in (30, 82, 94)])
        say("8 requests a second")
        paced = pace(cloud, provider, "main")
        say("rows that move in the middle of a scan")
        with Product(cloud, provider, "main") as product:
            return interrupted, paced, drift(cloud, product, provider, "main", provider.exam_ids)


def _many_exams(scale: Scale, say: Say) -> Many:
    say(f"{scale.many_exams} exams with {scale.many_rows} attempts each")
    with (
        running_provider(scale.many_exams, scale.many_rows) as provider,
        running_cloud(provider.code) as cloud,
    ):
        busy = provider.exam_ids[: scale.many_busy]
        know(cloud, provider, "main", busy)
        with Product(cloud, provider, "main") as product:
            # Finds which exams are open.
            product.poll()
            watcher = Watcher(product, provider)
            quiet, few_busy = watcher.quiet_poll(), watcher.few_busy(busy[: scale.busy])
        provider.control.set_limit(ALLOWED_PER_SECOND)
        with Product(cloud, provider, "main", ASKED_PER_SECOND) as product:
            paced = Watcher(product, provider, watcher.truth).busy(busy, busy)
        sized = {}
        for memory_mb in scale.memory_mb:
            say(f"one poll with {memory_mb} MB")
            with Product(cloud, provider, "main", ASKED_PER_SECOND, memory_mb) as product:
                sized[memory_mb] = Watcher(product, provider, watcher.truth).busy(busy, busy)
        return Many(quiet, few_busy, paced, provider.control.limit().refused, sized, watcher.truth)


def _first_contact(scale: Scale, say: Say) -> Contact:
    say(f"a first contact with {scale.many_exams} exams over several polls")
    with (
        running_provider(scale.many_exams, scale.contact_rows) as provider,
        running_cloud(provider.code) as cloud,
    ):
        # All over the order in which exams are read for the first time.
        busy = provider.exam_ids[:: max(1, scale.many_exams // scale.many_busy)]
        return contact(cloud, provider, "main", scale.contact_rows, busy, scale.contact_requests)
