"""The item codec: the stored form of each kind of attribute, and the effect of an incomplete item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from examhook.storage.item_codec import (
    BINARY,
    DECIMAL,
    FLAG,
    NUMBER,
    TEXT,
    ItemCodec,
    UnreadableItemError,
    VersionedItemCodec,
    inline,
    list_of,
    map_of,
    member_of,
    nested,
)

if TYPE_CHECKING:
    from examhook.storage.item_codec import Attributes


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    text: str
    number: int | None = None


@dataclass(frozen=True)
class Whole:
    text: str
    score: Decimal | None
    flag: bool
    data: bytes
    color: Color = Color.RED
    count: int = 0
    parts: tuple[Part, ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)
    part: Part | None = None
    inner: Part = Part("inner")
    maybe: Part | None = None


PART = ItemCodec(Part, text=TEXT, number=NUMBER.optional())
WHOLE = VersionedItemCodec(
    Whole,
    "a test's item",
    text=TEXT,
    score=DECIMAL.optional(),
    flag=FLAG,
    data=BINARY,
    color=member_of(Color).named("colour").optional(Color.RED),
    count=NUMBER.sparse(0),
    parts=list_of(nested(PART)),
    counts=map_of(NUMBER, key=int),
    part=nested(PART).optional(),
    inner=inline(ItemCodec(Part, text=TEXT.named("inner_text"), number=NUMBER.named("inner_number").optional())),
    maybe=inline(
        ItemCodec(Part, text=TEXT.named("maybe"), number=NUMBER.named("maybe_number").optional()), where="maybe"
    ),
)

NUMBERS = st.integers(-(10**9), 10**9)
PARTS = st.builds(Part, st.text(), st.none() | NUMBERS)
WHOLES = st.builds(
    Whole,
    st.text(),
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000),
    st.booleans(),
    st.binary(),
    st.sampled_from(Color),
    NUMBERS,
    st.lists(PARTS).map(tuple),
    st.dictionaries(NUMBERS, NUMBERS),
    st.none() | PARTS,
    PARTS,
    st.none() | PARTS,
)
SMALL = Whole("a", None, flag=False, data=b"\0")
SMALL_ITEM: Attributes = {
    "v": {"N": "1"},
    "text": {"S": "a"},
    "flag": {"BOOL": False},
    "data": {"B": b"\0"},
    "colour": {"S": "red"},
    "parts": {"L": []},
    "counts": {"M": {}},
    "inner_text": {"S": "inner"},
}


@given(WHOLES)
def test_a_written_value_is_read_back_unchanged(value: Whole) -> None:
    assert WHOLE.from_item(WHOLE.to_item(value)) == value


@given(WHOLES)
def test_an_item_equals_the_output_of_botos_serializer(value: Whole) -> None:
    """DynamoDB returns the item in this form, so a put recognizes its own item."""
    item = WHOLE.to_item(value)
    read, write = TypeDeserializer().deserialize, TypeSerializer().serialize
    assert {name: write(read(each)) for name, each in item.items()} == item


def test_absent_and_empty_values_are_not_stored() -> None:
    assert WHOLE.to_item(SMALL) == SMALL_ITEM
    assert WHOLE.from_item(SMALL_ITEM) == SMALL


@pytest.mark.parametrize(("score", "stored"), [("30.50", "30.5"), ("30", "30"), ("100", "100"), ("1E+2", "100")])
def test_a_decimal_is_stored_as_dynamodb_returns_it(score: str, stored: str) -> None:
    assert DECIMAL.value(Decimal(score)) == {"N": stored}


def test_an_absent_attribute_reads_as_its_default() -> None:
    assert WHOLE.from_item({name: each for name, each in SMALL_ITEM.items() if name != "colour"}).color is Color.RED


@pytest.mark.parametrize("name", ["v", "text", "flag", "data", "parts", "counts", "inner_text"])
def test_an_item_without_a_required_attribute_is_unreadable(name: str) -> None:
    with pytest.raises(UnreadableItemError, match=f"a test's item lacks '{name}' or has it with another type"):
        WHOLE.from_item({other: each for other, each in SMALL_ITEM.items() if other != name})


def test_an_attribute_of_another_type_is_unreadable_and_its_value_is_not_shown() -> None:
    with pytest.raises(UnreadableItemError) as caught:
        WHOLE.from_item({**SMALL_ITEM, "text": {"N": "123456"}})
    assert "123456" not in str(caught.value)


def test_an_item_of_another_version_is_unreadable() -> None:
    with pytest.raises(UnreadableItemError, match="a test's item has schema version 2, expected 1"):
        WHOLE.from_item({**SMALL_ITEM, "v": {"N": "2"}})


def test_a_codec_describes_every_field_and_no_other() -> None:
    with pytest.raises(TypeError, match="Part and its codec differ in another, number"):
        ItemCodec(Part, text=TEXT, another=NUMBER)
