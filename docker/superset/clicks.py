"""Real clicks on the marks of every chart, for `check`: what the page shows then against SQL, and again after a second click.

Where a click is to change nothing, that is looked at too. The filters are set and cleared by hand likewise. The run that is
chosen must be over; others may go on beside it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from browser import ENGLISH, Browser
from charts import (
    BY_HOUR, DRUID_NOW, ENGAGED, EVENTS_COLUMNS, EVENTS_LATEST, EVENTS_RUNS, EVENTS_SENT, EVENTS_WRITTEN, FIVE_MINUTES, LATEST,
    RESPONSES, RUNS, RUNS_COMPARED, WHOLE_RUN, problems_of,
)  # fmt: skip
from selenium.webdriver.common.action_chains import ActionChains

AGREE_S = 120
HEARD_S = 30  # On a busy machine a click has taken 10 s to show, and the next one then took it back.
NOTHING_S = 0.8  # Superset waits 0.3 s for a second click before it filters; two within 0.5 s are a double click.

# ECharts draws the chart, and only React knows its object. Its marks, the largest first: the name of each, where it is on
# the page, and whether a click there meets it now (it may still be moving there).
MARKS = """
const box = document.querySelector(`[data-test-chart-id="${arguments[0]}"] [_echarts_instance_]`);
let fiber = box && box[Object.keys(box).find(key => key.startsWith('__reactFiber$'))];
let drawing = null;
for (; fiber && !drawing; fiber = fiber.return) {
  let hook = fiber.memoizedState;
  for (; hook && typeof hook === 'object' && 'next' in hook && !drawing; hook = hook.next) {
    if (hook.memoizedState?.current?.getZr) drawing = hook.memoizedState.current;
  }
}
if (!drawing) return [];
const marks = [], edge = box.getBoundingClientRect();
drawing.getModel().getSeries().forEach((series, index) => {
  const data = series.getData();
  for (let place = 0; place < data.count(); place++) {
    const element = data.getItemGraphicEl(place), layout = data.getItemLayout(place);
    const mark = {name: data.getName(place), size: 0, hit: true};
    if (series.subType === 'line') {
      mark.name = series.name;
      [mark.x, mark.y] = drawing.convertToPixel({seriesIndex: index}, data.getRawDataItem(place));
    } else if (!element) {
      continue;
    } else {
      const area = layout?.width === undefined ? element.getBoundingRect() : layout;
      mark.x = area.x + area.width / 2;
      mark.y = area.y + area.height / 2;
      mark.size = Math.abs(area.width * area.height);
    }
    if (element && mark.size) {
      let met = drawing.getZr().handler.findHover(mark.x, mark.y).target;
      while (met && met !== element) met = met.parent;
      mark.hit = met === element;
    }
    marks.push({...mark, x: edge.left + mark.x, y: edge.top + mark.y});
  }
});
return marks.sort((one, other) => other.size - one.size);
"""

# The middle of a table's first cell under one of these headers; null while the table is drawn.
CELL = """
const chart = document.querySelector(`[data-test-chart-id="${arguments[0]}"]`);
const words = cell => cell.innerText.trim().replace(/\\s+/g, ' ');
const place = [...chart.querySelectorAll('thead th')].findIndex(cell => arguments[1].includes(words(cell)));
const box = chart.querySelectorAll('tbody tr td')[place]?.getBoundingClientRect();
return box && [box.left + box.width / 2, box.top + box.height / 2];
"""


@dataclass(frozen=True)
class Target:
    """Where to click; `column` is what the click chooses a value of, None where it is to change nothing."""

    chart: str
    column: str | None
    header: str | None = None  # In a table: the column to click in, in its first row.

    @property
    def place(self) -> str:
        return f"{self.chart}, {self.header}" if self.header else self.chart


# First those that change nothing.
TARGETS = {
    "tweets": [
        Target("Tweets", None),
        Target(FIVE_MINUTES, None),
        Target(WHOLE_RUN, None),
        Target(BY_HOUR, None),
        Target(DRUID_NOW, None, "Rejected, unparseable"),
        Target(RUNS_COMPARED, "run"),
        Target(RUNS, "run", "Run"),
        Target(LATEST, "second_replayed", "Replayed (UTC)"),
        Target("Top users", "account"),
        Target("Hashtags", "hashtags"),
        Target("Languages", "lang"),
    ],
    "labels": [
        Target(ENGAGED, None, "Together"),
        Target(ENGAGED, "account", "User"),
        Target(RESPONSES, "label", "Label"),
        Target("Tweets by label", "label"),
        Target("Favourites by label", "label"),
        Target("Retweets by label", "label"),
        Target("Mentions by label", "label"),
    ],
    "events": [
        Target("Events", None),
        Target(EVENTS_COLUMNS, None, "Key is"),
        Target(EVENTS_LATEST, None, "Event"),
        Target(EVENTS_SENT, "run"),
        Target(EVENTS_WRITTEN, "run"),
        Target(EVENTS_RUNS, "run", "Run"),
        Target(EVENTS_LATEST, "second_sent", "Sent (UTC)"),
        Target(EVENTS_LATEST, "event_key", "Key"),
        Target("Events by key", "event_key"),
        Target("Events by kind", "event_kind"),
    ],
}
# Each filter with its column.
OF_TWEETS = {"language": "lang", "user": "account", "hashtag": "hashtags", "label": "label"}
FILTERS = {"tweets": OF_TWEETS, "labels": OF_TWEETS, "events": {"key": "event_key", "kind": "event_kind"}}


class Clicks:
    """`expected(column, value)` gives the figures of all charts by SQL, without arguments those of the whole run."""

    def __init__(self, browser: Browser, expected: Callable[..., dict[str, dict]]) -> None:
        self.browser, self.expected = browser, expected
        self.whole = expected()
        self.done = 0

    def everywhere(self, dashboard: str, every_bar: bool) -> list[str]:
        """What went wrong, up to the first click that did."""
        targets = TARGETS[dashboard]
        names = {chart["name"] for chart in self.browser.charts()}
        if names != {target.chart for target in targets}:
            return [f"charts without a click, or clicks without a chart: {names ^ {target.chart for target in targets}}"]
        for target in targets:
            each = every_bar and target.column and not target.header and target.column != "run"
            for bar in [mark["name"] for mark in self.marks(target)] if each else [None]:
                problems = self.once(target, bar)
                if problems:
                    return [f"after a click on {bar or 'the first'} of {target.place}: {problem}" for problem in problems]
        return []

    def once(self, target: Target, bar: str | None) -> list[str]:
        chart = next(chart for chart in self.browser.charts() if chart["name"] == target.chart)
        if not any(chart["rows"]):
            print(f"  there is nothing to click on in {target.place}")
            return []
        point, value = self.cell(chart, target) if target.header else self.mark(target, bar)
        if point is None:
            return ["no mark was found"]
        if target.column is None:
            self.click(*point)
            time.sleep(NOTHING_S)
            chips = self.browser.chips()
            problems = [f"the dashboard is filtered by {chips}"] if chips else self.agree(self.whole, [])
            if not problems:
                print(f"  a click on {target.place} changes nothing")
            return problems
        filtered = self.expected(target.column, value)
        filtered[target.chart] = self.whole[target.chart]
        chip = value[11:19] if target.column in ("second_replayed", "second_sent") else value
        self.click_until(point, [chip])
        problems = self.agree(filtered, [chip])
        if not problems:
            time.sleep(NOTHING_S)
            self.click_until(point, [])
            problems = [f"and a second click: {problem}" for problem in self.agree(self.whole, [])]
        if not problems:
            self.done += 1
            print(f"  a click on {value} of {target.place} filters by {target.column}, and a second one no more", flush=True)
        return problems

    def filters(self, dashboard: str, values: dict[str, str]) -> list[str]:
        """Sets each filter to one value and clears it again; `values` by column."""
        for name, column in FILTERS[dashboard].items():
            value = values.get(column)
            if value is None:
                print(f"  there is nothing to choose in the filter {name}")
                continue
            expected = self.expected(column, value)
            if name == "hashtag" and "Hashtags" in expected:
                # By "hashtags" = X Druid takes the column for that constant: the others of the same tweets have no bar.
                expected["Hashtags"] = {value: expected["Hashtags"][value]}
            self.browser.choose(name, value)
            problems = self.agree(expected, [])
            if not problems:
                self.browser.clear(name)
                problems = [f"and cleared: {problem}" for problem in self.agree(self.whole, [])]
            if problems:
                return [f"with {value} in the filter {name}: {problem}" for problem in problems]
            self.done += 1
            print(f"  the filter {name} shows {value} alone, and cleared all again", flush=True)
        return []

    def agree(self, expected: dict[str, dict], chips: list[str]) -> list[str]:
        """Waits until all charts show these figures, and the bar these filters."""
        end = time.monotonic() + AGREE_S
        while True:
            problems = problems_of(self.browser.charts(), expected)
            if self.browser.chips() != chips:
                problems.insert(0, f"the filters are {self.browser.chips()} and not {chips}")
            if not problems or time.monotonic() > end:
                return problems
            time.sleep(0.2)

    def marks(self, target: Target) -> list[dict]:
        chart = next(chart for chart in self.browser.charts() if chart["name"] == target.chart)
        return self.browser.driver.execute_script(MARKS, chart["id"])

    def mark(self, target: Target, bar: str | None) -> tuple[tuple[float, float] | None, str]:
        """The named mark, or the largest."""
        end = time.monotonic() + 5
        while True:
            mark = next((mark for mark in self.marks(target) if bar in (None, mark["name"])), None)
            if mark and mark["hit"]:
                return (mark["x"], mark["y"]), mark["name"]
            if time.monotonic() > end:
                return None, ""
            time.sleep(0.1)

    def cell(self, chart: dict, target: Target) -> tuple[tuple[float, float] | None, str]:
        headers = [target.header, *(word for word, name in ENGLISH.items() if name == target.header)]
        value = str(chart["rows"][0][0].get(target.column)) if target.column else ""
        end = time.monotonic() + 5
        while True:
            place = self.browser.driver.execute_script(CELL, chart["id"], headers)
            if place or time.monotonic() > end:
                return place and tuple(place), value
            time.sleep(0.1)

    def click_until(self, point: tuple[float, float], chips: list[str]) -> None:
        """Clicks until the bar has these filters, at most three times: a chart that is drawn again just then hears no click."""
        for _ in range(3):
            self.click(*point)
            end = time.monotonic() + HEARD_S
            while time.monotonic() < end:
                if self.browser.chips() == chips:
                    return
                time.sleep(0.1)

    def click(self, x: float, y: float) -> None:
        actions = ActionChains(self.browser.driver, duration=50)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.click()
        actions.perform()
