"""How far a verdict holds, and what would turn it: exact, by the reference evaluator alone.

It is run with one fact as a variable, and every comparison that it makes says from which value of the
fact on it would come out otherwise; up to there, nothing changes. Figures move on a grid: money by
0.01 yuan, ratios by 0.0001 percentage points, points by 0.01, counted things by one, dates by a day.
"""

from rules.sensitivity.changes import Change, Changes, Margin, Rest, margins, smallest_changes
from rules.sensitivity.study import Reach

__all__ = ["Change", "Changes", "Margin", "Reach", "Rest", "margins", "smallest_changes"]
