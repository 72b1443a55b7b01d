"""A headless Chromium that opens a dashboard as a visitor and says what each chart shows, for `check` and docs/pictures.

Needs selenium, which comes with Superset, and Debian's packages chromium and chromium-driver. Charts are canvases, so
what they show is read from the answers they were drawn from; that something was drawn is read from the pixels.
"""

import base64
import json
import os
import shutil
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

# For each chart: its name, whether it is still loading, what is wrong, whether it is empty, whether it shows
# anything.
LOOK = """
return [...document.querySelectorAll('[data-test-chart-id]')].map(chart => {
  const some = selector => chart.querySelector(selector) !== null;
  const drawn = canvas => {
    if (!canvas.width || !canvas.height) return false;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some((value, place) => place % 4 === 3 && value > 0);
  };
  return {
    id: Number(chart.dataset.testChartId),
    name: chart.dataset.testChartName,
    loading: some('.loading, [data-test=loading-indicator]'),
    alert: [...chart.querySelectorAll('.ant-alert, [role=alert]')].map(alert => alert.innerText.trim()).join(' ')
      || ([...chart.querySelectorAll('[aria-label=warning]')].some(sign => sign.getClientRects().length)
        ? 'the row limit is reached' : ''),
    empty: some('.ant-empty, .ant-empty-image'),
    drawn: some('table tbody td, .header-line') || [...chart.querySelectorAll('canvas')].some(drawn),
    headline: chart.querySelector('.header-line')?.innerText ?? '',
  };
});
"""


# Names of charts and columns in other languages -> in ours.
ENGLISH = {word: name for name, word in json.loads(Path(__file__).with_name("es.json").read_text()).items()}


def link(superset: str, slug: str, run: str | None = None) -> str:
    """Address of a dashboard, with the run filter set."""
    address = f"{superset}/superset/dashboard/{slug}/"
    if run is None:
        return address
    column = f"(filters:!((col:run,op:IN,val:!(%27{run}%27))))"
    chosen = f"(NATIVE_FILTER-run:(id:NATIVE_FILTER-run,extraFormData:{column},filterState:(value:!(%27{run}%27))))"
    return f"{address}?native_filters={chosen}"


# A dashboard renews its charts every ten seconds; with this, every ten minutes.
RENEWED_SELDOM = """
const every = window.setInterval;
window.setInterval = (act, ms, ...rest) => every(act, ms >= 5000 ? 60 * ms : ms, ...rest);
"""


class Browser:
    """Tall enough that every chart is in view: Superset draws those outside it later.

    Without `renews` a dashboard's charts are hardly ever renewed by themselves.
    """

    def __init__(self, width: int = 1400, height: int = 2400, renews: bool = True) -> None:
        programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
        if None in programs.values():
            raise SystemExit("chromium or its driver is missing: apt-get install chromium chromium-driver")
        options = Options()
        options.binary_location = programs["chromium"]
        for flag in (
            "headless=new", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars", "no-first-run", "disable-sync",
            "disable-background-networking", "disable-component-update", "no-proxy-server", f"window-size={width},{height}",
        ):  # fmt: skip
            options.add_argument(f"--{flag}")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(programs["chromedriver"]))
        if not renews:
            self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RENEWED_SELDOM})
        self.answers: dict[int, list] = {}
        self.since: dict[int, int | None] = {}
        self.failures: list[str] = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, address: str) -> None:
        """Opens a page, and forgets what the page before it was answered."""
        self.driver.get(address)
        self.answers.clear()
        self.failures.clear()

    def charts(self) -> list[dict]:
        """What each chart shows now; `rows` are those of its last answer, each query's own list, from the time `since` on."""
        self._read_answers()
        charts = self.driver.execute_script(LOOK)
        for chart in charts:
            chart["name"] = ENGLISH.get(chart["name"], chart["name"])
            chart["rows"] = self.answers.get(chart["id"])
            chart["since"] = self.since.get(chart["id"])
        return charts

    def settled(self, deadline_s: float) -> list[dict]:
        """The charts, once all are answered and drawn, empty or in error; or as they are at the deadline."""
        end = time.monotonic() + deadline_s
        while True:
            charts = self.charts()
            done = charts and all(
                not chart["loading"] and (chart["alert"] or (chart["rows"] is not None and (chart["empty"] or chart["drawn"])))
                for chart in charts
            )
            if done or time.monotonic() > end:
                return charts
            time.sleep(0.5)

    def chips(self) -> list[str]:
        """The values that clicks chose, as the filter bar has them."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll('[data-test=filter-bar] .ant-tag b')].map(chip => chip.textContent)"
        )

    def choose(self, name: str, value: str) -> None:
        """Chooses a value in a filter of the bar, by hand."""
        option = f".ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option[title={json.dumps(value)}]"

        def pick() -> None:
            self._filter(name).send_keys(Keys.CONTROL, "a", Keys.NULL, value)
            self._within(10, lambda: self.driver.find_element(By.CSS_SELECTOR, option).click())

        self._within(120, pick)
        self._apply()

    def clear(self, name: str) -> None:
        """Takes the last value out of a filter again."""
        chosen = f"[data-test=NATIVE_FILTER-{name}] .ant-select-selection-item"

        def take_out() -> None:
            self._filter(name).send_keys(Keys.BACKSPACE)
            WebDriverWait(self.driver, 10).until_not(lambda driver: driver.find_elements(By.CSS_SELECTOR, chosen))

        self._within(120, take_out)
        self._apply()

    def _filter(self, name: str) -> WebElement:
        """Where a filter's value is typed; what the bar has no room for is behind a button."""
        place = f"[data-test=NATIVE_FILTER-{name}] input"
        if not any(field.is_displayed() for field in self.driver.find_elements(By.CSS_SELECTOR, place)):
            # A bar with room for all filters has no such button.
            for button in self.driver.find_elements(By.CSS_SELECTOR, "[data-test=filter-bar] [data-test=dropdown-container-btn]"):
                button.click()
                WebDriverWait(self.driver, 10).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, place))
        field = self.driver.find_element(By.CSS_SELECTOR, place)
        field.click()
        return field

    def _within(self, seconds: float, act: Callable[[], None]) -> None:
        """Tries until it can be done: the bar lays its filters out anew when one changes, and what it opens moves or shuts."""
        end = time.monotonic() + seconds
        while True:
            try:
                return act()
            except WebDriverException:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _apply(self) -> None:
        self.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        self.driver.find_element(By.CSS_SELECTOR, "[data-test=filter-bar__apply-button]").click()

    def picture(self, file: Path) -> None:
        """Writes a PNG of the page down to its last chart, without the greyed-out space below."""
        time.sleep(1.5)  # The charts' own animations.
        bottom = self.driver.execute_script(
            "return Math.max(0, ...[...document.querySelectorAll('.dashboard-component-chart-holder')]"
            ".map(holder => holder.getBoundingClientRect().bottom))"
        )
        size = self.driver.execute_script("return [innerWidth, innerHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], bottom + 16) if bottom else size[1], "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})
        file.write_bytes(base64.b64decode(shot["data"]))

    def _read_answers(self) -> None:
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.responseReceived":
                continue
            response = message["params"]["response"]
            asked = urllib.parse.urlsplit(response["url"])
            if not asked.path.endswith("/api/v1/chart/data"):
                continue
            form = urllib.parse.parse_qs(asked.query).get("form_data")
            if form is None:
                continue  # The run filter's own list.
            chart = json.loads(form[0])["slice_id"]
            if response["status"] != 200:
                self.failures.append(f"a chart's query was answered with HTTP {response['status']}")
                continue
            try:
                body = self.driver.execute_cdp_cmd("Network.getResponseBody", {"requestId": message["params"]["requestId"]})
            except Exception:  # noqa: BLE001 - the next refresh pushed it out of the browser's memory
                continue
            queries = json.loads(body["body"])["result"]
            self.answers[chart] = [query["data"] for query in queries]
            self.since[chart] = queries[0].get("from_dttm")
