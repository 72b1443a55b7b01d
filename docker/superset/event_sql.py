"""SQL over a datasource of events, whose columns are those of somebody's records: which of them is the time, the key and the
kind is found by their names, or named by SUPERSET_EVENTS_TIME, SUPERSET_EVENTS_KEY and SUPERSET_EVENTS_KIND."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

# The words by which a replay finds the time and the key of events: a test of src/tweet/events/names.rs writes them.
LISTS = json.loads(Path(__file__).with_name("event_names.json").read_text(encoding="utf-8"))
CALLERS = [words.split() for words in LISTS.pop("callers")]
WORDS = {name: set(words.split()) for name, words in LISTS.items()}
KINDS = set("type kind level severity status op operation action category channel method collection event code".split())
MOST_FIELDS = 20  # Of a row in words.
NO_COLUMN = -1
# As src/pipeline/run_id.rs makes it.
RUN_ID = re.compile("[0-9]{8}T[0-9]{6}-[0-9a-z]{4}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def words(name: str) -> list[str]:
    """The words of a name: createdAt, created_at and CreatedAt have the same."""
    found, begins = [], True
    for at, char in enumerate(name):
        if not char.isalnum():
            begins = True
            continue
        before, after = name[at - 1 : at], name[at + 1 : at + 2]
        # A capital after a small letter, or the last of several before a small one.
        if begins or (char.isupper() and before and (not before.isupper() or after.islower())):
            found.append("")
        begins = False
        found[-1] += char.lower()
    return found


def has(some: list[str], which: str) -> bool:
    """Whether one of the words is on this list."""
    return not WORDS[which].isdisjoint(some)


def time_rank(column: str) -> int:
    """How sure a column is the time of the event, as in src/tweet/events/names.rs."""
    *parents, name = column.split(".")
    if name == "@timestamp":
        return 110
    every = words(name)
    if has(every, "no_time"):
        return NO_COLUMN
    found = [word for word in every if word not in WORDS["written"]]
    if not found:
        return 80 if {"epoch", "unix", "utc"} & set(every) else NO_COLUMN
    if not any(has(found, which) for which in ("time", "beginning", "later", "long_ago")):
        return NO_COLUMN
    if has(found, "long_ago") or has(found, "others") or any(has(words(parent), "others") for parent in parents):
        return 15
    if has(found, "later"):
        return 40
    if has(found, "beginning"):
        return 85
    found = [word for word in found if word not in WORDS["time"] | WORDS["small"]]
    if not found:
        return 100
    return 95 if WORDS["itself"].issuperset(found) else 60


def key_rank(column: str) -> int:
    """How sure a column says who or what an event belongs to, as in src/tweet/events/names.rs."""
    *parents, name = column.split(".")
    found = words(name)
    parent = words(parents[-1]) if parents else []
    if found in CALLERS:
        return 75
    if found == ["id"] and len(parents) == 1 and parent == ["after"]:
        return 100
    for which, best in (("persons", 100), ("things", 80), ("hosts", 72)):
        rank = key_rank_of(found, parent[0] if len(parent) == 1 else "", which, best)
        if rank != NO_COLUMN:
            return rank
    return {"id": 65, "key": 60}.get(" ".join(found), NO_COLUMN) if not parents else NO_COLUMN


def key_rank_of(found: list[str], parent: str, which: str, best: int) -> int:
    """The same for the words of one list."""
    if found == ["id"] and parent in WORDS[which]:
        return best
    if found in (["name"], ["login"], ["username"], ["handle"]) and parent in WORDS[which]:
        return best - 10
    if len(found) == 1 and found[0] in WORDS[which]:
        return best - 2
    if len(found) == 2 and found[0] in WORDS[which] and found[1] in ("id", "name"):
        return best if found[1] == "id" else best - 4
    return best - 4 if found == ["screen", "name"] and which == "persons" else NO_COLUMN


def kind_rank(name: str) -> int:
    found = words(name)
    return NO_COLUMN if not found or found[-1] not in KINDS else 3 - min(len(found), 2)


class EventSql:
    """`types` are the columns of the datasource with their types in SQL, in order; `named` has what the user names, by
    `time`, `key` and `kind`; `ask` answers a query with its rows."""

    def __init__(self, table: str, types: dict[str, str], named: dict[str, str], ask: Callable[[str], list[list]]) -> None:
        self.table, self.types = table, types
        self.run, self.seq = self._own(ask)
        theirs = [name for name in types if name not in ("__time", self.run, self.seq)]
        texts = [name for name in theirs if types[name] == "VARCHAR"]
        self.time = named.get("time") or self._best(theirs, time_rank)
        self.key = named.get("key") or self._best(theirs, key_rank)
        self.kind = named.get("kind") or self._best([name for name in texts if name != self.key], kind_rank)
        if not self.kind:
            self.kind = self._fewest([name for name in texts if name not in (self.time, self.key)], ask)

    def _own(self, ask: Callable[[str], list[list]]) -> tuple[str, str]:
        """The names of our `run` and `seq`: they begin with as many underscores as it takes to be none of the records'. Where
        there are several, ours are those with ids of runs, and numbers that come once in each."""
        runs, seqs = self._with_underscores("run", "VARCHAR"), self._with_underscores("seq", "BIGINT")
        pairs = list(itertools.product(runs, seqs))
        if len(pairs) > 1:
            names = runs + seqs
            rows = ask(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(self.table)} LIMIT 1000")
            values = dict(zip(names, zip(*rows)))

            def is_ours(pair: tuple[str, str]) -> bool:
                found = list(zip(*(values.get(name, ()) for name in pair)))
                ids = all(run and RUN_ID.fullmatch(run) and seq is not None for run, seq in found)
                return ids and len(set(found)) == len(found)

            pairs = list(filter(is_ours, pairs)) or pairs
        return pairs[0] if pairs else ("run", "seq")

    def _with_underscores(self, name: str, kind: str) -> list[str]:
        """The columns that may be ours, the longest first: the records have all shorter names themselves."""
        names = itertools.takewhile(self.types.__contains__, ("_" * count + name for count in itertools.count()))
        return [name for name in names if self.types[name] == kind][::-1]

    @staticmethod
    def _best(names: list[str], rank: Callable[[str], int]) -> str:
        """The column of the highest rank, of equal ones the first; empty: there is none."""
        best = max(names, key=rank, default="")
        return best if best and rank(best) != NO_COLUMN else ""

    def _fewest(self, names: list[str], ask: Callable[[str], list[list]]) -> str:
        """The column with the fewest values, of those that have several."""
        if not names:
            return ""
        counts = ", ".join(f"APPROX_COUNT_DISTINCT({quoted(name)})" for name in names)
        rows = ask(f"SELECT {counts} FROM {quoted(self.table)}")
        several = [(count, name) for count, name in zip(rows[0] if rows else [], names) if count > 1]
        return min(several, default=(0, ""))[1]

    def source(self, alias: str = "") -> str:
        """What to select from; before the first replay a table without rows."""
        name = f' AS "{alias}"' if alias else ""
        return f"{quoted(self.table)}{name}" if self.types else f"(SELECT 1 AS nothing WHERE 1 = 0){name}"

    def own(self, name: str, alias: str = "") -> str:
        """`run` or `seq`."""
        column = {"run": self.run, "seq": self.seq}[name]
        return self._column(column, alias) if column in self.types else f"CAST(NULL AS {'VARCHAR' if name == 'run' else 'BIGINT'})"

    def sent(self, alias: str = "") -> str:
        return self._column("__time", alias) if self.types else "CAST(NULL AS TIMESTAMP)"

    def _column(self, name: str, alias: str) -> str:
        return f'"{alias}".{quoted(name)}' if alias else quoted(name)

    def text(self, what: str, alias: str = "") -> str:
        """The key or the kind as a text, or NULL."""
        return self._text(getattr(self, what), alias)

    def _text(self, path: str, alias: str) -> str:
        first, _, rest = path.partition(".")
        if path in self.types:
            column = self._column(path, alias)
            if self.types[path] not in ("VARCHAR", "BIGINT", "DOUBLE", "FLOAT", "TIMESTAMP"):
                return f"TO_JSON_STRING({column})"
            return column if self.types[path] == "VARCHAR" else f"CAST({column} AS VARCHAR)"
        if rest and first in self.types:
            place = rest.replace("'", "''")
            return f"JSON_VALUE({self._column(first, alias)}, '$.{place}' RETURNING VARCHAR)"
        return "CAST(NULL AS VARCHAR)"

    def _words(self, column: str, alias: str) -> str:
        """A column as one text, of lists too."""
        text = self._text(column, alias)
        return f"MV_TO_STRING({text}, ' ')" if self.types[column] == "VARCHAR" else text

    def written_ms(self, alias: str = "") -> str:
        """The event's own time in milliseconds since 1970: a number of s, ms, us or ns, or a text in ISO 8601; else NULL."""
        if self.time == "__time":
            return f"TIMESTAMP_TO_MILLIS({self.sent(alias)})"
        text = self._text(self.time, alias)
        number = f"CAST({text} AS DOUBLE)"
        scaled = (
            f"CASE WHEN {number} = 0 THEN NULL WHEN ABS({number}) < 1e11 THEN {number} * 1000"
            f" WHEN ABS({number}) < 1e14 THEN {number} WHEN ABS({number}) < 1e17 THEN {number} / 1000 ELSE {number} / 1000000 END"
        )
        if self.types.get(self.time) in ("BIGINT", "DOUBLE", "FLOAT"):
            return f"CAST({scaled.replace(number, f'CAST({self._column(self.time, alias)} AS DOUBLE)')} AS BIGINT)"
        return (
            f"CASE WHEN REGEXP_LIKE({text}, '^-?[0-9]+([.][0-9]+)?$') THEN CAST({scaled} AS BIGINT)"
            f" ELSE TIMESTAMP_TO_MILLIS(TIME_PARSE({text})) END"
        )

    def record(self, alias: str = "") -> str:
        """The row in words: each field of the record that has a value, with its name."""
        theirs = [name for name in self.types if name not in ("__time", self.run, self.seq)][:MOST_FIELDS]
        if not theirs:
            return "CAST(NULL AS VARCHAR)"
        labels = [name.replace("'", "''") for name in theirs]
        parts = (f"COALESCE('{label}: ' || {self._words(name, alias)} || ', ', '')" for label, name in zip(labels, theirs))
        return f"SUBSTRING(RTRIM({' || '.join(parts)}, ', '), 1, 1000)"

    @staticmethod
    def width_ms(first: str, last: str) -> str:
        """How long a bar is for what lies between two times, so that there are 300 at most of up to a year."""
        steps = ((300, 1), (1_500, 5), (3_000, 10), (18_000, 60), (90_000, 300), (1_080_000, 3_600), (6_480_000, 21_600))
        cases = " ".join(f"WHEN {last} - {first} < {below}000 THEN {width}000" for below, width in steps)
        return f"CASE {cases} WHEN {last} - {first} < 31622400000 THEN 86400000 ELSE 604800000 END"
