"""Before publication, both engines must agree on every ruleset that is not packaged."""

from collections.abc import Iterable

from registry.errors import RecordError
from registry.kit import resources
from registry.kit.progress import Done, ignored
from registry.record import publication
from rules.drafting.certificate import certify
from rules.language.rulebook import Rulebook
from rules.model.ruleset import Ruleset


def uncertified(rulebook: Rulebook) -> list[Ruleset]:
    """The rulesets to be published, except the packaged ones, which the tests certify."""
    packaged = publication.packaged(resources.features())
    known = {packaged.ruleset(root).digest for root in publication.roots(packaged)}
    return [r for r in map(rulebook.ruleset, publication.roots(rulebook)) if r.digest not in known]


def certified(rulesets: Iterable[Ruleset], progress: Done = ignored) -> int:
    """The number of cases, standing for every filing, on which both engines agree.

    Raises ``RecordError`` naming a rule and a case if they differ. The count is not part of the
    publication: it follows from the rulesets, and the same criteria must give the same publication.
    """
    done: dict[str, int] = {}
    wholes = 0
    for number, ruleset in enumerate(rulesets, 1):
        certificate = certify(ruleset, done)
        if certificate.differences:
            raise RecordError(
                "engines-differ",
                "两个引擎不一致，没有发布：{cause}；请保留标准文件并报告",
                cause=certificate.differences[0],
            )
        wholes += certificate.whole
        progress(number)
    return sum(done.values()) + wholes
