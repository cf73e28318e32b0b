"""What holds for all tests."""

import gc

# Looking for garbage as often as usual takes a sixth of the time: tests make little that only this
# finds, among very much that stays.
gc.set_threshold(100_000, 20, 50)
