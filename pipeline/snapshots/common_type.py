"""What becomes of a column whose files write it in different types: the type that holds all values exactly, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS = ("s", "ms", "us", "ns")
_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
_MOST_DIGITS = 38  # as many as DuckDB can compute with, too


def plain(found: pa.DataType) -> pa.DataType:
    """A type without extensions, as every reader understands it: what an extension type is stored as.

    Flags of a byte each (arrow.bool8) are booleans. Lists of one size within others are lists: where one is missing,
    Arrow cannot read them back.
    """
    import pyarrow as pa

    if isinstance(found, pa.BaseExtensionType):
        return pa.bool_() if found.extension_name == "arrow.bool8" else plain(found.storage_type)
    if pa.types.is_dictionary(found):
        return pa.dictionary(found.index_type, plain(found.value_type), found.ordered)
    if pa.types.is_nested(found) and not pa.types.is_union(found):
        children = [found.field(place) for place in range(found.num_fields)]
        return _like(found, [child.with_type(open_list(plain(child.type))) for child in children])
    return found


def open_list(found: pa.DataType) -> pa.DataType:
    """A list of one size as one of any, so that some may be missing; other types as they are."""
    import pyarrow as pa

    return pa.list_(pa.field("element", found.value_type)) if pa.types.is_fixed_size_list(found) else found


def joint(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The plain type that holds the values of both, in any order of asking; None where they are of different kinds.

    Whole numbers and floats join as float64, and times with a zone in different ones as UTC: whether the values then
    are exact only a cast can tell.
    """
    one, other = plain(one), plain(other)
    if one == other:
        return one
    import pyarrow as pa

    if pa.types.is_null(one) or pa.types.is_null(other):
        return open_list(other if pa.types.is_null(one) else one)
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return _joint_dictionary(one, other)
    for rule in (_numbers, _decimals, _texts, _bytes, _dates, _moments, _times, _lists, _structs, _maps):
        found = rule(one, other)
        if found is not None:
            return found
    return None


def _joint_dictionary(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    both = pa.types.is_dictionary(one) and pa.types.is_dictionary(other)
    values = [found.value_type if pa.types.is_dictionary(found) else found for found in (one, other)]
    value = joint(*values)
    if value is None or not both:
        return value
    index = pa.int64() if max(one.index_type.bit_width, other.index_type.bit_width) == 64 else pa.int32()
    return pa.dictionary(index, value, one.ordered and other.ordered)


def _numbers(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if not all(pa.types.is_integer(found) or pa.types.is_floating(found) for found in (one, other)):
        return None
    if pa.types.is_floating(one) and pa.types.is_floating(other):
        return max(one, other, key=lambda found: found.bit_width)
    if pa.types.is_floating(one) or pa.types.is_floating(other):
        return pa.float64()
    if pa.types.is_signed_integer(one) == pa.types.is_signed_integer(other):
        return max(one, other, key=lambda found: found.bit_width)
    # An unsigned number needs one bit more with a sign; of 64 bits, the values decide.
    bits = (found.bit_width * (1 if pa.types.is_signed_integer(found) else 2) for found in (one, other))
    return getattr(pa, f"int{min(max(bits), 64)}")()


def _decimals(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if not any(pa.types.is_decimal(found) for found in (one, other)):
        return None
    sizes = [_digits(found) for found in (one, other)]
    whole = [before for before, _ in sizes if before is not None]
    scale = max(after for _, after in sizes)
    if len(whole) < 2 or max(whole) + scale > _MOST_DIGITS:
        return None
    return pa.decimal128(max(whole) + scale, scale)


def _digits(found: pa.DataType) -> tuple[int | None, int]:
    """Digits before the point and after it; None for what is no exact number."""
    import pyarrow as pa

    if pa.types.is_decimal(found):
        return found.precision - found.scale, max(found.scale, 0)
    return (_DIGITS[found.bit_width] if pa.types.is_integer(found) else None), 0


def _texts(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    return pa.large_string() if _all((one, other), "is_string", "is_large_string", "is_string_view") else None


def _bytes(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    kinds = ("is_binary", "is_large_binary", "is_binary_view", "is_fixed_size_binary")
    return pa.large_binary() if _all((one, other), *kinds) else None


def _dates(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    return pa.date32() if _all((one, other), "is_date") else None


def _moments(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if not _all((one, other), "is_timestamp") or (one.tz is None) != (other.tz is None):
        return None
    return pa.timestamp(_finest(one, other), one.tz if one.tz == other.tz else "UTC")


def _times(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if _all((one, other), "is_time"):
        unit = _finest(one, other)
        return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    return pa.duration(_finest(one, other)) if _all((one, other), "is_duration") else None


def _lists(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if not _all((one, other), "is_list", "is_large_list", "is_fixed_size_list"):
        return None
    value = joint(one.value_type, other.value_type)
    if value is None:
        return None
    if _all((one, other), "is_fixed_size_list") and one.list_size == other.list_size:
        return pa.list_(value, one.list_size)
    element = pa.field("element", value)  # as parquet files call it
    return pa.large_list(element) if any(map(pa.types.is_large_list, (one, other))) else pa.list_(element)


def _structs(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if not _all((one, other), "is_struct"):
        return None
    names = [field.name for field in one]
    if sorted(names) != sorted(field.name for field in other) or len(set(names)) < len(names):
        return None
    types = [joint(one.field(name).type, other.field(name).type) for name in names]
    fields = [(name, found) for name, found in zip(names, types, strict=True) if found is not None]
    return pa.struct(fields) if len(fields) == len(names) else None


def _maps(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    if not _all((one, other), "is_map"):
        return None
    key, item = joint(one.key_type, other.key_type), joint(one.item_type, other.item_type)
    return None if key is None or item is None else pa.map_(key, item)


def _all(types: tuple[pa.DataType, ...], *kinds: str) -> bool:
    import pyarrow as pa

    return all(any(getattr(pa.types, kind)(found) for kind in kinds) for found in types)


def _finest(one: pa.DataType, other: pa.DataType) -> str:
    return _UNITS[max(_UNITS.index(one.unit), _UNITS.index(other.unit))]


def _like(found: pa.DataType, fields: list[pa.Field]) -> pa.DataType:
    """A nested type with other children."""
    import pyarrow as pa

    if pa.types.is_struct(found):
        return pa.struct(fields)
    if pa.types.is_map(found):
        return pa.map_(plain(found.key_type), open_list(plain(found.item_type)))
    if pa.types.is_fixed_size_list(found):
        return pa.list_(fields[0], found.list_size)
    if pa.types.is_large_list(found):
        return pa.large_list(fields[0])
    return pa.list_(fields[0]) if pa.types.is_list(found) else found
