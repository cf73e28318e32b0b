"""Indicators that name one another, in whatever order they are declared."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rules.language.formulas.meaning import Formula, FormulaError, Names
from rules.language.formulas.parser import parse_formula


class Declared(Mapping[str, Formula]):
    """What is filed, and indicators by the texts of their formulas, each read when it is asked for.

    A filed name is never declared anew. ``FormulaError`` for an indicator that is faulty, that
    names a faulty one, or that names itself.

    >>> from rules.model.catalogue import Catalogue
    >>> share = {"占有率": Formula(("fact", "share"), "number", "比例")}
    >>> texts = {"其半": "其余 × 0.5", "其余": "100% − 占有率"}
    >>> Declared(texts, Names(catalogue=Catalogue(), values=share))["其半"].expr
    ('mul', ('sub', ('const', '1'), ('fact', 'share')), ('const', '1/2'))
    """

    def __init__(self, texts: Mapping[str, str], filed: Names) -> None:
        self.names = replace(filed, values=self)
        self._filed = filed.values
        self._texts = {name: text for name, text in texts.items() if name not in filed.values}
        self._read: dict[str, Formula] = {}
        self._under_way: list[str] = []

    def __getitem__(self, name: str) -> Formula:
        if name in self._filed:
            return self._filed[name]
        if name in self._under_way:
            raise FormulaError(
                "circular-formula",
                "指标「{value}」的算式经由{path}引用自身：请断开循环",
                value=name,
                path="、".join(f"「{n}」" for n in self._under_way[self._under_way.index(name) :]),
            )
        if name not in self._read:
            self._read[name] = self._parsed(name)
        return self._read[name]

    def _parsed(self, name: str) -> Formula:
        text = self._texts[name]
        self._under_way.append(name)
        try:
            return parse_formula(text, self.names)
        except FormulaError as fault:
            if len(self._under_way) == 1 or fault.slug == "circular-formula":
                raise
            pattern = "所引的指标「{value}」的算式有误：请先改正它"
            raise FormulaError("faulty-reference", pattern, value=name) from fault
        finally:
            self._under_way.pop()

    def __iter__(self) -> Iterator[str]:
        yield from self._filed
        yield from self._texts

    def __len__(self) -> int:
        return len(self._filed) + len(self._texts)

    def __contains__(self, name: object) -> bool:
        return name in self._filed or name in self._texts
