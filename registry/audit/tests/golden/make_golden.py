"""Writes a bundle of early decisions, which every later version must still replay.

Run ``python -m registry.audit.tests.golden.make_golden 2026-11`` once for a file that is not there
yet, and put the verifier key that it prints into ``test_golden.py``. The signing key is thrown away.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from registry.audit import bundle
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.county import GROUNDS, County, of_2026, submissions
from registry.database import storage
from registry.record.determinations import Target, set_four_eyes

_LITTLE = "专精特新“小巨人”企业"


def write(path: Path) -> str:
    """Write the file; the verifier key."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        county = County(storage.connect(f"sqlite:///{folder / 'tidu.db'}"), folder)
        county.publish()
        filed = submissions()
        codes = [s.uscc for s in filed]
        county.file(filed)
        county.determine(codes[10], Target("63.3.链", rule=True), "符合", GROUNDS[0], tier=_LITTLE)
        with county.writing() as session:
            set_four_eyes(session, True, by="赵复核", now=county.now())
        revenue = Target("营业收入总额", year=2022)
        county.confirm(county.determine(codes[3], revenue, "9999万元", GROUNDS[1]))
        decided = [*county.decide([codes[0], codes[3]]), *county.decide([codes[10]])[2:]]
        county.clock = datetime(2026, 7, 1, tzinfo=UTC)
        county.file([of_2026(s) for s in filed[:1]])
        decided += county.decide(codes[:1], tiers=("专精特新中小企业", _LITTLE))
        key = SigningKey.create(folder / "key", "示范市中小企业局")
        numbers = tuple(line.seq for line in decided if line.seq)
        with county.writing() as session:
            data = bundle.export(session, Selection(numbers), key, now=county.now())
        county.close()
    path.write_bytes(data)
    return str(key.verifier_key)


if __name__ == "__main__":
    target = Path(__file__).with_name(f"{sys.argv[1]}.zip")
    if target.exists():
        sys.exit(f"{target} is there already, and must stay as it is")
    sys.stdout.write(f"{write(target)}\n")
