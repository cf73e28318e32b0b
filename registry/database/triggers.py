"""Protects the record inside the database: triggers that refuse to change what was written.

On SQLite, triggers also keep the index of names up to date with ``case_state``; PostgreSQL does so
by itself.

``DEFINITIONS`` are the triggers at the newest revision; ``audit verify`` compares them. A filing
may be closed once, and nothing else in it may change. The journal, the documents that it names and
the checkpoints only grow, the journal one entry after the other.
"""

import re
from typing import Final

import sqlalchemy as sa

from registry.database.models import NAMES_INDEX

APPEND_ONLY: Final = ("journal", "document", "checkpoint")

_HEAD: Final = "(SELECT coalesce(max(seq), 0) FROM journal)"
_LAST: Final = f"coalesce((SELECT digest FROM journal WHERE seq = {_HEAD}), '{'0' * 64}')"
#: The condition that an entry does not follow the last. This also refuses SQLite's REPLACE, which
#: deletes without firing triggers: the entry to be replaced has an earlier number.
_FOLLOWS: Final = f"NEW.seq <> {_HEAD} + 1 OR NEW.previous <> {_LAST}"
_KEPT: Final = (
    "id", "enterprise_id", "import_id", "as_of", "known_from", "sources", "replaces_id",
    "identity", "facts", "digest",
)  # fmt: skip


def _sqlite() -> dict[str, str]:
    found = {}
    for table in APPEND_ONLY:
        found[f"{table}_no_update"] = _refusal(table, "UPDATE")
    for table in (*APPEND_ONLY, "filing"):
        found[f"{table}_no_delete"] = _refusal(table, "DELETE")
    found["filing_no_update"] = _refusal("filing", "UPDATE", _changed("IS NOT"))
    found["journal_follows"] = _refusal("journal", "INSERT", _FOLLOWS)
    for table, key in (("document", "digest"), ("checkpoint", "size"), ("filing", "id")):
        given_before = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
        found[f"{table}_no_replace"] = _refusal(table, "INSERT", given_before)
    found |= _indexing()
    return {name: f"CREATE TRIGGER {name} {text}" for name, text in sorted(found.items())}


def _indexing() -> dict[str, str]:
    """Keep the index of names: an old name is taken out by handing its pairs back."""
    columns = f"{NAMES_INDEX}, rowid, pairs"
    drop = f"INSERT INTO {NAMES_INDEX} ({columns}) VALUES ('delete', OLD.enterprise_id, OLD.pairs);"
    add = f"INSERT INTO {NAMES_INDEX} (rowid, pairs) VALUES (NEW.enterprise_id, NEW.pairs);"
    own, changed = "= ''", "OF pairs"
    return {
        "case_state_named": f"AFTER INSERT ON case_state WHEN NEW.tier {own} BEGIN {add} END",
        "case_state_unnamed": f"AFTER DELETE ON case_state WHEN OLD.tier {own} BEGIN {drop} END",
        "case_state_renamed": (
            f"AFTER UPDATE {changed} ON case_state WHEN OLD.tier {own} BEGIN {drop} {add} END"
        ),
    }


def _refusal(table: str, event: str, when: str = "") -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"BEFORE {event} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _changed(differs: str) -> str:
    """Whether an update of a filing does more than close it."""
    changed = " OR ".join(f"NEW.{c} {differs} OLD.{c}" for c in _KEPT)
    return f"OLD.known_until IS NOT NULL OR {changed}"


def _postgresql() -> dict[str, str]:
    found = {}
    for table in APPEND_ONLY:
        found[f"{table}_no_update"] = _execution(table, "UPDATE")
    for table in (*APPEND_ONLY, "filing"):
        found[f"{table}_no_delete"] = _execution(table, "DELETE")
        found[f"{table}_no_truncate"] = _execution(table, "TRUNCATE")
    found["filing_no_update"] = _execution("filing", "UPDATE", _changed("IS DISTINCT FROM"))
    found["journal_follows"] = _execution("journal", "INSERT", function="tidu_follows")
    return {name: f"CREATE TRIGGER {name} {text}" for name, text in sorted(found.items())}


def _execution(table: str, event: str, when: str = "", function: str = "tidu_refuse") -> str:
    level = "STATEMENT" if event == "TRUNCATE" else "ROW"
    condition = f"WHEN ({when}) " if when else ""
    return f"BEFORE {event} ON {table} FOR EACH {level} {condition}EXECUTE FUNCTION {function}()"


#: The functions that the triggers of PostgreSQL call.
FUNCTIONS: Final = {
    "tidu_refuse": (
        "CREATE FUNCTION tidu_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    ),
    # its path is fixed, or a temporary table named journal would be read instead
    "tidu_follows": (
        "CREATE FUNCTION tidu_follows() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path = public, pg_temp AS $$ "
        f"BEGIN IF {_FOLLOWS} THEN RAISE EXCEPTION 'journal is append-only'; END IF; "
        "RETURN NEW; END $$"
    ),
}

#: dialect -> trigger -> the statement that makes it
DEFINITIONS: Final = {"sqlite": _sqlite(), "postgresql": _postgresql()}


def missing(connection: sa.Connection) -> list[str]:
    """The triggers and functions that a database lacks, or has in another form or switched off."""
    wanted = dict(DEFINITIONS[connection.dialect.name])
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted |= FUNCTIONS
        query = (
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') "
            "AND tgrelid IN (SELECT oid FROM pg_class "
            "WHERE relnamespace = current_schema()::regnamespace) UNION ALL "
            "SELECT proname, 'CREATE FUNCTION ' || proname || '() RETURNS trigger LANGUAGE ' "
            "|| (SELECT lanname FROM pg_language l WHERE l.oid = prolang) || ' ' "
            "|| CASE WHEN prosecdef OR proleakproof OR provolatile <> 'v' THEN 'OTHERWISE' ELSE '' END "
            "|| coalesce('SET ' || array_to_string(proconfig, ' SET '), '') "
            "|| 'AS $$' || prosrc || '$$' FROM pg_proc "
            "WHERE pronamespace = current_schema()::regnamespace AND pronargs = 0"
        )
    found = {name: plain(text) for name, text in connection.exec_driver_sql(query)}
    return [name for name, text in wanted.items() if found.get(name) != plain(text)]


def plain(statement: str) -> str:
    """A statement without what databases vary: spaces, brackets, quotes, schema, case."""
    return re.sub(r"\s|[()\"]|\bpublic\.|::text", "", statement).lower()
