"""Puts a compiled ruleset's questions to durable_rules through its own Python host.

Each rule gets an action that notes the answer, as in a program written for the host. The host's two
timer threads are left out: they take results away and crash (see ``rules.engine.driver``).
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from durable.engine import Host

from rules.engine.network import Network


class _Quiet(Host):  # type: ignore[misc]
    def _run(self) -> None:
        """Start no threads."""


class Stock:
    """A network in its own host; replaces a session's driver."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._found: dict[int, int] = {}
        rules = json.loads(network.text)
        for name, rule in rules.items():
            rule["run"] = self._action(*network.answers[name])
        self._host = _Quiet({"tidu": rules})

    def _action(self, node: int, answer: int) -> Callable[[Any], None]:
        def noted(_: Any) -> None:
            self._found[node] = answer

        return noted

    def __call__(self, facts: Sequence[tuple[int, ...]]) -> list[list[int]]:
        """The answers of all nodes to each fact."""
        rows = []
        for fact in facts:
            message = json.loads(self._network.fact % ("0", *fact))
            self._found.clear()
            self._host.assert_fact("tidu", message)
            self._host.retract_fact("tidu", message)
            rows.append([self._found[node] for node in range(len(self._network.outputs))])
        return rows
