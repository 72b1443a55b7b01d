"""How the rows of records.jsonl moved from record to record, machine by machine: figures of two machines say nothing about
the code."""

import common


def machine_of(record):
    """What tells one kind of machine from another. Kernel and compiler change on one machine too, and are shown."""
    return record["machine"]["cpu"], record["machine"]["cores"]


def lines(records, part):
    """The trend of each row with `part` in its name, for people."""
    machines = dict.fromkeys(machine_of(record) for record in records)
    for cpu, cores in machines:
        of_machine = [record for record in records if machine_of(record) == (cpu, cores)]
        rows = list(rows_of(of_machine, part))
        if rows:
            yield f"== {cpu}, {cores} cores: {len(of_machine)} record{'s' if len(of_machine) != 1 else ''}"
            yield from map(about, of_machine)
            yield from rows


def about(record):
    load, machine = record["load_before_and_after"], record["machine"]
    return f"   {stamp(record)}  {machine['kernel']}, {machine['compiler']}, load {load[0]} before and {load[1]} after"


def stamp(record):
    return f"{record['date'][:10]} {record['commit'][:12]}"


def rows_of(records, part):
    for name in names(records, part, lambda record: [record["rows"]]):
        yield name
        was = None
        for record in records:
            if row := record["rows"].get(name):
                ns = row["median_ns"]
                spread = (row["max_ns"] - row["min_ns"]) / 2 / ns * 100
                # The sizes of the benches' inputs have moved too.
                each = ns / (row.get("bytes") or row.get("elements") or 1)
                yield f"  {stamp(record)} {common.figure(row, ns):>16} ±{spread:.0f} %{moved(was, each, 'time')}"
                was = each
    for name in names(records, part, lambda record: record["instructions"].values()):
        yield f"instructions {name}"
        # Counts under another compiler or processor are others: each kind has a trend of its own.
        was = {}
        for record in records:
            for key, counts in record["instructions"].items():
                if name in counts:
                    yield f"  {stamp(record)} {counts[name]:>16,}{moved(was.get(key), counts[name], 'instructions')}"
                    was[key] = counts[name]


def names(records, part, tables):
    return sorted({name for record in records for table in tables(record) for name in table if part in name})


def moved(was, now, what):
    """How much more than in the record before, on this machine."""
    return f"  {(now / was - 1) * 100:+.1f} % {what}" if was else ""
