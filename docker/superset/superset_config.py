"""Superset's settings for one machine: SQLite, no Redis, no Celery; anyone who reaches the port may look."""

import collections
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from event_sql import EventSql  # noqa: E402

HOME = os.environ["SUPERSET_HOME"]
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/superset.db?check_same_thread=false"

# The built-in minimal role for visitors without a login, and dashboards that name the roles that see them. Templates
# are for the dataset `users`: its SQL is ours, and visitors cannot write any.
PUBLIC_ROLE_LIKE = "Public"
FEATURE_FLAGS = {"DASHBOARD_RBAC": True, "ENABLE_TEMPLATE_PROCESSING": True}

# Titles and columns are translated when they are imported (provision.py); this is Superset's own.
if os.environ.get("SUPERSET_LANGUAGE") == "es":
    BABEL_DEFAULT_LOCALE = "es"
    LANGUAGES = {"es": {"flag": "es", "name": "Español"}, "en": {"flag": "us", "name": "English"}}

# No data cache (the default): each refresh asks Druid.

# A browser sends six queries at once; on a busy machine the last of sixteen waited for longer than the minute it is given.
SUPERSET_WEBSERVER_TIMEOUT = 115

# The columns with a user's label; the first that a row has counts.
LABEL_COLUMNS = os.environ.get("SUPERSET_LABEL_COLUMN", "").replace(",", " ").split() or ["mbti_personality", "label"]
# The datasource of the dashboard "Events live", and its columns; without them they are found.
EVENTS_DATASOURCE = os.environ.get("SUPERSET_EVENTS_DATASOURCE", "")
EVENTS_NAMED = {what: os.environ.get(f"SUPERSET_EVENTS_{what.upper()}", "") for what in ("time", "key", "kind")}
# The tweet of `tweetblast doctor`.
MARKER = "marker of tweetblast doctor"
ROUTER = f"http://{os.environ['DRUID_ROUTER_ADDRESS']}/druid"
COLUMNS_SQL = "SELECT TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'druid'"
TYPES_SQL = """SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS
 WHERE TABLE_SCHEMA = 'druid' ORDER BY TABLE_NAME, ORDINAL_POSITION"""
_answers: dict[tuple[str, str], tuple[float, object]] = {}
_events: dict[tuple[str, ...], EventSql] = {}
_asking: dict[tuple[str, str], threading.Lock] = collections.defaultdict(threading.Lock)


def ask(path: str, query: str = "") -> object:
    """An answer of Druid's, asked for at most every 5 s and once at a time: all charts of a dashboard ask at once."""
    key = (path, query)
    with _asking[key]:
        asked, found = _answers.get(key, (float("-inf"), None))
        if time.monotonic() - asked > 5:
            body = json.dumps({"query": query, "resultFormat": "array"}).encode() if query else None
            request = urllib.request.Request(f"{ROUTER}/{path}", body, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    found = json.load(answer)
            except urllib.error.HTTPError:
                raise
            except OSError as error:
                raise ConnectionError(f"Druid does not answer at {ROUTER}: docker/native/stack status says what is down") from error
            _answers[key] = (time.monotonic(), found)
        return found


def druid(query: str) -> list[list]:
    """Rows of a query of our own."""
    return ask("v2/sql", query)


def ingestion(name: str = "tweets") -> dict[str, int]:
    """What a supervisor knows and no SQL does: messages that are in Kafka and not read yet (as of its last look, which is
    up to 5 s ago), and what its tasks of now have rejected."""
    supervisor = f"indexer/v1/supervisor/{name}"
    try:
        lag = ask(f"{supervisor}/status")["payload"].get("aggregateLag") or 0
        tasks = [task for group in ask(f"{supervisor}/stats").values() for task in group.values()]
    except urllib.error.HTTPError:
        return {"lag": 0, "unparseable": 0, "thrown_away": 0}
    totals = [task.get("totals", {}).get("buildSegments", {}) for task in tasks]
    return {
        "lag": lag,
        "unparseable": sum(total.get("unparseable", 0) for total in totals),
        "thrown_away": sum(total.get("thrownAway", 0) for total in totals),
    }


def known(table: str, name: str) -> bool:
    """Whether a replay has brought this column yet: --enrich adds some. Druid refuses a query that names another."""
    return [table, name] in druid(COLUMNS_SQL)


def column(sql_type: str, name: str, alias: str = "", table: str = "tweets") -> str:
    """The column of the table, which the query calls `alias`, or NULL."""
    if not known(table, name):
        return f"CAST(NULL AS {sql_type})"
    return f'"{alias}"."{name}"' if alias else f'"{name}"'


def any_of(sql_type: str, *names: str, alias: str = "", table: str = "tweets") -> str:
    """SQL for the first of these columns that has a value in the row, or NULL: then the charts say that there are no data."""
    there = [f"CAST({column(sql_type, name, alias, table)} AS {sql_type})" for name in names if known(table, name)]
    return f"COALESCE({', '.join(there)})" if len(there) > 1 else "".join(there) or f"CAST(NULL AS {sql_type})"


def account(alias: str = "") -> str:
    """Who wrote a tweet: by name, or else by number."""
    return f"COALESCE({column('VARCHAR', 'screen_name', alias)}, CAST({column('BIGINT', 'user_id', alias)} AS VARCHAR))"


def no_marker(alias: str = "") -> str:
    """The condition that a row is none of doctor's."""
    tweet = column("VARCHAR", "tweet", alias)
    return f"({tweet} IS NULL OR {tweet} <> '{MARKER}')"


def newest_runs(most: int = 5) -> list[str]:
    """Of more a chart with a line for each would say nothing. Never empty, as an empty list is no SQL."""
    query = f'SELECT "run" FROM "tweets" WHERE {no_marker()} GROUP BY 1 ORDER BY 1 DESC LIMIT {most}'
    return [row[0] for row in (druid(query) if known("tweets", "run") else [])] or [""]


def events() -> EventSql:
    """The datasource of events and its columns: the one that is named, else `events`, else the first that is none of
    tweets."""
    tables: dict[str, dict[str, str]] = collections.defaultdict(dict)
    for table, name, kind in druid(TYPES_SQL):
        tables[table][name] = kind
    others = [table for table, types in tables.items() if {"run", "seq"} <= set(types) and "tweet" not in types]
    table = EVENTS_DATASOURCE or ("events" if "events" in tables or not others else others[0])
    types = dict(tables.get(table, {}))
    key = (table, *types)
    # A kind is not known while each column has the same value in all rows.
    if key not in _events or not _events[key].kind:
        _events[key] = EventSql(table, types, EVENTS_NAMED, druid)
    return _events[key]


def newest_run() -> str:
    """Of the events; empty before the first."""
    found = events()
    rows = druid(f'SELECT {found.own("run")} FROM {found.source()} GROUP BY 1 ORDER BY 1 DESC LIMIT 1') if found.types else []
    return (rows[0][0] if rows else "") or ""


def users_table() -> str:
    """The datasource with a row for each user of --enrich, those without a tweet too; where there is none, the tweets."""
    return "tweets_users" if known("tweets_users", "user_id") else "tweets"


JINJA_CONTEXT_ADDONS = {
    "account": account, "any_of": any_of, "column": column, "events": events, "ingestion": ingestion,
    "label_columns": LABEL_COLUMNS, "newest_run": newest_run, "newest_runs": newest_runs, "no_marker": no_marker,
    "users_table": users_table,
}  # fmt: skip
