"""How the dashboard of events finds its columns; `python3 -m unittest discover -s docker/superset` runs it, without Superset."""

import re
import unittest
from pathlib import Path

from event_sql import NO_COLUMN, EventSql, key_rank, time_rank

RANKS = Path(__file__).parents[2] / "tests/data/events/name_ranks.tsv"


class Names(unittest.TestCase):
    def test_a_name_has_the_rank_that_a_replay_gives_it(self):
        for line in RANKS.read_text(encoding="utf-8").splitlines():
            name, time, key = line.split("\t")
            with self.subTest(name):
                ranks = [str(rank).replace(str(NO_COLUMN), "-") for rank in (time_rank(name), key_rank(name))]
                self.assertEqual(ranks, [time, key])


class Own(unittest.TestCase):
    def names(self, types, **values):
        """The names of ours among such columns, which have these values where they are asked for."""

        def ask(query):
            return [list(row) for row in zip(*(values[name] for name in re.findall('"(\\w+)"', query.split(" FROM ")[0])))]

        found = EventSql("events", types | {"user": "VARCHAR", "kind": "VARCHAR"}, {}, ask)
        return found.run, found.seq

    def test_ours_give_way_to_those_of_the_records(self):
        text, number, ours = "VARCHAR", "BIGINT", ["20261124T050211-7k2n"] * 2
        self.assertEqual(self.names({}), ("run", "seq"))
        self.assertEqual(self.names({"run": text, "seq": number}), ("run", "seq"))
        # The records have a number, and a text, of that name.
        self.assertEqual(self.names({"run": number, "_run": text, "seq": text, "_seq": number}), ("_run", "_seq"))
        types = {"run": text, "_run": text, "seq": number, "_seq": number}
        self.assertEqual(self.names(types, run=["a", "b"], _run=ours, seq=[1, 1], _seq=[0, 1]), ("_run", "_seq"))
        self.assertEqual(self.names(types, run=ours, _run=["a", "b"], seq=[0, 1], _seq=[1, 1]), ("run", "seq"))
        self.assertEqual(self.names(types, run=ours, _run=["a", None], seq=[0, 1], _seq=[1, None]), ("run", "seq"))
        # `__run` is of the records: ours did not need it.
        self.assertEqual(self.names({"run": text, "__run": text, "seq": number}), ("run", "seq"))


if __name__ == "__main__":
    unittest.main()
