"""The verifier as one Python file on the standard library: its modules, verbatim, and a loader.

So an auditor without Tidu can read and run exactly the code that Tidu itself runs.
"""

from importlib import import_module
from pathlib import Path
from typing import Final

#: The modules in the order of their imports.
MODULES: Final = (
    "rules.portable.errors",
    "rules.portable.canonical",
    "rules.portable.calendar",
    "rules.portable.workflow",
    "rules.portable.clocks",
    "rules.portable.timing",
    "rules.portable.figures",
    "rules.portable.evaluation",
    "rules.portable.formulas",
    "rules.portable.tables",
    "rules.portable.reference",
    "rules.portable.record",
    "rules.portable.applications",
    "rules.portable.duties",
    "registry.portable.sealing",
    "registry.portable.clock",
    "registry.portable.chain",
    "registry.portable.bodies",
    "registry.portable.merkle",
    "registry.portable.ed25519",
    "registry.portable.notes",
    "registry.portable.container",
    "registry.portable.findings",
    "registry.portable.contents",
    "registry.portable.decisions",
    "registry.portable.courses",
    "registry.portable.duties",
    "registry.portable.verifier",
)

_HEAD: Final = '''#!/usr/bin/env python3
"""验证梯度（Tidu）证据包，并重新作出包内每一项决定。只需 Python 3.11 以上，不需安装任何软件。

用法：python3 verify.py bundle.zip --key 登记机关公布的公钥

Each module below stands here as in Tidu itself, verbatim; nothing is fetched or imported but Python's
own library.
"""

import sys
import types

if sys.version_info < (3, 11):
    sys.exit(
        "验证需要 Python 3.11 以上，这里是 Python {}.{}：请安装新版 Python 后重新运行".format(*sys.version_info)
    )


def load(name: str, source: str) -> None:
    parent, _, last = name.rpartition(".")
    for package in ("rules", "rules.portable", "registry", "registry.portable"):
        sys.modules.setdefault(package, types.ModuleType(package)).__path__ = []
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    setattr(sys.modules[parent], last, module)


'''
_TAIL: Final = """
for stream in (sys.stdout, sys.stderr):
    if hasattr(stream, "reconfigure"):  # not so in IDLE
        stream.reconfigure(encoding="utf-8")
sys.exit(sys.modules["registry.portable.verifier"].main())
"""


def script() -> str:
    """The text of ``verify.py``."""
    parts = [f"load({name!r}, r'''{source(name)}''')\n" for name in MODULES]
    return _HEAD + "\n\n".join(parts) + _TAIL


def source(name: str) -> str:
    """The source text of a module, verbatim."""
    file = import_module(name).__file__
    assert file is not None
    text = Path(file).read_text(encoding="utf-8")
    assert "'''" not in text, f"{name} cannot stand in a raw text"
    return text
