"""Superset's settings for one machine: SQLite, no Redis, no Celery; anyone who reaches the port may look."""

import json
import os
import time
import urllib.request

HOME = os.environ["SUPERSET_HOME"]
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/superset.db?check_same_thread=false"

# The built-in minimal role for visitors without a login, and dashboards that name the roles that see them. Templates
# are for the dataset `users`: its SQL is ours, and visitors cannot write any.
PUBLIC_ROLE_LIKE = "Public"
FEATURE_FLAGS = {"DASHBOARD_RBAC": True, "ENABLE_TEMPLATE_PROCESSING": True}

# No data cache (the default): each refresh asks Druid.

# The columns with a user's label; the first that a row has counts.
LABEL_COLUMNS = os.environ.get("SUPERSET_LABEL_COLUMN", "").replace(",", " ").split() or ["mbti_personality", "label"]
ROUTER = f"http://{os.environ['DRUID_ROUTER_ADDRESS']}/druid/v2/sql"
COLUMNS_SQL = "SELECT TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'druid'"
_columns: tuple[float, set[tuple[str, str]]] = (float("-inf"), set())


def known_columns() -> set[tuple[str, str]]:
    """Datasources and their columns as of now, asked at most every 3 s: --enrich adds some."""
    global _columns
    if time.monotonic() - _columns[0] > 3:
        body = json.dumps({"query": COLUMNS_SQL, "resultFormat": "array"}).encode()
        request = urllib.request.Request(ROUTER, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            _columns = (time.monotonic(), {(row[0], row[1]) for row in json.load(answer)})
    return _columns[1]


def any_of(sql_type: str, *names: str, table: str = "tweets") -> str:
    """SQL for the first of these columns that has a value in the row. Druid refuses a query that names a column which no
    replay has brought yet, so those are left out; without any it is NULL, and the charts say that there are no data."""
    there = [f'CAST("{name}" AS {sql_type})' for name in names if (table, name) in known_columns()]
    return f"COALESCE({', '.join(there)})" if len(there) > 1 else "".join(there) or f"CAST(NULL AS {sql_type})"


def users_table() -> str:
    """The datasource with a row for each user of --enrich, those without a tweet too; where there is none, the tweets."""
    return "tweets_users" if ("tweets_users", "user_id") in known_columns() else "tweets"


JINJA_CONTEXT_ADDONS = {"any_of": any_of, "label_columns": LABEL_COLUMNS, "users_table": users_table}
