"""What each chart of the dashboards shows and, by SQL of our own, has to show: as numbers by name, for `check`."""

from datetime import datetime

from druid import Druid

FIVE_MINUTES = "Tweets per second, last 5 minutes"
WHOLE_RUN = "Tweets per second, whole run"
LATEST = "Latest tweets"
BY_HOUR = "Tweets by hour (written, else replayed)"
ENGAGED = "Five most engaged users"
# For users, hashtags and languages these have bars for the ten with the most tweets.
TOP_TEN = ("Top users", "Hashtags", "Languages")

ACCOUNT = 'COALESCE("screen_name", CAST("user_id" AS VARCHAR))'
# Column whose value a click selects -> which tweets have that value.
CHOSEN = {
    "account": f"{ACCOUNT} = ?",
    "hashtags": 'MV_CONTAINS("hashtags", ?)',
    "lang": '"lang" = ?',
    "second_replayed": """TIME_FLOOR("__time", 'PT1S') = TIME_PARSE(?)""",
}


def milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)


def shown(chart: dict) -> dict:
    """The figures of a chart, from the answers it was drawn from."""
    name, queries = chart["name"], chart["rows"]
    rows = queries[0]
    if name == "Tweets":
        return {"count": queries[1][0]["count"]}
    if name == FIVE_MINUTES:
        return {row["__time"]: row["count"] for row in rows if row["count"] and row["__time"] >= first_second(chart)}
    if name == WHOLE_RUN:
        return {row["__time"]: round(row["tweets_per_second_30"] * 30) for row in rows}
    if name == LATEST:
        places = {f"second of row {place}": milliseconds(row["second_replayed"]) for place, row in enumerate(rows)}
        return {"count": queries[1][0]["rowcount"], **places}
    if name == BY_HOUR:
        return {f"{row['weekday_written']} {row['hour_written']}": row["count"] for row in rows}
    if name == "Tweets by label":
        return {row["label"]: row["tweets_sum"] for row in rows}
    if name == ENGAGED:
        return {str(place): row["engagement"] for place, row in enumerate(rows, 1)}
    # Bars, each a separate series: a row has the name, the figure of that name, and no figure for all others.
    bars = (list(row.values()) for row in rows)
    return {name: int(next(figure for figure in figures if figure is not None)) for name, *figures in bars}


def first_second(chart: dict) -> int:
    """The first whole second of the chart's own time range."""
    return (chart["since"] or 0) + 1000


def live(druid: Druid, column: str | None = None, value: str = "") -> dict[str, dict]:
    """The figures of "Tweets live", of those tweets of the run that have this value."""
    where, values = '"run" = ?', [druid.run]
    if column:
        where, values = f"{where} AND {CHOSEN[column]}", [druid.run, value]

    def by(key: str, more: str = "") -> dict:
        return dict(druid.sql(f'SELECT {key}, COUNT(*) FROM "tweets" WHERE {where} {more} GROUP BY 1', *values))

    def floored(width: str) -> str:
        return f"""TIMESTAMP_TO_MILLIS(TIME_FLOOR("__time", '{width}'))"""

    count = druid.sql(f'SELECT COUNT(*) FROM "tweets" WHERE {where}', *values)[0][0]
    latest = druid.sql(f'SELECT "__time" FROM "tweets" WHERE {where} ORDER BY "__time" DESC LIMIT 20', *values)
    return {
        "Tweets": {"count": count},
        FIVE_MINUTES: by(floored("PT1S"), """AND "__time" > CURRENT_TIMESTAMP - INTERVAL '10' MINUTE"""),
        WHOLE_RUN: by(floored("PT30S")),
        LATEST: {
            "count": count,
            **{f"second of row {place}": milliseconds(row[0]) // 1000 * 1000 for place, row in enumerate(latest)},
        },
        "Top users": by(ACCOUNT),
        "Hashtags": by('"hashtags"', 'AND "hashtags" IS NOT NULL'),
        "Languages": by('"lang"', 'AND "lang" IS NOT NULL'),
        BY_HOUR: by("""TIME_FORMAT(COALESCE(TIME_PARSE("created_at"), "__time"), 'e EEE HH')"""),
    }


def by_label(druid: Druid, label: str, column: str | None = None, value: str = "") -> dict[str, dict]:
    """The figures of "Tweets by label", of the users that have this value, each user's totals counted once."""
    columns = druid.columns()
    table = "tweets_users" if ["tweets_users", "user_id"] in columns else "tweets"
    figures = {"Tweets by label": {}, "Favourites by label": {}, "Retweets by label": {}}

    def users(source: str, of_user: str, where: str, *values: str) -> list[list]:
        """The chosen users, each a row of account, label and what else is asked for."""
        rows = druid.sql(
            f'SELECT COALESCE(LATEST("screen_name", 64), CAST("user_id" AS VARCHAR)), "{label}", {of_user} FROM "{source}" '
            f'WHERE "{label}" IS NOT NULL AND {where} GROUP BY "user_id", "{label}" LIMIT 1000000',
            *values,
        )
        return [row for row in rows if column is None or row[["account", "label"].index(column)] == value]

    def add(chart: str, name: str, figure: int) -> None:
        figures[chart][name] = figures[chart].get(name, 0) + figure

    for _, name, tweets in users("tweets", "COUNT(*)", '"run" = ?', druid.run):
        add("Tweets by label", name, tweets)
    totals = ", ".join(
        f'COALESCE(MAX("{name}"), 0)' if [table, name] in columns else "0"
        for name in ("total_favorite_count", "total_retweet_count", "total_mentions_count")
    )
    chosen = users(table, totals, "TRUE")
    for _, name, favourites, retweets, _ in chosen:
        add("Favourites by label", name, favourites)
        add("Retweets by label", name, retweets)
    together = sorted((sum(row[2:]) for row in chosen), reverse=True)[:5]
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
