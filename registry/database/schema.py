"""Compares everything in a database besides rows with what this program created.

A trigger can make rows vanish, a rule or a view can show others, a function can replace ours. So
every such object that is not ours is named, and every one of ours that was altered, switched off or
dropped. Other programs' tables do not matter unless they pass for ours.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable
from sqlmodel import SQLModel

from registry.database import forms, triggers
from registry.database.models import CREATE_NAMES_INDEX, NAMES_INDEX

#: Made by alembic, not by the models.
_VERSION: Final = "alembic_version"
_MADE_BY_ALEMBIC: Final = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
#: The end of a table's clause: a comma outside brackets, or a column's constraint.
_CLAUSE: Final = re.compile(r"\s*,\s*(?![^()]*\))|\s(?=CONSTRAINT )")


def differences(connection: sa.Connection) -> list[str]:
    """All differences between a database at the newest revision and what this program created."""
    lost = [
        f"数据库缺少防改触发器{name}，或它已被改动、停用" for name in triggers.missing(connection)
    ]
    found = _sqlite if connection.dialect.name == "sqlite" else _postgresql
    return [*lost, *found(connection)]


def clauses(statement: str) -> list[str]:
    """The clauses of a statement that creates a table or an index, and the text around them.

    The order of the clauses carries no meaning.

    >>> clauses("CREATE TABLE t (a INTEGER, b TEXT CONSTRAINT c CHECK (b IN ('x', 'y')))")
    ['CREATE TABLE t', 'a INTEGER', 'b TEXT', "CONSTRAINT c CHECK (b IN ('x', 'y'))", '']
    """
    before, _, inside = " ".join(statement.split()).partition("(")
    inside, _, after = inside.rpartition(")")
    found = filter(None, _CLAUSE.split(inside.strip()))
    return [before.replace('"', "").strip(), *sorted(found, key=str.lower), after.strip()]


def _tables() -> list[sa.Table]:
    return SQLModel.metadata.sorted_tables


# -- SQLite


def _sqlite(connection: sa.Connection) -> Iterator[str]:
    query = "SELECT type, name, tbl_name, sql FROM {} WHERE sql NOTNULL"
    made = [*connection.exec_driver_sql(query.format("sqlite_master"))]
    made += connection.exec_driver_sql(query.format("sqlite_temp_master"))
    yield from _altered({(kind, name): text for kind, name, _, text in made})
    ours = {*triggers.DEFINITIONS["sqlite"], *(i.name for t in _tables() for i in t.indexes)}
    on_ours = {_VERSION, *(table.name for table in _tables())}
    for kind, name, place, _ in made:
        about = kind in ("trigger", "view") or (kind == "index" and place.lower() in on_ours)
        if about and name not in ours:
            yield f"数据库中有外加的{_WORDS[kind]}{name}（{place}）"
    for [said] in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if said != "ok" and not _OF_ROWS.search(said):
            yield f"数据库文件已损坏，或索引与数据表不符（{' '.join(said.split())}）"


def _altered(found: dict[tuple[str, str], str]) -> Iterator[str]:
    """The altered tables and indices, by kind and name."""
    for (kind, name), expected in _made().items():
        if clauses(found.get((kind, name), "")) != expected:
            yield f"{'数据表' if kind == 'table' else '索引'}{name}缺失，或它的定义已被改动"


@cache
def _made() -> dict[tuple[str, str], list[str]]:
    """The statements that create the models' tables and indices on SQLite."""
    dialect = sqlite.dialect()
    found = {
        ("table", _VERSION): clauses(_MADE_BY_ALEMBIC),
        ("table", NAMES_INDEX): clauses(CREATE_NAMES_INDEX),
    }
    for table in _tables():
        found["table", table.name] = clauses(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            if index.info.get("dialect", "sqlite") != "sqlite":
                continue
            text = str(CreateIndex(index).compile(dialect=dialect))
            found["index", str(index.name)] = clauses(text)
    return found


_WORDS: Final = {"trigger": "触发器", "view": "视图", "index": "索引"}
#: SQLite's remarks on rows are reported with the names of their tables.
_OF_ROWS: Final = re.compile(r"^(CHECK constraint failed|[A-Z]+ value in) ")


# -- PostgreSQL


def _postgresql(connection: sa.Connection) -> Iterator[str]:
    connection.exec_driver_sql("SET LOCAL datestyle = ISO")  # conditions contain days
    given = {
        "tables": [_VERSION, *(table.name for table in _tables())],
        "functions": list(triggers.FUNCTIONS),
        "triggers": list(triggers.DEFINITIONS["postgresql"]),
    }
    for what, name, place in connection.execute(sa.text(_FOREIGN), given):
        yield f"数据库中有外加的{what}{name}（{place}）"
    rows = connection.execute(sa.text(_OURS), given)
    found = {(kind, t, name): _said(kind, t, name, text) for kind, t, name, text in rows}
    expected = _catalogued()
    for kind, table, name in sorted({*found, *expected}):
        if (kind, table, name) not in expected:
            yield f"数据表{table}有外加的{kind}{name}"
        elif found.get((kind, table, name)) != expected[kind, table, name]:
            yield f"数据表{table}缺少{kind}{name}，或它已被改动"


def _said(kind: str, table: str, name: str, text: str) -> str:
    """An object in PostgreSQL's catalogue, in the form of ``_expected``."""
    if kind == "索引":
        return triggers.plain(text).replace("usingbtree", "")
    if kind == "约束":
        return _bare(text.removesuffix(" NOT VALID") if name == _form(table) else text)
    return text


@cache
def _catalogued() -> dict[tuple[str, ...], str]:
    return dict(_expected())


def _expected() -> Iterator[tuple[tuple[str, str, str], str]]:
    """The objects of the models' tables on PostgreSQL, by kind, table and name."""
    yield ("列", _VERSION, "version_num"), "character varying(32) NOT NULL"
    yield ("约束", _VERSION, "alembic_version_pkc"), "primarykeyversion_num"
    for table in _tables():
        for column in table.columns:
            yield ("列", table.name, column.name), _column(column)
        for index in table.indexes:
            text = str(CreateIndex(index).compile(dialect=_POSTGRESQL))
            yield ("索引", table.name, str(index.name)), triggers.plain(text)
        for constraint in table.constraints:
            if constraint.info.get("dialect", "postgresql") == "postgresql":
                yield ("约束", table.name, str(constraint.name)), _constraint(constraint)


_POSTGRESQL: Final[sa.Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]


def _column(column: sa.Column[Any]) -> str:
    """A column's type and default, as in PostgreSQL's catalogue."""
    name = column.type.compile(dialect=_POSTGRESQL).lower()
    kind = name.replace("varchar", "character varying")
    counted = column is column.table.autoincrement_column
    default = f" nextval({column.table.name}_id_seq::regclass)" if counted else ""
    return f"{kind}{'' if column.nullable else ' NOT NULL'}{default}"


def _constraint(constraint: sa.Constraint) -> str:
    """A constraint in the form of ``_said``."""
    if isinstance(constraint, sa.CheckConstraint):
        literal = {"literal_binds": True}
        text = str(constraint.sqltext.compile(dialect=_POSTGRESQL, compile_kwargs=literal))
        text = text.replace(f"{constraint.table.name}.", "")
        return _bare(f"CHECK {_BETWEEN.sub(_bounds, text)}")
    adding = AddConstraint(constraint, isolate_from_table=False)
    _, _, text = str(adding.compile(dialect=_POSTGRESQL)).partition(
        f"CONSTRAINT {constraint.name} "
    )
    return _bare(text)


def _form(table: str) -> str:
    return f"ck_{table}_{forms.FORM}"


_BETWEEN: Final = re.compile(r"(\w+) BETWEEN (\S+) AND (\S+)")
_bounds: Final = r"\1 >= \2 AND \1 <= \3"


def _bare(constraint: str) -> str:
    """A constraint without what PostgreSQL rewrites: types, brackets, lists, midnights, spaces."""
    text = _TYPE.sub("", constraint).replace("= ANY", "IN").replace("ARRAY", "")
    return re.sub(r"(?<=-01) 00:00:00|[\s\[\]()\"]", "", text).lower()


_TYPE: Final = re.compile(r"::(text|date|character varying|timestamp without time zone)\b(\[\])?")


#: An object that is not ours: its kind, its name, and its place.
_FOREIGN: Final = """
WITH ours AS (
  SELECT oid, relname FROM pg_class
  WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(:tables)
), extended AS (
  SELECT objid, classid FROM pg_depend WHERE deptype = 'e' AND refobjid >= 16384
), searched AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(current_schemas(false))
  AND nspname NOT IN ('pg_catalog', 'information_schema')
)
SELECT '触发器', tgname, relname FROM pg_trigger JOIN ours ON tgrelid = ours.oid
  WHERE tgname <> ALL(:triggers) AND NOT (tgisinternal AND tgfoid IN (
    SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace))
UNION ALL SELECT '规则', rulename, relname FROM pg_rewrite JOIN ours ON ev_class = ours.oid
UNION ALL SELECT '行级策略', polname, relname FROM pg_policy JOIN ours ON polrelid = ours.oid
UNION ALL SELECT '继承关系', c.relname, ours.relname FROM pg_inherits
  JOIN ours ON ours.oid IN (inhrelid, inhparent)
  JOIN pg_class c ON c.oid IN (inhrelid, inhparent) AND c.oid <> ours.oid
UNION ALL SELECT '函数', proname, pg_get_function_identity_arguments(oid) FROM pg_proc
  WHERE pronamespace = ANY(SELECT oid FROM searched)
  AND NOT (proname = ANY(:functions) AND pronargs = 0
    AND pronamespace = current_schema()::regnamespace)
  AND (oid, 'pg_proc'::regclass) NOT IN (SELECT objid, classid FROM extended)
UNION ALL SELECT '运算符', oprname, oprcode::text FROM pg_operator
  WHERE oprnamespace = ANY(SELECT oid FROM searched)
  AND (oid, 'pg_operator'::regclass) NOT IN (SELECT objid, classid FROM extended)
UNION ALL SELECT '类型转换', format_type(castsource, NULL), format_type(casttarget, NULL)
  FROM pg_cast WHERE oid >= 16384
  AND (oid, 'pg_cast'::regclass) NOT IN (SELECT objid, classid FROM extended)
UNION ALL SELECT '视图', relname, nspname FROM pg_class c JOIN searched s ON s.oid = relnamespace
  WHERE relkind IN ('v', 'm')
  AND (c.oid, 'pg_class'::regclass) NOT IN (SELECT objid, classid FROM extended)
UNION ALL SELECT '同名的数据表', relname, nspname FROM pg_class c
  JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relname = ANY(:tables) AND nspname = ANY(current_schemas(true))
  AND nspname <> current_schema()
UNION ALL SELECT '事件触发器', evtname, evtevent FROM pg_event_trigger
  WHERE (oid, 'pg_event_trigger'::regclass) NOT IN (SELECT objid, classid FROM extended)
UNION ALL SELECT '会话设置', setting, '改变所读写的内容'
  FROM pg_db_role_setting, unnest(setconfig) setting
  WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND (setting LIKE 'session_replication_role=%' OR setting LIKE 'search_path=%'
    AND setting <> 'search_path=' || current_setting('search_path')
    AND (setrole = 0 OR has_table_privilege(setrole, 'journal', 'SELECT')))
ORDER BY 1, 2
"""

#: The objects of our tables: kind, table, name, and definition in the catalogue.
_OURS: Final = """
WITH ours AS (
  SELECT oid, relname, relkind, relrowsecurity, relpersistence FROM pg_class
  WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(:tables)
)
SELECT '列', relname, attname, format_type(atttypid, atttypmod)
    || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE WHEN attgenerated = '' AND attidentity = '' THEN '' ELSE ' GENERATED' END
    || CASE WHEN attcollation = typcollation THEN '' ELSE ' COLLATE' END
    || coalesce(' ' || replace(pg_get_expr(adbin, adrelid), chr(39), ''), '')
  FROM pg_attribute JOIN ours ON attrelid = ours.oid JOIN pg_type t ON t.oid = atttypid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT '约束', relname, conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN ours ON conrelid = ours.oid WHERE contype NOT IN ('n', 't')
UNION ALL SELECT '索引', relname, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index JOIN ours ON indrelid = ours.oid
  WHERE indexrelid NOT IN (SELECT conindid FROM pg_constraint)
UNION ALL SELECT '停用的外键检查', relname, tgname, '' FROM pg_trigger
  JOIN ours ON tgrelid = ours.oid WHERE tgisinternal AND tgenabled <> 'O'
UNION ALL SELECT '失效的索引', relname, indexrelid::regclass::text, '' FROM pg_index
  JOIN ours ON indrelid = ours.oid WHERE NOT (indisvalid AND indisready AND indislive)
UNION ALL SELECT '行级安全', relname, '', '' FROM ours WHERE relrowsecurity
UNION ALL SELECT '其他种类', relname, relkind::text, '' FROM ours WHERE relkind <> 'r'
UNION ALL SELECT '不落盘的存储', relname, '', '' FROM ours WHERE relpersistence <> 'p'
"""
