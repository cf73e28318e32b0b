"""How seldom garbage is looked for, and that it is as before once that ends."""

import gc
from collections.abc import Iterator

import pytest

from registry.kit.garbage import seldom_collected

_USUAL = (700, 10, 10)


@pytest.fixture
def usual() -> Iterator[None]:
    """The collector as Python starts with it."""
    kept = gc.get_threshold()
    gc.set_threshold(*_USUAL)
    yield
    gc.set_threshold(*kept)


@pytest.mark.usefixtures("usual")
def test_garbage_is_looked_for_seldom_until_the_end() -> None:
    with seldom_collected():
        (rounds, *_), frozen = gc.get_threshold(), gc.get_freeze_count()
    assert rounds > 100 * _USUAL[0]
    assert frozen
    assert (gc.get_threshold(), gc.get_freeze_count()) == (_USUAL, 0)
