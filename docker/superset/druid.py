"""Druid's SQL, for what `check` compares the dashboards with."""

import json
import urllib.error
import urllib.request


class Refused(SystemExit):
    """No answer, or an error in its place; ends the check where nothing catches it."""


class Druid:
    """The rows of one run in a datasource, and what its supervisor says."""

    def __init__(self, router: str, run: str, table: str = "tweets") -> None:
        self.router, self.run, self.table = router, run, table

    def sql(self, query: str, *values: str) -> list[list]:
        body = json.dumps({
            "query": query,
            "resultFormat": "array",
            "parameters": [{"type": "VARCHAR", "value": value} for value in values],
            "context": {"useApproximateTopN": False},
        }).encode()
        request = urllib.request.Request(f"{self.router}/druid/v2/sql", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"Druid refused {query}: {error.read().decode()[:500]}") from None
        except OSError as error:
            raise Refused(f"Druid does not answer at {self.router}: {error}") from None

    def count(self) -> int:
        return self.sql(f'SELECT COUNT(*) FROM "{self.table}" WHERE "run" = ?', self.run)[0][0]

    def columns(self) -> list[list]:
        """Each datasource with each of its columns."""
        return self.sql("SELECT TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'druid'")

    def rejected(self) -> dict[str, int]:
        """What the tasks that read the topic now could not take, as they say themselves."""
        with urllib.request.urlopen(f"{self.router}/druid/indexer/v1/supervisor/{self.table}/stats", timeout=60) as answer:
            tasks = [task for group in json.load(answer).values() for task in group.values()]
        totals = [task.get("totals", {}).get("buildSegments", {}) for task in tasks]
        kinds = {"Rejected, unparseable": "unparseable", "Rejected, too old or too new": "thrownAway"}
        return {name: sum(total.get(key, 0) for total in totals) for name, key in kinds.items()}
