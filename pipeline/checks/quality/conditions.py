"""Row conditions: which rows an expectation looks at, read from a suite into one small language.

Both ways to write one become the same: the structures that Great Expectations saves, and conditions in words, in the
language of `DataFrame.query` or of `col("age") > 18`. Words are parsed, never run: comparisons, sets, missing values,
beginnings and ends of text, and/or/not. A condition says yes or no of every row, as pandas does, also where a value is
missing: `!=` and `not in` are true there, all else is false.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.wording import clip, listed, member, value

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "IN", "NOT_IN")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SHOWN = 120
_ALLOWED = (
    "allowed: columns compared with values or columns, in and not in, .isnull(), .notnull(), .isin([...]), "
    ".between(a, b), .str.startswith(text), .str.endswith(text), and, or, not"
)


class ConditionError(ValueError):
    """A row condition that says nothing, with what is allowed."""


@dataclass(frozen=True)
class Column:
    """Another column, where a value could stand."""

    name: str


@dataclass(frozen=True)
class Comparison:
    """A column beside a value, a tuple of values (`IN`, `NOT_IN`) or another column."""

    column: str
    operator: str
    operand: Any


@dataclass(frozen=True)
class Missing:
    """Whether a column has no value, or has one."""

    column: str
    is_null: bool


@dataclass(frozen=True)
class TextPart:
    """Text that starts or ends with other text; `end` is `startswith` or `endswith`."""

    column: str
    end: str
    text: str


@dataclass(frozen=True)
class Group:
    """Conditions that hold together (`and`), or of which one has to hold (`or`)."""

    joined: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The rows of which a condition does not hold."""

    condition: Condition


Condition = Comparison | Missing | TextPart | Group | Not


def parse_condition(found: object) -> Condition | None:
    """The condition of an entry; None where there is none.

    Args:
        found: what a suite has under `row_condition`: a structure, words, or nothing.

    Raises:
        ConditionError: it is neither, or says something that is not part of the language.
    """
    if found is None or found == "":
        return None
    if isinstance(found, str):
        return _Words(found).parsed()
    if isinstance(found, Mapping):
        return _structure(found)
    raise ConditionError(f"found {type(found).__name__}; allowed: a structure with 'type', or words")


def columns_of(condition: Condition | None) -> list[str]:
    """Every column that a condition names, in the order of appearance."""
    if condition is None:
        return []
    return [name for leaf in _leaves(condition) for name in _named(leaf)]


def _named(leaf: Comparison | Missing | TextPart) -> list[str]:
    other = leaf.operand if isinstance(leaf, Comparison) else None
    return [leaf.column, other.name] if isinstance(other, Column) else [leaf.column]


def _leaves(condition: Condition) -> Iterator[Comparison | Missing | TextPart]:
    if isinstance(condition, Group):
        for part in condition.conditions:
            yield from _leaves(part)
    elif isinstance(condition, Not):
        yield from _leaves(condition.condition)
    else:
        yield condition


def condition_words(condition: Condition) -> str:
    """As people read it: `country == DE and age is present`."""
    if isinstance(condition, Group):
        parts = [condition_words(part) for part in condition.conditions]
        nested = [isinstance(part, Group) and part.joined != condition.joined for part in condition.conditions]
        return f" {condition.joined} ".join(
            f"({words})" if inner else words for words, inner in zip(parts, nested, strict=True)
        )
    if isinstance(condition, Not):
        return f"not ({condition_words(condition.condition)})"
    if isinstance(condition, Missing):
        return f"{condition.column} is {'missing' if condition.is_null else 'present'}"
    if isinstance(condition, TextPart):
        return f"{condition.column} {condition.end.replace('with', ' with')} {member(condition.text)}"
    return _comparison_words(condition)


def _comparison_words(found: Comparison) -> str:
    operators = {"IN": "is one of", "NOT_IN": "is none of"}
    operator = operators.get(found.operator, found.operator)
    if isinstance(found.operand, Column):
        return f"{found.column} {operator} {found.operand.name}"
    operand = (
        listed([value(item) for item in found.operand]) if operator in operators.values() else value(found.operand)
    )
    return f"{found.column} {operator} {operand}"


# Structures, as Great Expectations saves them ------------------------------------------------------------------------


def _structure(found: Mapping[str, Any]) -> Condition:
    kind = found.get("type")
    if "$PARAMETER" in found:
        raise ConditionError(f"the parameter {found['$PARAMETER']!r} has no value")
    if kind == "pass_through":
        words = found.get("pass_through_filter")
        if not isinstance(words, str) or not words:
            raise ConditionError("'pass_through_filter' must be a text")
        return _Words(words).parsed()
    if kind in ("and", "or"):
        return _group(kind, found.get("conditions"))
    if kind == "nullity":
        is_null = found.get("is_null")
        if not isinstance(is_null, bool):
            raise ConditionError("'is_null' must be true or false")
        return Missing(_column_name(found), is_null)
    if kind == "comparison":
        return _comparison(_column_name(found), found.get("operator"), found.get("parameter"))
    raise ConditionError(f"found type {kind!r}; allowed: comparison, nullity, and, or")


def _group(joined: str, found: object) -> Condition:
    if not isinstance(found, list) or not found:
        raise ConditionError(f"'{joined}' needs a list of 'conditions'")
    parts = tuple(parse_condition(item) for item in found)
    if any(part is None for part in parts):
        raise ConditionError(f"'{joined}' has an empty condition")
    return Group(joined, tuple(part for part in parts if part is not None))


def _column_name(found: Mapping[str, Any]) -> str:
    column = found.get("column")
    name = column.get("name") if isinstance(column, Mapping) else column
    if not isinstance(name, str):
        raise ConditionError("'column' must be {\"name\": ...}")
    return name


def _comparison(column: str, operator: object, operand: object) -> Condition:
    wanted = str(operator).upper().replace(" ", "_")
    if wanted not in OPERATORS:
        raise ConditionError(f"found operator {operator!r}; allowed: {', '.join(OPERATORS)}")
    if isinstance(operand, Mapping) and "$PARAMETER" in operand:
        raise ConditionError(f"the parameter {operand['$PARAMETER']!r} has no value")
    if isinstance(operand, list | tuple | set) and wanted in ("==", "!=", "IN", "NOT_IN"):
        wanted = {"==": "IN", "!=": "NOT_IN"}.get(wanted, wanted)
        if any(item is None or isinstance(item, list | dict) for item in operand):
            raise ConditionError(f"a set for {column} may only have values, no null and no lists")
        return Comparison(column, wanted, tuple(operand))
    if wanted in ("IN", "NOT_IN"):
        raise ConditionError(f"{wanted} needs a list of values")
    if operand is None:
        raise ConditionError("'parameter' is null; allowed: a value, or the type 'nullity' to ask for missing values")
    if not isinstance(operand, Column | str | int | float | bool) or operand != operand:  # noqa: PLR0124 - NaN
        raise ConditionError(f"{column} cannot be compared with {type(operand).__name__}; allowed: a text or a number")
    return Comparison(column, wanted, operand)


# Words ---------------------------------------------------------------------------------------------------------------

_COMPARES: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "IN", ast.NotIn: "NOT_IN",
}  # fmt: skip


class _Words:
    """One condition in words. Python's own parser reads it; only what is known by name becomes part of the result."""

    def __init__(self, words: str) -> None:
        self.quoted: dict[str, str] = {}
        try:
            plain = _with_pandas_operators(self._without_backticks(words.strip()))
            self.tree = ast.parse(plain, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
            raise ConditionError(f"the condition {clip(value(words), _SHOWN)} cannot be read; {_ALLOWED}") from error

    def parsed(self) -> Condition:
        return self._condition(self.tree)

    def _without_backticks(self, words: str) -> str:
        """Names that are no Python names stand between backticks; text may hold backticks of its own."""

        def replaced(match: re.Match[str]) -> str:
            if match["name"] is None:
                return match[0]
            placeholder = "_quoted" + "_" * (len(self.quoted) + 1)
            self.quoted[placeholder] = match["name"]
            return placeholder

        return re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?P<name>[^`]*)`", replaced, words)

    def _condition(self, node: ast.expr) -> Condition:
        if isinstance(node, ast.BoolOp):
            joined = "and" if isinstance(node.op, ast.And) else "or"
            return Group(joined, tuple(self._condition(part) for part in node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self._condition(node.operand))
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._asked(node.func, node.args, node.keywords)
        return Comparison(self._column(node), "==", True)

    def _compared(self, node: ast.Compare) -> Condition:
        sides = [node.left, *node.comparators]
        parts = [
            self._pair(left, operator, right) for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _pair(self, left: ast.expr, found: ast.cmpop, right: ast.expr) -> Condition:
        operator = _COMPARES.get(type(found))
        if operator is None:
            raise ConditionError(f"'is' is not part of the language; {_ALLOWED}")
        if not self._is_column(left):
            if operator in ("IN", "NOT_IN"):
                raise ConditionError(f"in needs a column on its left; {_ALLOWED}")
            left, right, operator = right, left, _FLIPPED.get(operator, operator)
        name = self._column(left)
        operand = Column(self._column(right)) if self._is_column(right) else self._value(right)
        return _comparison(name, operator, operand)

    def _asked(self, func: ast.Attribute, given: Sequence[ast.expr], named: Sequence[ast.keyword]) -> Condition:
        """A method of a column."""
        method, owner = func.attr.lower(), func.value
        if named:
            raise ConditionError(f".{func.attr}() takes no named arguments here; {_ALLOWED}")
        if isinstance(owner, ast.Attribute) and owner.attr == "str" and method in ("startswith", "endswith"):
            text = [self._value(item) for item in given]
            if len(text) == 1 and isinstance(text[0], str):
                return TextPart(self._column(owner.value), method, text[0])
        makers: dict[str, tuple[int, Callable[..., Condition]]] = {
            "isnull": (0, lambda name: Missing(name, is_null=True)),
            "isna": (0, lambda name: Missing(name, is_null=True)),
            "notnull": (0, lambda name: Missing(name, is_null=False)),
            "notna": (0, lambda name: Missing(name, is_null=False)),
            "isin": (1, lambda name, items: _comparison(name, "IN", items)),
            "between": (2, _between),
        }
        wanted, maker = makers.get(method, (-1, _between))
        if len(given) != wanted:
            raise ConditionError(f".{func.attr}() is not part of the language; {_ALLOWED}")
        asked: Condition = maker(self._column(owner), *(self._value(item) for item in given))
        return asked

    @staticmethod
    def _is_column(node: ast.expr) -> bool:
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "col"
        return called or isinstance(node, ast.Name)

    def _column(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.quoted.get(node.id, node.id)
        if isinstance(node, ast.Call) and self._is_column(node) and len(node.args) == 1:
            name = self._value(node.args[0])
            if isinstance(name, str):
                return name
        raise ConditionError(f"{clip(value(ast.unparse(node)), _SHOWN)} is no column; {_ALLOWED}")

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [self._value(item) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            number = self._value(node.operand)
            if isinstance(number, int | float):
                return -number if isinstance(node.op, ast.USub) else number
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "date" and node.args:
            return self._value(node.args[0])
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
            return node.value
        raise ConditionError(f"{clip(value(ast.unparse(node)), _SHOWN)} is no value; {_ALLOWED}")


def _between(column: str, low: Any = None, high: Any = None) -> Condition:
    return Group("and", (_comparison(column, ">=", low), _comparison(column, "<=", high)))


def _with_pandas_operators(words: str) -> str:
    """`&`, `|` and `~` bind in a query as and, or and not do."""
    names = {"&": "and", "|": "or", "~": "not"}
    tokens = [
        (tokenize.NAME, names[token.string]) if token.string in names else (token.type, token.string)
        for token in tokenize.generate_tokens(io.StringIO(words).readline)
    ]
    return tokenize.untokenize(tokens).strip()
