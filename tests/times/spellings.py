#!/usr/bin/env python3
"""Writes spellings.tsv.gz: times in many spellings, and what two independent readers make of each.

Run once, with python-dateutil and pandas from PyPI; tests/input/spellings.rs compares tweetblast with the table.
A line has the kind of spelling, the spelling, and what dateutil and pandas read: milliseconds since 1970 and Z, or L
where it names no zone (as if it were UTC), or - where the reader refuses it.
"""

import gzip
import random
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas
from dateutil import parser

warnings.simplefilter("ignore")
EPOCH = datetime(1970, 1, 1)
DAYS_DE = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"]
MONTHS_ES = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
MONTHS_DE = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
MONTHS_FR = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


def half(t, pattern, space=" "):
    """A time of day in twelve hours."""
    return t.strftime(pattern).replace("@", f"{t.hour % 12 or 12}") + space + ("AM" if t.hour < 12 else "PM")


def kinds(t, offset):
    """The spellings of the local time t, which is offset minutes east of UTC."""
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    hh, mm = divmod(minutes, 60)
    z, zc = f"{sign}{hh:02}{mm:02}", f"{sign}{hh:02}:{mm:02}"
    ms = f"{t.microsecond // 1000:03}"
    epoch = (t - EPOCH) // timedelta(milliseconds=1)
    f = t.strftime
    yield "api", f(f"%a %b %d %H:%M:%S {z} %Y")
    yield "iso", f(f"%Y-%m-%dT%H:%M:%S.{ms}Z")
    yield "iso", f(f"%Y-%m-%dT%H:%M:%S{zc}")
    yield "iso", f(f"%Y-%m-%dT%H:%M:%S{z}")
    yield "iso", f("%Y-%m-%dT%H:%M:%S")
    yield "iso", f("%Y-%m-%d %H:%M:%S.%f")
    yield "iso", f("%Y-%m-%d %H:%M")
    yield "iso", f("%Y-%m-%d")
    yield "iso", f(f"%Y-%m-%d %H:%M:%S,{ms}")
    yield "iso lower case", f("%Y-%m-%dt%H:%M:%Sz")
    yield "iso basic", f("%Y%m%dT%H%M%SZ")
    yield "iso basic", f(f"%Y%m%dT%H%M%S{z}")
    yield "iso basic", f("%Y%m%dT%H%M")
    yield "iso week", f("%G-W%V-%uT%H:%M:%SZ")
    yield "iso day of year", f("%Y-%j")
    yield "end of day", f("%Y-%m-%dT24:00:00Z")
    yield "year first", f("%Y/%m/%d %H:%M:%S")
    yield "year first", f("%Y.%m.%d %H:%M:%S")
    yield "year first", f"{t.year}-{t.month}-{t.day} {t.hour}:{t.minute:02}:{t.second:02}"
    yield "sql utc", f("%Y-%m-%d %H:%M:%S UTC")
    yield "sql offset", f(f"%Y-%m-%d %H:%M:%S {z}")
    yield "go", f(f"%Y-%m-%d %H:%M:%S.{ms}456789 +0000 UTC")
    yield "go local", f(f"%Y-%m-%d %H:%M:%S {z} {z}")
    yield "rfc 2822", f(f"%a, %d %b %Y %H:%M:%S {z}")
    yield "rfc 2822", f("%a, %d %b %Y %H:%M:%S GMT")
    yield "rfc 850", f("%A, %d-%b-%y %H:%M:%S GMT")
    yield "ctime", f("%a %b %e %H:%M:%S %Y")
    yield "java date", f("%a %b %d %H:%M:%S UTC %Y")
    yield "java date", f("%b %d, %Y ") + half(t, "@:%M:%S")
    yield "java zoned", f("%Y-%m-%dT%H:%M:%SZ[UTC]")
    yield "java zoned", f("%Y-%m-%dT%H:%M:%S+00:00[Europe/London]")
    yield "javascript", f("%a %b %d %Y %H:%M:%S GMT") + z
    yield "javascript", f("%a %b %d %Y %H:%M:%S GMT") + f"{z} (Central European Standard Time)"
    yield "log", f(f"%d/%b/%Y:%H:%M:%S {z}")
    yield "month by name", f(f"%B {t.day}, %Y at ") + half(t, "%I:%M", "")
    yield "month by name", f("%d %B %Y %H:%M:%S")
    yield "month by name", f("%b %d %Y")
    yield "month by name", f("%d-%b-%Y %H:%M:%S")
    yield "nitter", f(f"%b {t.day}, %Y · ") + half(t, "@:%M") + " UTC"
    yield "month in Spanish", f"{t.day} de {MONTHS_ES[t.month - 1]} de {t.year} {t:%H:%M:%S}"
    yield "month in German", f"{DAYS_DE[t.weekday()]}, {t.day}. {MONTHS_DE[t.month - 1]} {t.year} {t:%H:%M:%S}"
    yield "month in French", f"{t.day} {MONTHS_FR[t.month - 1]} {t.year} {t:%H:%M:%S}"
    yield "Japanese", f"{t.year}年{t.month}月{t.day}日 {t:%H:%M:%S}"
    yield "american", f("%m/%d/%Y %H:%M:%S")
    yield "american", f"{t.month}/{t.day}/{t.year} " + half(t, "@:%M")
    yield "american", f"{t.month}/{t.day}/{t.year}, " + half(t, "@:%M:%S", "\u202f")
    yield "european", f("%d/%m/%Y %H:%M:%S")
    yield "european", f("%d.%m.%Y %H:%M")
    yield "european", f("%d-%m-%Y")
    yield "two-digit year", f("%m/%d/%y %H:%M")
    yield "compact", f("%Y%m%d%H%M%S")
    yield "compact", f("%Y%m%d%H%M")
    yield "compact", f("%Y%m%d")
    yield "epoch s", str(epoch // 1000)
    yield "epoch ms", str(epoch)
    yield "zone word", f("%Y-%m-%d %H:%M:%S CET")
    yield "zone word", f("%a %b %d %H:%M:%S EST %Y")
    yield "ambiguous zone word", f("%Y-%m-%d %H:%M:%S IST")
    yield "ambiguous zone word", f("%Y-%m-%d %H:%M:%S CST")
    yield "nonsense", f("%Y-%m-%d %H:%M:%S in the morning")
    yield "nonsense", f"{t.year}-{t.month:02}-32 {t:%H:%M:%S}"
    yield "nonsense", f"{t.year}-13-{t.day:02}"
    yield "nonsense", f("%Y-%m-%d 25:%M:%S")
    yield "incomplete", f("%H:%M:%S")
    yield "incomplete", f("%B %Y")
    yield "incomplete", f("%A")


def shown(read):
    aware = read.tzinfo is not None
    plain = read.astimezone(timezone.utc).replace(tzinfo=None) if aware else read
    return f"{(plain - EPOCH) // timedelta(milliseconds=1)}{'Z' if aware else 'L'}"


def by_dateutil(text):
    try:
        return shown(parser.parse(text, default=datetime(2001, 1, 1)))
    except (ValueError, OverflowError):
        return "-"


def by_pandas(text):
    try:
        read = pandas.to_datetime(text)
        return "-" if pandas.isna(read) else shown(read.to_pydatetime(warn=False))
    except (ValueError, OverflowError, TypeError):
        return "-"


def main():
    chance = random.Random(22)
    times = [datetime(2020, 2, 29, 0, 0, 0), datetime(2019, 12, 31, 23, 59, 59), datetime(2006, 3, 21, 12, 50, 14)]
    times += [datetime(2020, 3, 4, 12, 0, 0), datetime(2020, 3, 3, 0, 30, 0), datetime(2016, 11, 6, 1, 30, 0)]
    for _ in range(54):
        second = chance.randrange(1_000_000_000, 2_500_000_000)
        times.append(EPOCH + timedelta(seconds=second, milliseconds=chance.randrange(1000)))
    offsets = [0, 60, -210, 330, -480, 765, 840, -720]
    rows = {}
    for at, t in enumerate(times):
        for kind, text in kinds(t, offsets[at % len(offsets)]):
            rows.setdefault((kind, text), None)
    where = Path(__file__).with_name("spellings.tsv.gz")
    lines = [f"{kind}\t{text}\t{by_dateutil(text)}\t{by_pandas(text)}\n" for kind, text in rows]
    # Without the time of writing, so that the same table has the same bytes.
    where.write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))
    print(f"{len(lines)} spellings, {where.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
