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
HEARD_S = 5  # A busy page takes a press and its release in turn with all else; Superset's own 0.3 s come after that.
SHOWN_S = 20  # Until its next answer a chart knows nothing of the filter that it set, and a click sets the same once more.
APART_S = 0.8  # Superset waits 0.3 s for a second click before it filters; two within 0.5 s are a double click.

# ECharts draws the chart, and only React knows its object.
DRAWING = """
const box_of = chart => document.querySelector(`[data-test-chart-id="${chart}"] [_echarts_instance_]`);
const drawing_in = box => {
  let fiber = box && box[Object.keys(box).find(key => key.startsWith('__reactFiber$'))];
  for (; fiber; fiber = fiber.return) {
    let hook = fiber.memoizedState;
    for (; hook && typeof hook === 'object' && 'next' in hook; hook = hook.next) {
      if (hook.memoizedState?.current?.getZr) return hook.memoizedState.current;
    }
  }
  return null;
};
"""

# A chart's marks, the largest first: the name of each, where it is on the page, and whether a click there meets it now (it
# may still be moving there).
MARKS = DRAWING + """
const box = box_of(arguments[0]), drawing = drawing_in(box);
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

# Listens for one click: `heard` says later whether it met a mark, or a cell of a table. A chart that is drawn anew between
# press and release makes no click of them. The drawing is looked for at the press, since it may be another one by then.
LISTEN = DRAWING + """
const chart = arguments[0];
window.heard = {};
const heard = window.heard;
document.addEventListener('mousedown', () => {
  drawing_in(box_of(chart))?.getZr().on('click', event => Object.assign(heard, {click: true, mark: Boolean(event.target)}));
}, {capture: true, once: true});
document.addEventListener('click', event => {
  // A cell that filters nothing lets clicks through to its table.
  if (event.target.closest('table')) Object.assign(heard, {click: true, mark: Boolean(event.target.closest('td'))});
}, {capture: true, once: true});
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

    def chip(self, value: str) -> str:
        """A value as the filter bar shows it."""
        return value[11:19] if self.column in ("second_replayed", "second_sent") else value


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
            for bar in self.names_of_marks(target.chart) if each else [None]:
                problems = self.once(target, bar)
                if problems:
                    return [f"after a click on {bar or 'the first'} of {target.place}: {problem}" for problem in problems]
        return []

    def once(self, target: Target, bar: str | None) -> list[str]:
        chart = next(chart for chart in self.browser.charts() if chart["name"] == target.chart)
        if not any(chart["rows"]):
            print(f"  there is nothing to click on in {target.place}")
            return []
        if target.column is None:
            if self.click(target, bar) is None:
                return [f"no click was heard in {AGREE_S} s"]
            time.sleep(APART_S)
            chips = self.browser.chips()
            problems = [f"the dashboard is filtered by {chips}"] if chips else self.agree(self.whole, [])
            if not problems:
                print(f"  a click on {target.place} changes nothing")
            return problems
        value = self.click_until(target, bar, chosen=True)
        if value is None:
            return [f"no mark heard a click in {AGREE_S} s, or none was heeded: the filters are {self.browser.chips()}"]
        filtered = self.expected(target.column, value)
        filtered[target.chart] = self.whole[target.chart]
        problems = self.agree(filtered, [target.chip(value)])
        if not problems:
            time.sleep(APART_S)
            self.click_until(target, value, chosen=False)
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
            shown = self.browser.chips()
            problems = [] if shown == chips else [f"the filters are {shown} and not {chips}"]
            is_last = time.monotonic() > end
            # To look at the charts takes long, and they wait meanwhile.
            if is_last or not problems:
                problems += problems_of(self.browser.charts(), expected)
            if is_last or not problems:
                return problems
            time.sleep(0.5)

    def names_of_marks(self, name: str) -> list[str]:
        chart = next(chart for chart in self.browser.charts() if chart["name"] == name)
        return [mark["name"] for mark in self.browser.driver.execute_script(MARKS, chart["id"])]

    def click_until(self, target: Target, bar: str | None, chosen: bool) -> str | None:
        """Clicks until the bar has this value as its filter, or nothing: the value. None after AGREE_S."""
        end = time.monotonic() + AGREE_S
        while time.monotonic() < end:
            value = self.click(target, bar)
            shown = time.monotonic() + SHOWN_S
            while value is not None and time.monotonic() < shown:
                if self.browser.chips() == ([target.chip(value)] if chosen else []):
                    return value
                time.sleep(0.1)
        return None

    def click(self, target: Target, bar: str | None) -> str | None:
        """Clicks on a mark, until one has heard it: what it stands for. None after AGREE_S."""
        end = time.monotonic() + AGREE_S
        while time.monotonic() < end:
            chart = next(chart for chart in self.browser.charts() if chart["name"] == target.chart)
            point, value = self.cell(chart, target) if target.header else self.mark(chart, bar)
            if point and self.click_at(chart, target, point):
                return value
            time.sleep(APART_S)
        return None

    def mark(self, chart: dict, bar: str | None) -> tuple[tuple[float, float] | None, str]:
        """The named mark, or the largest; no point while a click there would miss it."""
        for mark in self.browser.driver.execute_script(MARKS, chart["id"]):
            if bar in (None, mark["name"]):
                return (mark["x"], mark["y"]) if mark["hit"] else None, mark["name"]
        return None, ""

    def cell(self, chart: dict, target: Target) -> tuple[tuple[float, float] | None, str]:
        """The first cell of a column; no point while the table is drawn."""
        headers = [target.header, *(word for word, name in ENGLISH.items() if name == target.header)]
        value = str(chart["rows"][0][0].get(target.column)) if target.column and any(chart["rows"]) else ""
        place = self.browser.driver.execute_script(CELL, chart["id"], headers)
        return place and tuple(place), value

    def click_at(self, chart: dict, target: Target, point: tuple[float, float]) -> bool:
        """Whether the chart heard it."""
        self.browser.driver.execute_script(LISTEN, chart["id"])
        actions = ActionChains(self.browser.driver, duration=50)
        actions.w3c_actions.pointer_action.move_to_location(*map(round, point))
        actions.click()
        actions.perform()
        end = time.monotonic() + HEARD_S
        while time.monotonic() < end:
            heard = self.browser.driver.execute_script("return heard")
            # A point of a line is no mark; nothing is to happen there.
            if heard.get("mark" if target.column else "click"):
                return True
            time.sleep(0.1)
        return False
