"""What each chart of the dashboards shows and, by SQL of our own, has to show: as numbers by name, for `check`."""

import collections
from datetime import datetime

from druid import Druid

FIVE_MINUTES = "Tweets per second, last 5 minutes"
WHOLE_RUN = "Tweets per second, whole run"
LATEST = "Latest tweets"
BY_HOUR = "Tweets by hour (written, else replayed)"
RUNS = "Runs"
RUNS_COMPARED = "Runs compared"
DRUID_NOW = "Druid now"
ENGAGED = "Five most engaged users"
RESPONSES = "Tweets and their responses by label"
EVENTS_SENT = "Events per second, as sent"
EVENTS_WRITTEN = "Events per second, as written"
EVENTS_LATEST = "Latest events"
EVENTS_RUNS = "Runs of events"
EVENTS_COLUMNS = "What is shown"
# For users, hashtags and languages these have bars for the ten with the most tweets.
TOP_TEN = ("Top users", "Hashtags", "Languages", "Events by key", "Events by kind")

ACCOUNT = 'COALESCE("screen_name", CAST("user_id" AS VARCHAR))'
MENTIONS = """CHAR_LENGTH("tweet") - CHAR_LENGTH(REGEXP_REPLACE("tweet", '(?<![A-Za-z0-9_])@(?=[A-Za-z0-9_])', ''))"""
# Column whose value a click or a filter selects -> which tweets have that value; `label` is added by `chosen`.
CHOSEN = {
    "account": f"{ACCOUNT} = ?",
    "hashtags": 'MV_CONTAINS("hashtags", ?)',
    "lang": '"lang" = ?',
    "second_replayed": """TIME_FLOOR("__time", 'PT1S') = TIME_PARSE(?)""",
    "run": '"run" = ?',
}


def milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)


def shown(chart: dict) -> dict:
    """The figures of a chart, from the answers it was drawn from."""
    name, queries = chart["name"], chart["rows"]
    rows = queries[0]
    if name in ("Tweets", "Events"):
        return {"count": queries[1][0][name]}
    if name in (EVENTS_SENT, EVENTS_WRITTEN):
        bar = "sent_bar" if name == EVENTS_SENT else "written_bar"
        return {row[bar]: round(figure, 3) for row in rows for run, figure in row.items() if run != bar and figure is not None}
    if name == EVENTS_LATEST:
        places = {f"second of row {place}": milliseconds(row["second_sent"]) for place, row in enumerate(rows)}
        return {"count": queries[1][0]["rowcount"], **places}
    if name == EVENTS_RUNS:
        keys = ("Events", "Seconds", "Mean / s", "Missing", "Written to sent, s")
        return {f"{key} of {row['run']}": round(row[key], 3) for row in rows for key in keys}
    if name == EVENTS_COLUMNS:
        return {row[f"{what}_column"]: 1 for row in rows for what in ("time", "key", "kind")}
    if name == FIVE_MINUTES:
        return {row["__time"]: row["Tweets"] for row in rows if row["Tweets"] and row["__time"] >= first_second(chart)}
    if name == WHOLE_RUN:
        return {row["slot"]: round(row["Tweets / s"], 3) for row in rows}
    if name == LATEST:
        places = {f"second of row {place}": milliseconds(row["second_replayed"]) for place, row in enumerate(rows)}
        return {"count": queries[1][0]["rowcount"], **places}
    if name == BY_HOUR:
        return {f"{row['weekday_written']} {row['hour_written']}": row["Tweets"] for row in rows}
    if name == RUNS:
        keys = ("Tweets", "Seconds", "Mean / s", "Missing")
        return {f"{key} of {row['run']}": round(row[key], 3) for row in rows for key in keys}
    if name == DRUID_NOW:
        # What is not read yet changes with every look.
        return {key: figure for key, figure in rows[0].items() if key.startswith("Rejected")}
    if name == RUNS_COMPARED:
        return {
            f"{run} at {row['ten_seconds']}": round(figure, 3)
            for row in rows for run, figure in row.items() if run != "ten_seconds" and figure is not None
        }  # fmt: skip
    if name == ENGAGED:
        return {str(place): row["engagement"] for place, row in enumerate(rows, 1)}
    if name == RESPONSES:
        return {f"{key} of {row['label']}": row[key] for row in rows for key in ("Tweets", "Retweets", "Favourites", "Mentions")}
    # Bars, each a separate series: a row has the name, the figure of that name, and no figure for all others.
    bars = (list(row.values()) for row in rows)
    return {name: int(next(figure for figure in figures if figure is not None)) for name, *figures in bars}


def first_second(chart: dict) -> int:
    """The first whole second of the chart's own time range."""
    return (chart["since"] or 0) + 1000


def chosen(druid: Druid, label: str, column: str | None, value: str) -> tuple[str, list[str]]:
    """The condition for those tweets of the run that have this value, and its parameters."""
    if column is None:
        return '"run" = ?', [druid.run]
    of_label = f'"{label}" = ?' if ["tweets", label] in druid.columns() else "'no label' = ?"
    return f'"run" = ? AND {({**CHOSEN, "label": of_label})[column]}', [druid.run, value]


def live(druid: Druid, label: str, column: str | None = None, value: str = "") -> dict[str, dict]:
    """The figures of "Tweets live", of those tweets of the run that have this value."""
    where, values = chosen(druid, label, column, value)

    def by(key: str, more: str = "") -> dict:
        return dict(druid.sql(f'SELECT {key}, COUNT(*) FROM "tweets" WHERE {where} {more} GROUP BY 1', *values))

    first, last, most = druid.sql(
        'SELECT TIMESTAMP_TO_MILLIS(MIN("__time")), TIMESTAMP_TO_MILLIS(MAX("__time")), MAX("seq") + 1 - COUNT(*) '
        'FROM "tweets" WHERE "run" = ?', druid.run,
    )[0]  # fmt: skip

    def rates(counts: dict[int, int]) -> dict[int, float]:
        """Tweets per second of the part of each ten seconds that the run has covered, of which there are 2 s, or all."""
        covered = {slot: min(last, slot + 10_000) - max(first, slot) for slot in counts}
        least = min(2_000, last - first)
        return {slot: count * 1000 / max(covered[slot], 1000) for slot, count in counts.items() if covered[slot] >= least}

    slots = by("""TIMESTAMP_TO_MILLIS(TIME_FLOOR("__time", 'PT10S'))""")
    tens = by(f"""(TIMESTAMP_TO_MILLIS("__time") - {first}) / 10000 * 10""")
    count = druid.sql(f'SELECT COUNT(*) FROM "tweets" WHERE {where}', *values)[0][0]
    latest = druid.sql(f'SELECT "__time" FROM "tweets" WHERE {where} ORDER BY "__time" DESC LIMIT 20', *values)
    run = {"Tweets": count, "Seconds": (last - first) / 1000, "Mean / s": count * 1000 / max(last - first, 1000), "Missing": most}
    return {
        "Tweets": {"count": count},
        FIVE_MINUTES: {
            second: count
            for second, count in by("""TIMESTAMP_TO_MILLIS(TIME_FLOOR("__time", 'PT1S'))""").items()
            if second < last // 1000 * 1000
        },
        WHOLE_RUN: {slot: round(rate, 3) for slot, rate in rates(slots).items()},
        LATEST: {
            "count": count,
            **{f"second of row {place}": milliseconds(row[0]) // 1000 * 1000 for place, row in enumerate(latest)},
        },
        "Top users": by(ACCOUNT),
        "Hashtags": by('"hashtags"', 'AND "hashtags" IS NOT NULL'),
        "Languages": by('"lang"', 'AND "lang" IS NOT NULL'),
        BY_HOUR: by("""TIME_FORMAT(COALESCE(TIME_PARSE("created_at"), "__time"), 'e EEE HH')"""),
        RUNS: {f"{key} of {druid.run}": round(figure, 3) for key, figure in run.items()} if count else {},
        DRUID_NOW: druid.rejected(),
        RUNS_COMPARED: {f"{druid.run} at {at}": round(rate, 3) for at, rate in since_start(tens, first, last).items()},
    }


def events(druid: Druid, columns: dict[str, str], column: str | None = None, value: str = "") -> dict[str, dict]:
    """The figures of "Events live" of a run, counted here from those rows that have this value; `columns` names the one with
    the `time`, in ISO 8601, the `key` and the `kind`."""
    names = ", ".join(f'"{columns[what]}"' for what in ("time", "key", "kind"))
    every = druid.sql(
        f'SELECT TIMESTAMP_TO_MILLIS("__time"), "seq", {names} FROM "{druid.table}" WHERE "run" = ?', druid.run
    )  # fmt: skip
    chosen = {
        None: lambda row: True,
        "run": lambda row: True,
        "event_key": lambda row: row[3] == value,
        "event_kind": lambda row: row[4] == value,
        "second_sent": lambda row: row[0] // 1000 == milliseconds(value) // 1000,
    }[column]
    rows = list(filter(chosen, every))
    sent = [row[0] for row in rows]
    written = [milliseconds(row[2]) for row in rows]
    whole_sent, whole_written = [row[0] for row in every], [milliseconds(row[2]) for row in every]
    seconds = (max(whole_sent) - min(whole_sent)) / 1000
    mean = len(rows) / max(seconds, 1)
    late = sum(one - other for one, other in zip(sent, written)) / len(rows) / 1000
    run = {"Events": len(rows), "Seconds": seconds, "Mean / s": mean, "Written to sent, s": late}
    run["Missing"] = max(row[1] for row in every) + 1 - len(every)
    seconds_of = {f"second of row {place}": ms // 1000 * 1000 for place, ms in enumerate(sorted(sent, reverse=True)[:10])}
    return {
        "Events": {"count": len(rows)},
        EVENTS_SENT: bars(sent, whole_sent),
        EVENTS_WRITTEN: bars(written, whole_written),
        EVENTS_LATEST: {"count": len(rows), **seconds_of},
        "Events by key": collections.Counter(row[3] for row in rows if row[3] is not None),
        "Events by kind": collections.Counter(row[4] for row in rows if row[4] is not None),
        EVENTS_RUNS: {f"{key} of {druid.run}": round(figure, 3) for key, figure in run.items()},
        EVENTS_COLUMNS: {columns[what]: 1 for what in ("time", "key", "kind")},
    }


def bars(times: list[int], of_run: list[int]) -> dict[int, float]:
    """Events per second by the start of each bar, but for the last one of the run if there are several."""
    first, last = min(of_run), max(of_run)
    span_s = (last - first) / 1000
    steps = ((300, 1), (1_500, 5), (3_000, 10), (18_000, 60), (90_000, 300), (1_080_000, 3_600), (6_480_000, 21_600))
    width = 1000 * next((width for below, width in steps if span_s < below), 86_400 if span_s < 31_622_400 else 604_800)
    counts = collections.Counter(first + (time - first) // width * width for time in times)
    if last - first >= width:
        counts.pop(first + (last - first) // width * width, None)
    return {start: round(count * 1000 / width, 3) for start, count in counts.items()}


def most_frequent_event(druid: Druid, columns: dict[str, str]) -> dict[str, str]:
    """The most frequent key and kind of this run."""
    most = {}
    for what in ("key", "kind"):
        name = f'"{columns[what]}"'
        rows = druid.sql(
            f'SELECT {name}, COUNT(*) FROM "{druid.table}" WHERE "run" = ? AND {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
            druid.run,
        )
        most |= {f"event_{what}": value for value, _ in rows}
    return most


def most_frequent(druid: Druid, label: str) -> dict[str, str]:
    """A value to choose for each column that has one in this run."""
    columns = {"lang": '"lang"', "account": ACCOUNT, "hashtags": '"hashtags"'}
    if ["tweets", label] in druid.columns():
        columns["label"] = f'"{label}"'
    most = {}
    for column, key in columns.items():
        where = f'"run" = ? AND {key} IS NOT NULL'
        for value, _ in druid.sql(f'SELECT {key}, COUNT(*) FROM "tweets" WHERE {where} GROUP BY 1 ORDER BY 2 DESC LIMIT 1', druid.run):
            most[column] = value
    return most


def since_start(tens: dict[int, int], first: int, last: int) -> dict[int, float]:
    """Tweets per second by tens of seconds since the start, of which the last is as long as the run has covered it."""
    covered = {at: min(last, first + at * 1000 + 10_000) - (first + at * 1000) for at in tens}
    least = min(2_000, last - first)
    return {at: count * 1000 / max(covered[at], 1000) for at, count in tens.items() if covered[at] >= least}


def by_label(druid: Druid, label: str, column: str | None = None, value: str = "") -> dict[str, dict]:
    """The figures of "Tweets by label", of the users that have this value, each user's totals counted once."""
    columns = druid.columns()
    table = "tweets_users" if ["tweets_users", "user_id"] in columns else "tweets"
    where, values = chosen(druid, label, column, value)

    def own(name: str) -> str:
        return f'COALESCE(SUM("{name}"), 0)' if ["tweets", name] in columns else "0"

    sums = f'{own("retweet_count")}, {own("favorite_count")}, COALESCE(SUM({MENTIONS}), 0)'
    rows = druid.sql(
        f'SELECT "{label}", COUNT(*), {sums} FROM "tweets" WHERE {where} AND "{label}" IS NOT NULL GROUP BY 1', *values
    )
    keys = ("Tweets", "Retweets", "Favourites", "Mentions")
    figures = {
        "Tweets by label": {row[0]: row[1] for row in rows},
        RESPONSES: {f"{key} of {row[0]}": figure for row in rows for key, figure in zip(keys, row[1:])},
    }
    totals = {"Favourites by label": "total_favorite_count", "Retweets by label": "total_retweet_count"}
    totals["Mentions by label"] = "total_mentions_count"
    each = ", ".join(f'COALESCE(MAX("{name}"), 0)' if [table, name] in columns else "0" for name in totals.values())
    authors = {row[0] for row in druid.sql(f'SELECT CAST("user_id" AS VARCHAR) FROM "tweets" WHERE {where} GROUP BY 1', *values)}
    users = druid.sql(
        f'SELECT CAST("user_id" AS VARCHAR), "{label}", {each} FROM "{table}" WHERE "{label}" IS NOT NULL '
        f'GROUP BY "user_id", "{label}" LIMIT 1000000'
    )
    users = [row for row in users if row[0] in authors]
    for place, chart in enumerate(totals, 2):
        figures[chart] = {}
        for row in users:
            figures[chart][row[1]] = figures[chart].get(row[1], 0) + row[place]
    together = sorted((sum(row[2:]) for row in users), reverse=True)[:5]
    figures[ENGAGED] = {str(place): figure for place, figure in enumerate(together, 1)}
    return figures


def differences(what: str, shown: dict, least: dict, most: dict) -> list[str]:
    """Figures only grow while rows arrive: each must lie between two readings, which are the same when none do."""
    return [
        f"{key} of {name}: shown {shown.get(key, {}).get(name)}, {what} {least[key].get(name)} to {most[key].get(name)}"
        for key in most
        for name in sorted({*most[key], *shown.get(key, {})})
        if not least[key].get(name, 0) <= shown.get(key, {}).get(name, 0) <= most[key].get(name, -1)
    ]


def fault(chart: dict, may_be_empty: bool) -> str | None:
    """What is wrong with a chart whatever its figures are."""
    if chart["alert"]:
        return " ".join(chart["alert"].split())
    if chart["loading"] or chart["rows"] is None:
        return "not drawn in time"
    if chart["empty"] or not any(chart["rows"]):
        return None if may_be_empty else "no data"
    return None if chart["drawn"] else "has data and shows nothing"


def wanted(chart: dict, figures: dict) -> dict:
    """Of all figures by name those that the chart has room for; of equal ones those that it shows."""
    if chart["name"] == FIVE_MINUTES:
        return {second: count for second, count in figures.items() if second >= first_second(chart)}
    if chart["name"] not in TOP_TEN:
        return figures
    seen = shown(chart)
    return dict(sorted(figures.items(), key=lambda item: (-item[1], item[0] not in seen))[:10])


def problems_of(charts: list[dict], expected: dict[str, dict]) -> list[str]:
    """Where the charts do not show the expected figures; no figures at all may be shown as "no results"."""
    problems = []
    for chart in charts:
        name = chart["name"]
        want = wanted(chart, expected[name]) if chart["rows"] else {}
        wrong = fault(chart, may_be_empty=not any(want.values()))
        if wrong:
            problems.append(f"{name}: {wrong}")
        elif chart["rows"]:
            problems += differences("in Druid", {name: shown(chart)}, {name: want}, {name: want})[:3]
    return problems
