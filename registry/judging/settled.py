"""Determinations by persons and register entries, which bear on a filing beside its facts."""

from dataclasses import dataclass

from rules.model.facts import check_day
from rules.portable.record import Body, is_holding


@dataclass(frozen=True, kw_only=True)
class Determination:
    """A recorded determination by a person about one filing.

    ``content`` is the body of its entry: a target, its new value and the previous one. ``by``,
    ``ground`` and ``confirmed_by`` are disclosed texts.
    """

    seq: int
    digest: str
    content: Body
    by: str
    ground: str
    confirmed_by: str = ""

    @property
    def target(self) -> str:
        """The fact or rule that it settles."""
        return str(self.content.get("rule") or self.content["fact"])

    @property
    def kind_of_target(self) -> str:
        """The fact that it settles, without year or record: ``revenue``, ``ip.pledge``, ``ip``."""
        name, _, place = self.target.partition("#")
        return f"{name}.{place.partition('.')[2]}" if place else name.partition("@")[0]


@dataclass(frozen=True)
class Registration:
    """An entry of the register that bears on the enterprise ``of``; ``content`` is its body.

    It states a title or a holding, either of ``of`` itself or of an enterprise with which ``of``
    may be in a control relation.
    """

    seq: int
    digest: str
    content: Body
    by: str
    of: str

    @property
    def own_title(self) -> bool:
        """Whether it states a title of the enterprise itself."""
        return not is_holding(self.content) and self.content["uscc"] == self.of

    @property
    def source(self) -> str:
        """The place of the entry, in words."""
        return f"登记簿第{self.seq}号"

    @property
    def misdated(self) -> str:
        """The error in the days of the enterprise's own title; empty if there is none."""
        days = ("valid_from", "valid_until") if self.own_title else ()
        return next((wrong for d in days if (wrong := check_day(self.content[d]))), "")
