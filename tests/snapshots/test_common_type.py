"""The type that holds all values: whichever file is asked first."""

from __future__ import annotations

from itertools import product

import pyarrow as pa
import pytest

from pipeline.snapshots.common_type import joint, plain

TYPES = [
    *(getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)),
    pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.null(),
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary(4),
    pa.decimal128(5, 1), pa.decimal128(38, 0), pa.decimal128(30, 20), pa.decimal32(4, 3),
    pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC"),
    pa.timestamp("ms", "Europe/Berlin"), pa.time32("s"), pa.time64("us"), pa.duration("s"), pa.duration("ns"),
    pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int64(), pa.large_string()),
    pa.list_(pa.int8()), pa.large_list(pa.int64()), pa.list_(pa.int8(), 2), pa.list_(pa.int16(), 3),
]  # fmt: skip


def named_alike(found: pa.DataType | None) -> str:
    return str(found).replace("item: ", "element: ")


def has_digits_to_count(types: tuple[pa.DataType, ...]) -> bool:
    """Whole numbers beside decimals: how many digits they may have depends on how wide they became before."""
    return any(map(pa.types.is_decimal, types)) and any(map(pa.types.is_integer, types))


def test_types_join_alike_in_any_order() -> None:
    pairs = {(one, other): joint(one, other) for one, other in product(TYPES, repeat=2)}
    for (one, other), found in pairs.items():
        assert named_alike(found) == named_alike(pairs[other, one]), (one, other)
        assert found is None or named_alike(joint(found, one)) == named_alike(found), (one, other)
    for one, other, third in product(TYPES, repeat=3):
        if has_digits_to_count((one, other, third)):
            continue
        ways = [(pairs[one, other], third), (pairs[other, third], one)]
        left, right = (None if found is None else joint(found, last) for found, last in ways)
        assert named_alike(left) == named_alike(right), (one, other, third)


@pytest.mark.parametrize("found", TYPES)
def test_a_type_joins_itself_and_is_plain(found: pa.DataType) -> None:
    assert joint(found, found) == found == plain(found)


@pytest.mark.parametrize(
    ("found", "stored"),
    [
        (pa.uuid(), pa.binary(16)),
        (pa.bool8(), pa.bool_()),
        (pa.list_(pa.uuid()), pa.list_(pa.binary(16))),
        (pa.struct({"x": pa.json_()}), pa.struct({"x": pa.string()})),
        (pa.map_(pa.string(), pa.bool8()), pa.map_(pa.string(), pa.bool_())),
        (pa.fixed_shape_tensor(pa.int8(), [2, 2]), pa.list_(pa.int8(), 4)),
    ],
)
def test_extensions_are_what_they_are_stored_as(found: pa.DataType, stored: pa.DataType) -> None:
    assert plain(found) == stored
