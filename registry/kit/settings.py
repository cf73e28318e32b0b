"""The only settings of an installation: variables of its environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.errors import RegistryError

#: The most digits of a number of days.
_DIGITS: Final = 5


@dataclass(frozen=True)
class Setting:
    """An environment variable: its meaning and its default, for the page of settings."""

    name: str
    holds: str
    default: str

    @property
    def value(self) -> str:
        """Its value; an empty text if it is not set."""
        return os.environ.get(self.name, "")


DATABASE: Final = Setting(
    "TIDU_DATABASE_URL", "登记库的地址：sqlite:///文件 或 postgresql://用户@主机/库名", "TIDU_HOME 中的 tidu.db"
)  # fmt: skip
HOME: Final = Setting("TIDU_HOME", "登记库和签名私钥所在的文件夹", "当前目录")
BY: Final = Setting("TIDU_BY", "经办人姓名", "每次给出")
FEATURES: Final = Setting("TIDU_FEATURES", "本单位的省级设定和轮次要求所在的目录", "只用随附的标准")
AUDIT_KEY: Final = Setting(
    "TIDU_AUDIT_KEY", "签发检查点的私钥文件", "TIDU_HOME 中的 tidu-audit.key"
)
AUDIT_PASSPHRASE: Final = Setting("TIDU_AUDIT_PASSPHRASE", "私钥的口令", "私钥没有口令")
MAPPING: Final = Setting(
    "TIDU_MAPPING",
    "本单位的表头对照表（csv）：读取汇总表时没有另给对照表就采用；网页上核对过的表头写入其中",
    "TIDU_HOME 中的 tidu-headings.csv",
)
EVIDENCE: Final = Setting(
    "TIDU_EVIDENCE",
    "保存证据文件的文件夹，按摘要存放；登记簿仍只记摘要",
    "不保存，由经办人自行保存原件",
)
CACHE: Final = Setting(
    "TIDU_CACHE",
    "编译过的规则所在的文件夹，只供本人读写；可随时删除，下次用时重新编译",
    "用户缓存文件夹（XDG_CACHE_HOME，未设时为 ~/.cache）中的 tidu",
)
JOB_DAYS: Final = Setting("TIDU_JOB_DAYS", "做完的后台任务及其结果文件保留多少天", "30")

SETTINGS: Final = (
    DATABASE,
    HOME,
    BY,
    FEATURES,
    MAPPING,
    AUDIT_KEY,
    AUDIT_PASSPHRASE,
    EVIDENCE,
    CACHE,
    JOB_DAYS,
)


def home() -> Path:
    """The folder of the registry and of the signing key."""
    return Path(HOME.value or Path.cwd())


def audit_key() -> Path:
    """The file of the signing key."""
    return Path(AUDIT_KEY.value or home() / "tidu-audit.key")


def mapping() -> Path:
    """The file of the bureau's own mapping of headings, whether or not there is one."""
    return Path(MAPPING.value or home() / "tidu-headings.csv")


def job_days() -> int:
    """How many days jobs are kept after their end; ``RegistryError`` if that is no number."""
    given = JOB_DAYS.value or JOB_DAYS.default
    if given.isascii() and given.isdecimal() and len(given) <= _DIGITS:
        return int(given)
    raise RegistryError(
        "no-number-of-days",
        "{where}「{value}」不是天数：请写成整数",
        where=JOB_DAYS.name,
        value=given,
    )


def evidence() -> Path | None:
    """The folder in which evidence is kept; None if it is not."""
    return Path(EVIDENCE.value) if EVIDENCE.value else None


def cache() -> Path | None:
    """The cache folder; None if the user has no home to keep it in."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "tidu")
    try:
        return Path(CACHE.value or default).expanduser()
    except RuntimeError:
        return None
