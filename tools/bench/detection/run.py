"""Runs all measurements of detection one after the other, so that they do not disturb each other."""

from __future__ import annotations

import time
from pathlib import Path

from examhook_simulator.facts import ListOrder
from tools.bench.cloud import running_cloud
from tools.bench.detection.disruptions import (
    ALLOWED_PER_SECOND,
    REQUESTED_PER_SECOND,
    Drifted,
    Interrupted,
    Paced,
    drift,
    interrupt,
    pace,
)
from tools.bench.detection.figures import Large, Many, Run, Scale
from tools.bench.detection.first_contact import FirstContact, first_contact
from tools.bench.detection.known_account import write_known_account
from tools.bench.detection.lambda_sized import memory_of_poll
from tools.bench.detection.peers import Naive, dlt_errors, dlt_unchanged, floor
from tools.bench.detection.product import FASTEST_PER_SECOND, Product
from tools.bench.detection.steady import Watcher, watch
from tools.bench.provider import Provider, pages_of, running_provider
from tools.progress import Say

_UNTIL_INACTIVE_S = 7200
"""Time without changes after which no exam is active."""


def run(scale: Scale, say: Say, dlt_python: Path | None) -> Run:
    """Measure everything. ``dlt_python`` is the Python with dlt; without it, dlt is left out."""
    began_s = time.monotonic()
    say(f"{scale.exams} exams with {scale.rows} attempts each")
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
            provider.control.quirk_on(f"row_order={ListOrder.OLDEST}")
            provider.control.advance(_UNTIL_INACTIVE_S)
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
        say("a first contact whose process is killed")
        smaller = scale.small_exams - scale.small_larger
        pages = smaller * pages_of(scale.small_rows) + scale.small_larger * pages_of(scale.rows)
        # The newest exams are read first, so the later kills hit the larger exams.
        interrupted = interrupt(cloud, provider, "main", pages, [pages * share // 100 for share in (30, 82, 94)])
        say("8 requests a second")
        paced = pace(cloud, provider, "main")
        say("rows that move during a scan")
        with Product(cloud, provider, "main") as product:
            return interrupted, paced, drift(cloud, product, provider, "main", provider.exam_ids)


def _many_exams(scale: Scale, say: Say) -> Many:
    say(f"{scale.many_exams} exams with {scale.many_rows} attempts each")
    with (
        running_provider(scale.many_exams, scale.many_rows) as provider,
        running_cloud(provider.code) as cloud,
    ):
        busy = provider.exam_ids[: scale.many_busy]
        write_known_account(cloud, provider, "main", busy)
        with Product(cloud, provider, "main") as product:
            # This poll finds the open exams.
            product.poll()
            watcher = Watcher(product, provider)
            quiet, few_busy = watcher.quiet_poll(), watcher.few_busy(busy[: scale.busy])
        provider.control.set_limit(ALLOWED_PER_SECOND)
        with Product(cloud, provider, "main", REQUESTED_PER_SECOND) as product:
            paced = Watcher(product, provider, watcher.check).busy(busy, busy)
        sized = {}
        for memory_mb in scale.memory_mb:
            say(f"one poll with {memory_mb} MB")
            with Product(cloud, provider, "main", REQUESTED_PER_SECOND, memory_mb) as product:
                sized[memory_mb] = Watcher(product, provider, watcher.check).busy(busy, busy)
        return Many(quiet, few_busy, paced, provider.control.limit().refused, sized, watcher.check)


def _first_contact(scale: Scale, say: Say) -> FirstContact:
    say(f"a first contact with {scale.many_exams} exams in several polls")
    with (
        running_provider(scale.many_exams, scale.contact_rows) as provider,
        running_cloud(provider.code) as cloud,
    ):
        # Spread over the order in which exams are read for the first time.
        busy = provider.exam_ids[:: max(1, scale.many_exams // scale.many_busy)]
        return first_contact(cloud, provider, "main", scale.contact_rows, busy, scale.contact_requests)
