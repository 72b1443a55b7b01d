"""What perf/compare, perf/track and perf/find-max conclude from figures; `python3 -m unittest discover -s perf` runs it, without a build."""

import gzip
import importlib.machinery
import importlib.util
import json
import pathlib
import unittest

import gate
import trend


def script(name):
    """A script without an ending in its name, as a module."""
    path = pathlib.Path(__file__).with_name(name)
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


compare = script("compare")
find_max = script("find-max")


def verdicts(**ratios):
    """Judged rows of one bench: the times of head in seven rounds in which base took 100 ns."""
    rows = {("tweet", f"tweet/{name}"): ({"ns": 100}, [100] * len(times), times) for name, times in ratios.items()}
    return compare.judge(rows)


class Gates(unittest.TestCase):
    def judged(self, words, rows, unchanged=()):
        lines, hold = gate.judge([gate.Gate(words)], rows, unchanged)
        return hold, lines[0]

    def test_a_row_that_got_slower_than_the_gate_fails_it_and_is_named(self):
        hold, line = self.judged("tweet/*>+5%", verdicts(parse=[112, 110, 111], encode=[100, 101, 99]))
        self.assertFalse(hold)
        self.assertEqual(line, "FAILED tweet/*>+5%: tweet/parse slower by 11.0 %")

    def test_a_row_within_the_gate_passes(self):
        self.assertTrue(self.judged("tweet/*>+15%", verdicts(parse=[112, 110, 111]))[0])

    def test_a_row_that_got_faster_passes(self):
        self.assertTrue(self.judged("tweet/*>+5%", verdicts(parse=[50, 51, 52]))[0])

    def test_noise_does_not_fail_a_gate(self):
        # Two rounds of three say slower, one faster: the median is 40 % up, and nothing is known.
        self.assertTrue(self.judged("tweet/*>+5%", verdicts(parse=[140, 160, 90]))[0])

    def test_only_rows_of_that_name_count(self):
        self.assertTrue(self.judged("tweet/encode>+5%", verdicts(parse=[112, 110, 111], encode=[100, 101, 99]))[0])

    def test_instructions_are_rows_too(self):
        rows = compare.judge_counts({"tweet_parse/v11": 1000}, {"tweet_parse/v11": 1020}, None)
        self.assertFalse(self.judged("instructions *>+1%", rows)[0])
        self.assertTrue(self.judged("instructions *>+3%", rows)[0])

    def test_a_gate_on_rows_that_nobody_measured_fails(self):
        hold, line = self.judged("twete/*>+5%", verdicts(parse=[100, 100, 100]))
        self.assertFalse(hold)
        self.assertIn("no row has such a name", line)

    def test_a_gate_on_a_row_that_is_gone_fails(self):
        rows = compare.judge({("tweet", "tweet/parse"): ({"ns": 100}, [100, 100], [])})
        self.assertFalse(self.judged("tweet/parse>+5%", rows)[0])

    def test_a_bench_whose_program_is_the_same_passes(self):
        self.assertTrue(self.judged("tweet/*>+5%", [], {"tweet"})[0])

    def test_what_is_no_gate_is_refused(self):
        for words in ("tweet/parse", "tweet/parse>5", "tweet/parse<-5%", ">+5%", "tweet/parse>+x%"):
            with self.assertRaises(ValueError, msg=words):
                gate.Gate(words)


def record(cpu, commit, ns, count=None, key="rustc"):
    return {
        "date": "2026-11-28T00:00:00Z", "commit": commit, "load_before_and_after": [0.5, 1.0],
        "machine": {"cpu": cpu, "cores": 2, "kernel": "Linux", "compiler": "rustc"},
        "rows": {"tweet/parse": {"median_ns": ns, "min_ns": ns, "max_ns": ns, "elements": 10}},
        "instructions": {key: {"tweet_parse/v11": count}} if count else {},
    }


class Trend(unittest.TestCase):
    def test_a_record_is_held_against_the_one_before_on_its_own_machine(self):
        lines = list(trend.lines([record("slow", "a1", 200), record("quick", "b2", 100), record("slow", "c3", 220)], "tweet/"))
        self.assertEqual([line for line in lines if line.startswith("==")], ["== slow, 2 cores: 2 records", "== quick, 2 cores: 1 record"])
        self.assertIn("c3", lines[5])
        self.assertTrue(lines[5].endswith("+10.0 % time"), lines[5])
        self.assertFalse(any("-50" in line for line in lines), lines)

    def test_counts_under_another_compiler_are_not_compared(self):
        lines = list(trend.lines([record("slow", "a1", 1, 1000), record("slow", "b2", 1, 2000, "other")], "v11"))
        self.assertFalse(any("%" in line for line in lines), lines)

    def test_inputs_of_another_size_are_compared_per_element(self):
        twice = record("slow", "b2", 200)
        twice["rows"]["tweet/parse"]["elements"] = 20
        lines = list(trend.lines([record("slow", "a1", 100), twice], "tweet/"))
        self.assertTrue(lines[-1].endswith("+0.0 % time"), lines)


class HeldRates(unittest.TestCase):
    def test_rates_that_a_real_druid_was_given_grow_above_its_limit_only(self):
        folder = pathlib.Path(__file__).parent.parent / "tests/data/find-max"
        for rate, grows in ((15_000, False), (22_000, True), (31_000, True)):
            with gzip.open(folder / f"backlog-{rate}.jsonl.gz", "rt") as lines:
                samples = [json.loads(line) for line in lines][1:]
            self.assertEqual(find_max.growth(samples) > find_max.GROWTH * rate, grows, rate)


if __name__ == "__main__":
    unittest.main()
