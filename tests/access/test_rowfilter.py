"""Row filters: what Lake Formation's grammar takes is written in one form that means the same; all else is refused."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.access.rowfilter import CHARACTERS, RowFilterError, parse

COLUMNS = {
    "country": "string", "amount": "decimal(12,2)", "n": "int", "ok": "boolean", "d": "date", "tags": "array<string>",
    "address": "struct<city:string>", "k": "string", "user": "string",
}  # fmt: skip
TAKEN = [
    # The examples of the page "partiql-support", on columns of these types.
    ("n > 2010 and country != 'US'", """("n" > 2010) AND ("country" <> 'US')"""),
    ("(n > 2010 and country = 'US') or (n < 8)", """(("n" > 2010) AND ("country" = 'US')) OR ("n" < 8)"""),
    ("(country between 'U' and 'Z') and (n = 1)", """("country" BETWEEN 'U' AND 'Z') AND ("n" = 1)"""),
    ("(country like '%ited%') and n > 2", """("country" LIKE '%ited%') AND ("n" > 2)"""),
    ("Country IN ('b','a','b')", """"country" IN ('a', 'b')"""),
    ("country not in ('a')", """"country" NOT IN ('a')"""),
    ("country not like 'a%'", """"country" NOT LIKE 'a%'"""),
    ("not country like 'a%'", """"country" NOT LIKE 'a%'"""),
    ("n not between 1 and 2", """NOT ("n" BETWEEN 1 AND 2)"""),
    ("n is not null", """"n" IS NOT NULL"""),
    ("not (n is null)", """"n" IS NOT NULL"""),
    ("not n = 3", """NOT ("n" = 3)"""),
    ("n = -3 and amount >= 1e3", """("n" = -3) AND ("amount" >= 1000)"""),
    ("ok = TRUE", """"ok" = true"""),
    ("user = 'O''Brien'", """"user" = 'O''Brien'"""),
    ("\"user\" = 'a'", """"user" = 'a'"""),
    ("n = 1 and (n = 2 and n = 3)", """("n" = 1) AND ("n" = 2) AND ("n" = 3)"""),
    ("k = 'x' -- the rest is silence", """"k" = 'x'"""),
]
REFUSED = [
    ("contry = 'DE'", 'no column "contry". Did you mean "country"?'),
    ("country = DE", "write it in single quotes: 'DE'"),
    ('country = "DE"', "write it in single quotes: 'DE'"),
    ("n = '3'", "\"n\" is int, and is compared with the text '3'"),
    ("country = 3", '"country" is string, and is compared with the number 3'),
    ("ok = 'yes'", "Compare it with true or false"),
    ("ok", "Write ok = true"),
    ("n = 1.5", "1.5 is no whole number"),
    ("n = null", "Write n IS NULL"),
    ("n = k", "`k` is a column"),
    ("d > '2026-01-01'", '"d" is date'),
    ("tags = 'a'", '"tags" is array<string>'),
    ("address.city = 'Bern'", "field of a column"),
    ("lower(country) = 'de'", "starts with a column, not with"),
    ("country = upper('de')", "is no constant"),
    ("n + 1 > 2", "starts with a column, not with"),
    ("'DE' = country", "starts with a column, not with"),
    ("1 = 1", "starts with a column, not with"),
    ("true", "takes no functions"),
    ("amount like '1%'", "LIKE compares text"),
    ("country like 'x!%' escape '!'", "takes no functions"),
    ("k is null", "takes no IS NULL of partition keys"),
    ("ok is true", "IS stands before NULL"),
    ("n between symmetric 2 and 1", "SYMMETRIC"),
    ("n in (select n from t)", "QUERY"),
    ("n = (select 1)", "is no constant"),
    ("exists (select 1)", "takes no functions"),
    ("country rlike 'x'", "takes no functions"),
    ("country ilike 'x'", "takes no functions"),
    ("n is distinct from 3", "takes no functions"),
    ("n = 1; drop table t", "more than one condition"),
    ("n = 1 union select 1", "more than one condition"),
    ("n = 1 order by n", "more than one condition"),
    ("n = 1 limit 1", "more than one condition"),
    ("n = 1 group by n", "more than one condition"),
    ("n = 1 and", "cannot be read"),
    ("((n = 1", "cannot be read"),
    ("", "cannot be read"),
    ("n = 1" + " or n = 1" * 300, "fewer than 2048"),
    ("(" * 500 + "n = 1" + ")" * 500, "cannot be read"),
]


@pytest.mark.parametrize(("text", "written"), TAKEN)
def test_what_the_page_allows_is_written_in_one_form(text: str, written: str) -> None:
    assert parse(text, COLUMNS, ["k"]).text == written


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_everything_else_is_refused_with_what_to_write_instead(text: str, reason: str) -> None:
    with pytest.raises(RowFilterError) as refused:
        parse(text, COLUMNS, ["k"])
    assert reason in str(refused.value)
    assert "\n" in str(refused.value), "says what to write instead"


@pytest.mark.parametrize(("text", "written"), TAKEN)
def test_the_form_is_its_own_form(text: str, written: str) -> None:
    assert parse(parse(text, COLUMNS, ["k"]).text, COLUMNS, ["k"]).text == written


def test_a_filter_says_by_which_columns_it_decides() -> None:
    assert parse("n = 1 or (k = 'a' and ok = true)", COLUMNS, ["k"]).columns == {"n", "k", "ok"}


numbers = st.integers(-3, 3).map(str)
texts = st.sampled_from(["'a'", "'b'", "'a%'", "'o''b'", "'_'"])
simple = st.one_of(
    st.builds("n {} {}".format, st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="]), numbers),
    st.builds("country {} {}".format, st.sampled_from(["=", "<>", "like", "not like", ">"]), texts),
    st.builds("n {} {} and {}".format, st.sampled_from(["between", "not between"]), numbers, numbers),
    st.builds("country {} ({})".format, st.sampled_from(["in", "not in"]), st.lists(texts, min_size=1).map(", ".join)),
    st.sampled_from(["n is null", "n is not null", "ok = true", "ok <> false", "not ok = true"]),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({})".format, inner),
        st.builds("not ({})".format, inner),
        st.builds("not {}".format, inner),
    ),
    max_leaves=8,
)
ROWS = [(c, n, ok) for c in ("a", "b", "ab", "o'b", None) for n in (-2, 0, 1, 3, None) for ok in (True, False, None)]


@given(conditions)
def test_what_is_written_shows_the_rows_that_were_meant(condition: str) -> None:
    written = parse(condition, COLUMNS).text
    if len(condition) >= CHARACTERS:
        return
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (country VARCHAR, n INTEGER, ok BOOLEAN)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", ROWS)
        meant, shown = (
            connection.execute(f"SELECT * FROM t WHERE {each} ORDER BY ALL").fetchall() for each in (condition, written)
        )
    assert meant == shown


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["n", "=", "1", "(", ")", "'", "or", "not", ";", "--", "like", ","])).map(" ".join)
)
def test_any_text_is_read_or_refused_and_never_anything_else(text: str) -> None:
    try:
        written = parse(text, COLUMNS).text
    except RowFilterError:
        return
    assert parse(written, COLUMNS).text == written
