"""What holds for all tests."""

import gc

from hypothesis import settings

# Looking for garbage as often as usual takes a sixth of the time: tests make little that only this
# finds, among very much that stays.
gc.set_threshold(100_000, 20, 50)

# How long an example takes says more about what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
