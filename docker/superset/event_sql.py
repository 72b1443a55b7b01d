"""SQL over a datasource of events, whose columns are those of somebody's records: which of them is the time, the key and the
kind is found by their names, or named by SUPERSET_EVENTS_TIME, SUPERSET_EVENTS_KEY and SUPERSET_EVENTS_KIND."""

import re
from collections.abc import Callable

# What only says how a time is written.
WRITTEN = set("s ms us ns sec secs seconds millis milliseconds micros nanos utc gmt unix epoch iso local str string".split())
TIME = set("time timestamp ts datetime date dt when".split())
SMALL = set("at on of the in day".split())
BEGINNING = set("created create published posted issued occurred start started begin began observed measured sent".split())
LATER = set("end ended finished stop stopped closed completed update updated modified changed received ingested deleted".split())
NO_TIME = set("zone timezone tz offset timeout duration elapsed took latency uptime delay wait lag interval".split())

# Who or what an event belongs to, the likelier ones first.
KEYS = (
    set("user author actor account acct member customer client login username did uid driver player sender".split()),
    set("device sensor station machine vehicle meter node container service app application tenant symbol site".split()),
    set("host hostname server computer ip remote source src".split()),
)
KINDS = set("type kind level severity status op operation action category channel method collection event code".split())
MOST_FIELDS = 20  # Of a row in words.


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def words(name: str) -> list[str]:
    """The words of a name: createdAt, created_at and CreatedAt have the same."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def time_rank(name: str) -> int:
    """How sure a column is the time of the event; 0: it is not."""
    if name == "@timestamp":
        return 110
    found = [word for word in words(name) if word not in WRITTEN]
    if not found or NO_TIME & set(found):
        return 0
    if set(found) <= TIME | SMALL and TIME & set(found):
        return 100
    if LATER & set(found):
        return 40
    if BEGINNING & set(found):
        return 85
    return 60 if TIME & set(found) else 0


def key_rank(name: str) -> int:
    found = [word for word in words(name) if word not in ("id", "name")]
    if len(found) == 2 and found[1] in ("ip", "address", "addr"):
        found.pop()
    if len(found) != 1:
        return 0
    return next((3 - place for place, some in enumerate(KEYS) if found[0] in some), 0)


def kind_rank(name: str) -> int:
    found = words(name)
    return 0 if not found or found[-1] not in KINDS else 3 - min(len(found), 2)


class EventSql:
    """`types` are the columns of the datasource with their types in SQL, in order; `named` has what the user names, by
    `time`, `key` and `kind`; `ask` answers a query with its rows."""

    def __init__(self, table: str, types: dict[str, str], named: dict[str, str], ask: Callable[[str], list[list]]) -> None:
        self.table, self.types = table, types
        self.run, self.seq = self._own("run"), self._own("seq")
        theirs = [name for name in types if name not in ("__time", self.run, self.seq)]
        texts = [name for name in theirs if types[name] == "VARCHAR"]
        self.time = named.get("time") or self._best(theirs, time_rank)
        self.key = named.get("key") or self._best(theirs, key_rank)
        self.kind = named.get("kind") or self._best([name for name in texts if name != self.key], kind_rank)
        if not self.kind:
            self.kind = self._fewest([name for name in texts if name not in (self.time, self.key)], ask)

    def _own(self, name: str) -> str:
        """Ours begins with an underscore where the records have the name themselves, or with as many as it takes."""
        while f"_{name}" in self.types:
            name = f"_{name}"
        return name

    @staticmethod
    def _best(names: list[str], rank: Callable[[str], int]) -> str:
        """The column of the highest rank, of equal ones the first; empty: there is none."""
        best = max(names, key=rank, default="")
        return best if best and rank(best) else ""

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
