"""The faces can be taken away: all that the desk does goes on without them."""

import subprocess
import sys
from pathlib import Path

YEAR = """
import sys
sys.modules["registry.cli"] = sys.modules["registry.web"] = None  # whoever imports them fails

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from registry import desk
from registry.desk import auditing, checking, deciding, demonstrating, enterprises, explaining
from registry.desk import notices, screening, upkeep
from registry.desk.checking import Inquiry, Request
from registry.desk.place import Desk
from rules.tests.packaged import TITLES

for module in iter_modules(desk.__path__):
    if module.name != "tests":
        import_module(f"registry.desk.{module.name}")

second = Request(TITLES[1:2])
with Desk("sqlite:///year.db", by="经办人") as at:
    number = demonstrating.demonstrate(at).number
    firms = {line.uscc for line in enterprises.listed(at)}
    with checking.run(at, Inquiry(request=second), view=checking.whole) as run:
        checked = [r.verdicts[0].outcome for r in run.results()]
    with deciding.run(at, sorted(firms)[:3], second) as run:
        decided = [line.verdict for line in run]
    backed_up = upkeep.backup(at, Path("year.backup"))
    print(number, len(firms), len(checked), len(decided), backed_up.amiss)
    print(auditing.first_amiss(at), notices.titles(at))
"""


def test_a_year_is_worked_without_a_face(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", YEAR], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout == "42 42 42 3 ()\nNone []\n", ran.stderr
