"""How far a verdict holds, and which changes would turn it: exact, by the reference evaluator.

The evaluator runs with one fact as a variable. Each comparison that it makes notes the nearest
value of the fact at which it would come out otherwise; up to there, nothing changes. Figures move
on a grid: money by 0.01 yuan, ratios by 0.0001 percentage points, points by 0.01, counts by one,
dates by a day.
"""

from rules.sensitivity.changes import Change, Changes, Margin, Rest, margins, smallest_changes
from rules.sensitivity.study import Reach

__all__ = ["Change", "Changes", "Margin", "Reach", "Rest", "margins", "smallest_changes"]
