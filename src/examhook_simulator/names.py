"""Names of candidates and titles of exams, in scripts that break careless software."""

from __future__ import annotations

import random

CANDIDATE_NAMES = (
    "Tom Baker",
    "Ana-María Núñez",
    "王小明",
    "山田 花子",
    "김민준",
    "محمد عبد الله",
    "שרה כהן",
    "Владимир Щукин",
    "Ελένη Παπαδοπούλου",
    "สมชาย ใจดี",
    "प्रिया शर्मा",
    "Nguyễn Thị Hồng",
    "Zoe\u0308 Le\u0301vesque",  # combining accents, not the composed letters
    "Siobhán O'Brien",
    "Robin 🦊 Fuchs",
    "👩🏽‍🚀 Mae",
    'Robert "Bob" <b>Tables</b>',
    "Łukasz Żółć",
    "Þórdís Ægisdóttir",
    "Ali\u200fعلي",  # a right-to-left mark between two scripts
    "Jean\u00a0Dupont",
    "陳大文 (Peter)",
    "A",
    "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine the Elder",
)

EXAM_TITLES = (
    "Fire safety, annual refresher",
    "Mathematics II: mid-term",
    "安全生产知识考试",
    "Prüfung Datenschutz & Informationssicherheit",
    "اختبار السلامة المهنية",
    "Food hygiene level 2 🧑‍🍳",
    "日本語能力試験 N3 模擬",
    "Forklift \\ pallet truck / theory",
)

CATEGORIES = ("Safety", "School", "Språk", "合规")

LONG_TITLE = (
    "Continuing professional development of clinical staff: infection prevention and control, medicines management, "
    "information governance, moving and handling, and safeguarding of adults and children, autumn term, second sitting"
)
"""Longer than any subject of an e-mail may be."""


def candidate_name(rng: random.Random) -> str:
    """One of the names, with a number so that two candidates rarely share one."""
    return f"{rng.choice(CANDIDATE_NAMES)} {rng.randrange(10_000):04d}"


def exam_title(rng: random.Random, nth: int) -> str:
    """Title of the ``nth`` exam that was given none."""
    return f"{rng.choice(EXAM_TITLES)} #{nth}"
