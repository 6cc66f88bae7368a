"""Candidates and exam titles of the simulated world, with names in scripts that break careless software."""

from __future__ import annotations

import random

from examhook_simulator.facts import WorldError

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


def candidate_name(rng: random.Random) -> str:
    """Return a random name; a number keeps it almost unique."""
    return f"{rng.choice(CANDIDATE_NAMES)} {rng.randrange(10_000):04d}"


def exam_title(rng: random.Random, nth: int) -> str:
    """Return a random title for the ``nth`` exam."""
    return f"{rng.choice(EXAM_TITLES)} #{nth}"


class CandidateBook:
    """Ids and names of all candidates. The caller holds the world's lock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names: dict[int, str] = {}
        self._last_id = 19_000

    def enrol(self, candidate_id: str | None, name: str | None) -> tuple[int, str]:
        """Return id and name of a candidate; raises WorldError.

        Without an id, the candidate is new. A name replaces the known one.
        """
        if candidate_id is not None and not candidate_id.isdecimal():
            raise WorldError(f"A candidate id is a number, not {candidate_id!r}")
        number = self._new_number() if candidate_id is None else int(candidate_id)
        if name is not None:
            self._names[number] = name
        elif number not in self._names:
            self._names[number] = candidate_name(self._rng)
        return number, self._names[number]

    def number_from(self, number: int) -> None:
        """Give new candidates ids above ``number``."""
        self._last_id = max(self._last_id, number)

    def _new_number(self) -> int:
        self._last_id += self._rng.randint(1, 9)
        while self._last_id in self._names:
            self._last_id += 1
        return self._last_id
