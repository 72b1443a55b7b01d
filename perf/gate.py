"""The gate of perf/compare: `PATTERN>+5%` on rows that changed."""

import fnmatch
import re

# As tweetblast's own exit code of a threshold that was crossed.
CROSSED = 4


class Gate:
    """Rows whose name matches `pattern` may not take over `most` times the time, or the instructions, of before."""

    def __init__(self, words):
        parsed = re.fullmatch(r"(?P<pattern>[^<>]+)>\s*\+?(?P<percent>\d+(?:\.\d+)?)\s*%", words.strip())
        if not parsed:
            raise ValueError(f"{words!r} is not PATTERN>+N%, e.g. 'tweet/*>+5%' or 'instructions *>+1%'")
        self.words = words.strip()
        self.pattern = parsed["pattern"].strip()
        self.most = 1 + float(parsed["percent"]) / 100

    def matches(self, verdict):
        return fnmatch.fnmatchcase(verdict.name, self.pattern)

    def crossed_by(self, verdicts):
        """Of the rows that changed for sure those that got too slow."""
        return [verdict for verdict in verdicts if self.matches(verdict) and verdict.changed and (verdict.change or 0) > self.most]


def judge(gates, verdicts, unchanged_benches):
    """Lines for people, and whether all gates hold. A gate on rows that nobody measured does not hold: it would let
    everything pass after a row was renamed. A bench that was not run, as both commits give the same program, has no rows."""
    lines, hold = [], True
    for gate in gates:
        measured = [verdict for verdict in verdicts if gate.matches(verdict) and verdict.change is not None]
        crossed = gate.crossed_by(verdicts)
        hold &= not crossed
        if crossed:
            lines.append(f"FAILED {gate.words}: {'; '.join(f'{verdict.name} {verdict.words}' for verdict in crossed)}")
        elif measured:
            lines.append(f"passed {gate.words}: {len(measured)} rows")
        elif unchanged_benches:
            lines.append(f"passed {gate.words}: no row was measured, and {', '.join(sorted(unchanged_benches))} did not change")
        else:
            hold = False
            lines.append(f"FAILED {gate.words}: no row has such a name")
    return lines, hold
