"""Who gains or loses access, for people: text for a terminal, Markdown for a pull request.

Holders come first, by the highest sensitivity that they gain; consumers' accounts stand apart, since nobody but their
administrators reads by them; then what of the change is behind it. Lists are cut, and say so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from lakemesh.access.causes import Cause
from lakemesh.access.diff import LEVELS, AccessDiff, Administrators, ColumnChange, Difference, highest
from lakemesh.access.holders import Kind
from lakemesh.declarations.errors import printable
from lakemesh.declarations.models import UNREVIEWED, Sensitivity
from lakemesh.workflows.markdown import code, cut

ROWS: Final = 60
"""Rows of a table, or lines of a list, before the rest is only counted."""
_NAMES: Final = 12
_READERS: Final = 6
_LOUD: Final = frozenset({str(Sensitivity.CONFIDENTIAL), str(Sensitivity.RESTRICTED), UNREVIEWED})
MARKER: Final = "<!-- lakemesh:access -->"

_ACCOUNTS: Final = "Whoever administers a consumer's account can read what the account was granted, and hand it on."


# ------------------------------------------------------------------------------------------------------------- words
def headline(diff: AccessDiff) -> str:
    """One sentence: how many gain, how many lose, and up to which sensitivity."""
    if diff.empty:
        changed = " What the declarations say of access changed in words alone." if diff.causes else ""
        return f"Nobody gains or loses access.{changed}"
    who = diff.of(Kind.PRINCIPAL)
    gain = {each.holder for each in who if each.widens}
    lose = {each.holder for each in who if each.lost or each.hidden}
    parts = [f"{_count(gain, 'principal')} gain{'s' if len(gain) == 1 else ''} access"]
    level = highest(column for each in who for column in each.gained)
    parts[0] += f", up to {level}" if level else ""
    parts.append(f"{_count(lose, 'principal')} lose{'s' if len(lose) == 1 else ''} some")
    accounts = {each.holder for each in diff.of(Kind.ACCOUNT) if each.widens}
    if accounts:
        verb = "is" if len(accounts) == 1 else "are"
        parts.append(f"{_count(accounts, 'account')} {verb} granted more")
    if any(each.added for each in diff.administrators):
        parts.append("data lake administrators are added")
    return f"{'; '.join(parts)}."


def _count(things: Collection[object], word: str) -> str:
    number = len(things)
    return f"{number} {word}{'s' if number != 1 else ''}"


def _verbs(each: Difference) -> Iterator[tuple[str, str, tuple[ColumnChange, ...], tuple[str, ...]]]:
    """(sign, verb, columns, grants) of what changes."""
    yield "+", "reads", each.gained, each.gained_by
    yield "+", "sees", each.shown, each.gained_by
    yield "-", "no longer reads", each.lost, each.lost_with
    yield "-", "no longer sees", each.hidden, each.lost_with


def _by_level(columns: Iterable[ColumnChange]) -> Iterator[tuple[str, list[ColumnChange]]]:
    """Columns by what they are, the most sensitive first; what was reclassified stands by itself."""
    groups: dict[tuple[str, str], list[ColumnChange]] = {}
    for column in columns:
        groups.setdefault((column.sensitivity, column.was or ""), []).append(column)
    for level, was in sorted(groups, key=lambda pair: (-_rank(pair), pair)):
        yield f"{level} (was {was})" if was else level, groups[level, was]


def _rank(levels: Iterable[str]) -> int:
    return max((LEVELS.index(level) for level in levels if level in LEVELS), default=-1)


def _some(names: Sequence[str], most: int) -> list[str]:
    return [*names[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])]


# -------------------------------------------------------------------------------------------------------------- text
def as_text(diff: AccessDiff, base: str) -> str:
    """For a terminal: every name escaped that could act on it."""
    lines = [f"Against {base}: {headline(diff)}"]
    for title, kind in (("", Kind.PRINCIPAL), (f"Accounts. {_ACCOUNTS}", Kind.ACCOUNT)):
        found = diff.of(kind)
        if found:
            lines += ["", *([title] if title else [])]
            lines += _cut_list(list(_text_of(found)))
    if diff.administrators:
        lines += ["", "Data lake administrators. They may grant themselves whatever their account holds."]
        lines += [line for each in diff.administrators for line in _text_administrators(each)]
    if diff.causes:
        lines += ["", "What changed"]
        lines += _cut_list([f"  {_cause(cause)}" for cause in diff.causes])
    return "\n".join(printable(line) for line in lines)


def _text_of(found: Sequence[Difference]) -> Iterator[str]:
    before = None
    for each in sorted(found, key=lambda one: (-_rank([one.highest or ""]), one.holder, one.product, one.table)):
        if each.holder != before:
            yield f"{each.holder.name}  {each.holder.id}"
            before = each.holder
        for sign, verb, columns, grants in _verbs(each):
            for level, those in _by_level(columns):
                names = ", ".join(_some([column.name for column in those], _NAMES))
                by = f"  [{', '.join(_some(grants, 3))}]" if grants else ""
                yield f"  {sign} {verb} {each.table} ({each.product})  {level}: {names}{by}"
        for rows in each.rows:
            sign, names = "+" if rows.widens else "-", ", ".join(_some(rows.columns, _NAMES))
            was, now = _where(rows.before), _where(rows.after)
            yield f"  {sign} rows of {each.table} ({each.product})  {names}: {was} -> {now}"


def _where(filters: tuple[str, ...] | None) -> str:
    return "every row" if filters is None else f"where {' or '.join(filters)}"


def _text_administrators(each: Administrators) -> Iterator[str]:
    where = f"{each.consumer}  {each.account}" if each.consumer else f"governance account  {each.account}"
    yield where
    yield from (f"  + {arn}" for arn in each.added)
    yield from (f"  - {arn}" for arn in each.removed)


def _cause(cause: Cause) -> str:
    said = f"{cause.kind} {cause.name}: {cause.before or 'not there'} -> {cause.after or 'gone'}"
    if cause.kind not in {"table", "column"}:
        return said
    return f"{said}; read by {_readers(cause.readers_before)} before, {_readers(cause.readers_after)} after"


def _readers(names: Sequence[str]) -> str:
    return ", ".join(_some(names, _READERS)) or "nobody"


def _cut_list(lines: Sequence[str], most: int = 400) -> list[str]:
    return [
        *lines[:most],
        *([f"  … and {len(lines) - most} more lines: see --format json"] if len(lines) > most else []),
    ]


# ---------------------------------------------------------------------------------------------------------- markdown
def as_markdown(diff: AccessDiff, base: str) -> str:
    """The comment on a pull request."""
    lines = [MARKER, "## Who gains or loses access", "", f"Against {code(base)}: **{headline(diff)}**", ""]
    who, accounts = diff.of(Kind.PRINCIPAL), diff.of(Kind.ACCOUNT)
    if who:
        lines += [*_table(who), ""]
    if accounts:
        lines += ["### Accounts", "", _ACCOUNTS, "", *_table(accounts), ""]
    if diff.administrators:
        lines += ["### Data lake administrators", "", "They may grant themselves whatever their account holds.", ""]
        lines += [line for each in diff.administrators for line in _markdown_administrators(each)]
        lines.append("")
    if diff.causes:
        lines += [f"<details><summary>What changed ({len(diff.causes)})</summary>", ""]
        lines += [f"* {_markdown_cause(cause)}" for cause in diff.causes[:ROWS]]
        lines += _more(len(diff.causes))
        lines += ["", "</details>", ""]
    return cut("\n".join(lines))


def _table(found: Sequence[Difference]) -> list[str]:
    rows = [row for each in found for row in _rows(each)]
    heads = ["| | who | table | columns | grants |", "|---|---|---|---|---|"]
    return [*heads, *rows[:ROWS], *([""] if len(rows) > ROWS else []), *_more(len(rows))]


def _more(count: int) -> list[str]:
    return [f"* and {count - ROWS} more: `lakemesh diff --format json` lists all"] if count > ROWS else []


def _rows(each: Difference) -> Iterator[str]:
    for sign, verb, columns, grants in _verbs(each):
        if columns:
            said = "<br>".join(_markdown_level(level, those, loud=sign == "+") for level, those in _by_level(columns))
            by = ", ".join(code(grant) for grant in grants[:3]) + (f" and {len(grants) - 3} more" if grants[3:] else "")
            table = f"{code(each.table)} of {code(each.product)}"
            mark = "➕" if sign == "+" else "➖"
            yield f"| {mark} {verb} | {code(each.holder.name)} | {table} | {said} | {by} |"
    for rows in each.rows:
        names = ", ".join([code(name) for name in rows.columns[:_NAMES]])
        said = f"{names}<br>{code(_where(rows.before))} → {code(_where(rows.after))}"
        mark = "➕" if rows.widens else "➖"
        yield f"| {mark} rows | {code(each.holder.name)} | {code(each.table)} of {code(each.product)} | {said} |  |"


def _markdown_level(level: str, columns: Sequence[ColumnChange], *, loud: bool) -> str:
    names = [code(column.name) for column in columns[:_NAMES]]
    names += [f"and {len(columns) - _NAMES} more"] if len(columns) > _NAMES else []
    flag = loud and any({column.sensitivity, column.was} & _LOUD for column in columns)
    return f"{f'⚠️ **{level}**' if flag else level}: {', '.join(names)}"


def _markdown_administrators(each: Administrators) -> Iterator[str]:
    where = f"{code(each.consumer)} ({each.account})" if each.consumer else f"the governance account ({each.account})"
    yield from (f"* ➕ {code(arn)} of {where}" for arn in each.added)
    yield from (f"* ➖ {code(arn)} of {where}" for arn in each.removed)


def _markdown_cause(cause: Cause) -> str:
    before = code(cause.before) if cause.before else "not there"
    after = code(cause.after) if cause.after else "gone"
    said = f"{cause.kind} {code(cause.name)}: {before} → {after}"
    if cause.kind not in {"table", "column"}:
        return said
    before_, after_ = (_markdown_readers(each) for each in (cause.readers_before, cause.readers_after))
    return f"{said}; read by {before_} before, {after_} after"


def _markdown_readers(names: Sequence[str]) -> str:
    more = f" and {len(names) - _READERS} more" if len(names) > _READERS else ""
    return ", ".join(map(code, names[:_READERS])) + more if names else "nobody"
