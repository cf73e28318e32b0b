"""How seldom garbage is looked for, and that nothing of it is at the end."""

import atexit
import gc
from collections.abc import Iterator

import pytest

from registry.kit.garbage import collect_seldom

_USUAL = (700, 10, 10)


@pytest.fixture
def usual() -> Iterator[None]:
    """The collector as Python starts with it, and as it was in the end."""
    kept = gc.get_threshold()
    gc.set_threshold(*_USUAL)
    yield
    gc.set_threshold(*kept)
    gc.unfreeze()


@pytest.mark.usefixtures("usual")
def test_garbage_is_looked_for_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    last: list[object] = []
    monkeypatch.setattr(atexit, "register", last.append)
    collect_seldom()
    assert gc.get_threshold()[0] > 100 * _USUAL[0]
    assert gc.get_freeze_count()
    assert last == [gc.freeze]
