"""Column lineage on small queries of every shape that the models use."""

from __future__ import annotations

import pytest

from obc_pipeline.defs.column_lineage import _followed

SCHEMA = {"warehouse": {"s": {"t": {"k": "varchar", "a": "varchar", "b": "varchar"}, "u": {"k": "varchar", "c": "varchar"}}}}
T = '"warehouse"."s"."t"'
U = '"warehouse"."s"."u"'


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"select a, b as x from {T}", {"a": ["t.a"], "x": ["t.b"]}),
        (f"with one as (select * from {T}) select k, a || b as ab from one", {"k": ["t.k"], "ab": ["t.a", "t.b"]}),
        (f"select t.k, u.c from {T} t left join {U} u on t.k = u.k", {"k": ["t.k"], "c": ["u.c"]}),
        (f"select a from {T} union all select c from {U} union all select b from {T}", {"a": ["t.a", "t.b", "u.c"]}),
        (f"select k, count(*) filter (where a = 'x') as n, 1 as one from {T} group by k", {"k": ["t.k"], "n": ["t.a"], "one": []}),
        (f"select a, (select max(c) from {U} where u.k = t.k) as top from {T}", {"a": ["t.a"], "top": ["t.k", "u.c", "u.k"]}),
        (
            f"with w as (select k, a as x, b as y from {T}) select k, upper(m) as m, v from w unpivot (v for m in (x, y))",
            {"k": ["t.k"], "m": ["t.a", "t.b"], "v": ["t.a", "t.b"]},
        ),
        (f"select row_number() over (partition by k order by b) as n from {T}", {"n": ["t.b", "t.k"]}),
    ],
)
def test_where_a_column_comes_from(sql: str, expected: dict[str, list[str]]) -> None:
    found = _followed(sql, SCHEMA)
    assert {name: [f"{table}.{column}" for _, table, column in parents] for name, parents in found.items()} == expected


def test_a_part_that_refers_to_itself_ends() -> None:
    sql = f"with recursive r as (select k, a from {T} union all select r.k, t.b from r join {T} t on t.k = r.k) select k, a from r"
    assert [column for _, _, column in _followed(sql, SCHEMA)["a"]] == ["a", "b"]
