"""Translates dataclasses to items of DynamoDB's low-level client, and back.

An ``ItemCodec`` defines how each field of a dataclass is stored::

    ItemCodec(
        ExamState,
        account=TEXT,                         required: an item without it is unreadable
        digest=NUMBER.optional(),             None is not stored; absent means None
        row_count=NUMBER.optional(0),         absent means 0
        running=list_of(KEY).sparse(()),      an empty value is not stored either
        title=TEXT.named("exam_title"),       stored under this name instead of the field's
        cursor=nested(CURSOR).optional(),     a map in the item
        exam=inline(EXAM),                    attributes of the item itself
    )

Names and types of attributes are the stored format. Changing one makes existing items unreadable.

::

    UnreadableItemError    the format of an item is not that of this version; a retry does not help
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]
    """An item as read."""
    Attributes = dict[str, AttributeValueTypeDef]
    """An item to write, a part of an item, or the values of an expression."""

T = TypeVar("T")

SCHEMA_VERSION = 1
"""Version of the stored format, the attribute ``v`` of each item."""

_REQUIRED = object()


class UnreadableItemError(ValueError):
    """A stored item does not have the format of this version."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """How the value of one field is stored."""

    type: str
    """DynamoDB's type: S, N, BOOL, B, L or M. Empty if the value's attributes are attributes of the item itself."""
    encode: Callable[[Any], object] | None = None
    """Converts a value to its stored form; None if both are the same."""
    decode: Callable[[Any], object] | None = None
    """Converts a stored form to its value; None if both are the same."""
    name: str = ""
    """Name of the attribute; empty for the name of the field."""
    default: object = _REQUIRED
    """Value of an absent attribute."""
    is_sparse: bool = False
    """Whether empty values are not stored. None is never stored."""

    def named(self, name: str) -> Attribute:
        """Return the attribute with the stored name ``name``."""
        return replace(self, name=name)

    def optional(self, default: object = None) -> Attribute:
        """Return the attribute as one that may be absent."""
        return replace(self, default=default)

    def sparse(self, default: object = None) -> Attribute:
        """Return the attribute as one that is absent if its value is empty (0, false or without elements)."""
        return replace(self, default=default, is_sparse=True)

    def value(self, content: object) -> AttributeValueTypeDef:
        """Return ``content`` as an attribute value of DynamoDB."""
        return cast("AttributeValueTypeDef", {self.type: content if self.encode is None else self.encode(content)})


class ItemCodec(Generic[T]):
    """Translates values of one dataclass to items, and back."""

    def __init__(self, value_type: type[T], /, **attributes: Attribute) -> None:
        by_field = _by_field(value_type, attributes)
        stored = [(field, each) for field, each in by_field if each.type]
        if len(stored) < 2:  # noqa: PLR2004 - attrgetter gives no tuple for one name
            raise TypeError(f"The codec of {value_type.__name__} needs at least two attributes of its own.")
        self._value_type = value_type
        # Tuples and one call for all values take half the time of looking up each field in an Attribute.
        self._values = attrgetter(*[field for field, _ in stored])
        self._writes = [(each.name, each.type, each.encode, each.is_sparse) for _, each in stored]
        # Inline values have no attribute of their own (no name is empty); ``from_item`` fills them in.
        self._reads = [(each.name if each.type else "", each.type, each.decode, each.default) for _, each in by_field]
        required = [each.name for _, each in stored if each.default is _REQUIRED]
        self._check: Callable[[Item], object] = itemgetter(*required) if required else bool
        self._inline: list[tuple[int, str, Any, Any]] = [
            (place, field, each.encode, each.decode) for place, (field, each) in enumerate(by_field) if not each.type
        ]

    def to_item(self, value: T) -> Attributes:
        """Return the attributes of ``value``."""
        item: dict[str, Any] = {}
        for content, (name, type_, encode, is_sparse) in zip(self._values(value), self._writes, strict=True):
            if content is not None and (content or not is_sparse):
                item[name] = {type_: content if encode is None else encode(content)}
        for _, field, encode, _ in self._inline:
            content = getattr(value, field)
            if content is not None:
                item |= encode(content)
        return item

    def from_item(self, item: Item) -> T:
        """Return the value in ``item``; raises KeyError if an attribute is missing or has another type."""
        self._check(item)
        get: Callable[[str], Any] = item.get
        values = [
            default if (stored := get(name)) is None else stored[type_] if decode is None else decode(stored[type_])
            for name, type_, decode, default in self._reads
        ]
        for place, _, _, decode in self._inline:
            values[place] = decode(item)
        return self._value_type(*values)


class VersionedItemCodec(ItemCodec[T]):
    """Codec of whole items, which contain the version of their format."""

    def __init__(self, value_type: type[T], what: str, /, **attributes: Attribute) -> None:
        super().__init__(value_type, **attributes)
        self._what = what

    def to_item(self, value: T) -> Attributes:
        """Return the attributes of ``value``, and the version."""
        item = super().to_item(value)
        item["v"] = VERSION
        return item

    def from_item(self, item: Item) -> T:
        """Return the value in ``item``; raises UnreadableItemError, whose message contains no values of attributes."""
        try:
            if (version := int(item["v"]["N"])) != SCHEMA_VERSION:
                raise UnreadableItemError(f"{self._what} has schema version {version}, expected {SCHEMA_VERSION}")
            return super().from_item(item)
        except KeyError as missing:
            raise UnreadableItemError(f"{self._what} lacks {missing} or has it with another type") from missing


def _by_field(value_type: type, attributes: Mapping[str, Attribute]) -> list[tuple[str, Attribute]]:
    """Return the attribute of each field, in the order of the fields; raises TypeError if they do not match."""
    names = [each.name for each in fields(value_type)]
    if differing := set(names) ^ set(attributes):
        raise TypeError(f"{value_type.__name__} and its codec differ in {', '.join(sorted(differing))}.")
    return [(field, attributes[field].named(attributes[field].name or field)) for field in names]


def _number_text(value: Decimal) -> str:
    """Return a number as DynamoDB returns it: ``30.5`` for 30.50."""
    text = str(value)
    if text.isdigit():
        return text
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


TEXT = Attribute("S")
NUMBER = Attribute("N", str, int)
"""A whole number."""
DECIMAL = Attribute("N", _number_text, Decimal)
FLAG = Attribute("BOOL")
BINARY = Attribute("B", decode=bytes)
VERSION = NUMBER.value(SCHEMA_VERSION)


def member_of(kind: type[StrEnum]) -> Attribute:
    """Return the attribute of an enumeration, stored as text."""
    return Attribute("S", attrgetter("value"), kind)


def list_of(element: Attribute) -> Attribute:
    """Return the attribute of a tuple whose elements are stored as ``element``."""
    type_, encode, decode = element.type, element.encode or _same, element.decode or _same
    return Attribute(
        "L",
        lambda values: [{type_: encode(each)} for each in values],
        lambda stored: tuple([decode(each[type_]) for each in stored]),
    )


def map_of(element: Attribute, key: Callable[[str], object] = str) -> Attribute:
    """Return the attribute of a map; ``key`` converts its stored names to keys."""
    type_, encode, decode = element.type, element.encode or _same, element.decode or _same
    return Attribute(
        "M",
        lambda values: {str(name): {type_: encode(each)} for name, each in values.items()},
        lambda stored: {key(name): decode(each[type_]) for name, each in stored.items()},
    )


def nested(codec: ItemCodec[Any]) -> Attribute:
    """Return the attribute of another dataclass, stored as a map."""
    return Attribute("M", codec.to_item, codec.from_item)


def inline(codec: ItemCodec[Any], *, where: str | None = None) -> Attribute:
    """Return the attribute of another dataclass, stored in the item itself; None in items without ``where``."""
    if where is None:
        return Attribute("", codec.to_item, codec.from_item)
    return Attribute("", codec.to_item, lambda item: codec.from_item(item) if where in item else None)


def _same(value: object) -> object:
    return value
