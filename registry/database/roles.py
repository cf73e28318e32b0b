"""The rights of officers and auditors on PostgreSQL: the second line of defence after triggers.

The owner of the tables can switch triggers off. So officers work under a separate role that can
only add to the record and close open versions; auditors can only read.
"""

from typing import Final

import sqlalchemy as sa
from sqlmodel import SQLModel

from registry.database import models, projection, storage, triggers
from registry.errors import StorageError
from registry.filings import IDENTITY

#: The only table whose rows are deleted: they are derived anew from the record each time.
DELETED: Final = ("due_item",)
#: The only columns that are ever updated; rows are otherwise only added.
UPDATED: Final[dict[str, tuple[str, ...]]] = {
    "enterprise": ("name", *(fact.id for fact in IDENTITY)),
    "import": ("undone_at",),
    "filing": ("known_until",),
    "case_state": projection.CHANGING,
    **{str(model.__tablename__): ("known_until",) for model in models.STATED_TABLES},
}


def grant(engine: sa.Engine, role: str, *, auditor: bool = False) -> None:
    """Give an existing role exactly the rights of an officer or an auditor; revoke all others.

    Run by the owner of the tables. Raises ``StorageError``, and changes nothing, if roles do not
    exist or if the role would still have more rights.
    """
    if engine.dialect.name != "postgresql":
        raise StorageError(
            "no-roles",
            "只有 PostgreSQL 有角色；SQLite 由文件的读写权限保护，请用操作系统的权限管理数据库文件",
        )
    with storage.translated(engine), engine.begin() as connection:
        _refuse_powerful(connection, role)
        for statement in _statements(connection, role, auditor=auditor):
            connection.exec_driver_sql(statement)
        _refuse_excess(connection, role, auditor=auditor)


def _statements(connection: sa.Connection, role: str, *, auditor: bool) -> list[str]:
    quoted = connection.dialect.identifier_preparer.quote_identifier
    schema = quoted(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
    database = connection.exec_driver_sql("SELECT current_database()").scalar_one()
    to = f"TO {quoted(role)}"
    found = [
        f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM {quoted(role)}"
        for kind in ("TABLES", "SEQUENCES")
    ]
    found += [
        f"REVOKE ALL ON SCHEMA {schema} FROM {quoted(role)}",
        f"GRANT USAGE ON SCHEMA {schema} {to}",
        f"GRANT SELECT ON {schema}.alembic_version {to}",
    ]
    if not connection.scalar(sa.select(sa.func.has_database_privilege(role, database, "CONNECT"))):
        found.append(f"GRANT CONNECT ON DATABASE {quoted(database)} {to}")
    for table in SQLModel.metadata.sorted_tables:
        name = f"{schema}.{quoted(table.name)}"
        found.append(f"GRANT SELECT{'' if auditor else ', INSERT'} ON {name} {to}")
        columns = ", ".join(map(quoted, UPDATED.get(table.name, ())))
        if columns and not auditor:
            found.append(f"GRANT UPDATE ({columns}) ON {name} {to}")
        if table.name in DELETED and not auditor:
            found.append(f"GRANT DELETE ON {name} {to}")
        if table.autoincrement_column is not None and not auditor:
            sequence = sa.func.pg_get_serial_sequence(name, table.autoincrement_column.name)
            found.append(f"GRANT USAGE ON SEQUENCE {connection.scalar(sa.select(sequence))} {to}")
    return found


def _refuse_powerful(connection: sa.Connection, role: str) -> None:
    """Refuse a role that no grant can limit."""
    query = sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = :role")
    superuser = connection.scalar(query, {"role": role})
    if superuser is None:
        raise StorageError(
            "no-such-role",
            "数据库没有角色「{value}」：请先用 CREATE ROLE 建立，或核对名称",
            value=role,
        )
    if superuser:
        raise StorageError(
            "superuser", "角色「{value}」是超级用户，授权约束不了它：请另建一个普通角色", value=role
        )
    query = sa.text(
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'S') AND pg_has_role(:role, relowner, 'MEMBER')"
    )
    if connection.scalar(query, {"role": role}):
        raise StorageError(
            "owner",
            "角色「{value}」是表的所有者或其成员，授权约束不了它：请另建一个普通角色",
            value=role,
        )


def _refuse_excess(connection: sa.Connection, role: str, *, auditor: bool) -> None:
    """Refuse a role with further rights from PUBLIC or as a member of another role."""
    excess = []
    for table in SQLModel.metadata.sorted_tables:
        kept = ["TRUNCATE", "TRIGGER"]
        if auditor or table.name not in DELETED:
            kept.append("DELETE")
        if auditor:
            kept.append("INSERT")
        frozen = auditor or table.name in triggers.APPEND_ONLY
        for privilege in [*kept, *(["UPDATE"] if frozen else [])]:
            any_column = privilege in ("INSERT", "UPDATE")
            asked = sa.func.has_any_column_privilege if any_column else sa.func.has_table_privilege
            if connection.scalar(sa.select(asked(role, f'"{table.name}"', privilege))):
                excess.append(f"{table.name}的{privilege}")
    in_schema = sa.func.has_schema_privilege(role, sa.func.current_schema(), "CREATE")
    if connection.scalar(sa.select(in_schema)):
        excess.append("在模式中建立对象的CREATE")
    if excess:
        raise StorageError(
            "further-rights",
            "角色「{where}」从PUBLIC或所属的角色另外得到了权限（{value}），没有授权：请先用 REVOKE 收回",
            where=role,
            value="、".join(excess[:3]),
        )
