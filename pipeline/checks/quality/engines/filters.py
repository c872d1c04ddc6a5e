"""Row conditions as SQL that says yes or no of every row, never unknown: where a value is missing, as pandas does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.conditions import Column, Comparison, Condition, Group, Missing, Not, TextPart
from pipeline.checks.quality.engines.literals import literal, text_literal
from pipeline.checks.quality.suite.arguments import Unsuitable, family_of_type, moment_of, number_of

if TYPE_CHECKING:
    import pyarrow as pa

_ORDER = ("<", "<=", ">", ">=")
_YES, _NO = "TRUE", "FALSE"


def where(condition: Condition, schema: pa.Schema, names: Mapping[str, str]) -> str:
    """A condition for a WHERE clause.

    Args:
        condition: its columns are in the schema.
        schema: types of the columns.
        names: what each column is called in SQL.

    Raises:
        Unsuitable: it compares a column with a value of another kind by size, or looks into one it cannot.
    """
    if isinstance(condition, Group):
        joint = f" {condition.joined.upper()} "
        return f"({joint.join(where(part, schema, names) for part in condition.conditions)})"
    if isinstance(condition, Not):
        return f"(NOT {where(condition.condition, schema, names)})"
    name, arrow_type = names[condition.column], schema.field(condition.column).type
    if isinstance(condition, Missing):
        return f"({name} IS {'NULL' if condition.is_null else 'NOT NULL'})"
    if isinstance(condition, TextPart):
        if family_of_type(arrow_type) != "text":
            raise Unsuitable(f"row_condition asks {condition.column} for text, but it holds {arrow_type}")
        function = {"startswith": "starts_with", "endswith": "ends_with"}[condition.end]
        return f"coalesce({function}({name}, {text_literal(condition.text)}), FALSE)"
    if isinstance(condition.operand, Column):
        return _two_columns(condition, condition.operand.name, schema, names)
    return _compared(condition, name, arrow_type)


def _two_columns(found: Comparison, other: str, schema: pa.Schema, names: Mapping[str, str]) -> str:
    families = [family_of_type(schema.field(name).type) for name in (found.column, other)]
    if set(families) <= {"date", "timestamp"} or (len(set(families)) == 1 and None not in families):
        operator = {"==": "=", "!=": "<>"}.get(found.operator, found.operator)
        unknown = _YES if found.operator == "!=" else _NO  # a missing value differs from everything, as NaN does
        return f"coalesce({names[found.column]} {operator} {names[other]}, {unknown})"
    if found.operator in _ORDER and "null" not in families:
        raise Unsuitable(f"row_condition compares {found.column} with {other}, which holds another kind of value")
    return _YES if found.operator == "!=" else _NO


def _compared(found: Comparison, name: str, arrow_type: pa.DataType) -> str:
    if found.operator in ("IN", "NOT_IN"):
        members = [_literal(item, found, arrow_type) for item in found.operand]
        known = [member for member in members if member is not None]
        among = f"coalesce({_comparable(name, arrow_type)} IN ({', '.join(known)}), FALSE)" if known else _NO
        return f"(NOT {among})" if found.operator == "NOT_IN" else among
    operand = _literal(found.operand, found, arrow_type)
    if operand is None:
        return _YES if found.operator == "!=" else _NO
    if found.operator == "!=":
        return f"({_comparable(name, arrow_type)} IS DISTINCT FROM {operand})"
    operator = "=" if found.operator == "==" else found.operator
    return f"coalesce({_comparable(name, arrow_type)} {operator} {operand}, FALSE)"


def _comparable(name: str, arrow_type: pa.DataType) -> str:
    """True and false are 1 and 0 beside numbers."""
    return f"{name}::INTEGER" if family_of_type(arrow_type) == "boolean" else name


def _literal(operand: Any, found: Comparison, arrow_type: pa.DataType) -> str | None:
    """The value as SQL writes it; None where no value of the column can equal it."""
    family = family_of_type(arrow_type)
    if family in ("date", "timestamp"):
        return literal(moment_of(operand, f"row_condition: the value for {found.column}"))
    if family == "null":
        return None
    if family == "text" and isinstance(operand, str):
        return text_literal(operand)
    if family in ("number", "boolean") and isinstance(operand, int | float):
        return literal(number_of(int(operand) if isinstance(operand, bool) else operand, arrow_type))
    if family is None:
        raise Unsuitable(f"row_condition cannot compare {found.column}, which holds {arrow_type}")
    if found.operator in _ORDER:
        kind = "a text" if isinstance(operand, str) else "a number"
        raise Unsuitable(f"row_condition compares {found.column}, which holds {arrow_type}, with {kind}")
    return None
