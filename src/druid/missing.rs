//! Finds the missing rows of a run by bisection into ever smaller pieces, so that a few queries
//! find a handful among millions.

use super::verify::{RunName, SLICE, number, quoted};
use super::{Client, DruidError};

/// Pieces that one query cuts a range into.
const PIECES: u64 = 1_000;

/// Most queries: an unlucky scatter of missing rows must not keep Druid busy for long.
const QUERIES_MAX: usize = 50;

/// Most ranges that are named.
const RANGES_MAX: usize = 20;

/// `seq`s of a run that have no row.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MissingRows {
    /// How many of the tweets that Kafka took.
    pub count: u64,
    /// The first ones, as ranges of first and last seq; with failed tweets, those too.
    #[cfg_attr(test, schemars(length(max = 20)))]
    pub ranges: Vec<(u64, u64)>,
    /// Whether there are others behind them.
    #[serde(skip)]
    pub more: bool,
}

impl MissingRows {
    fn add(&mut self, first: u64, last: u64) {
        match self.ranges.last_mut() {
            Some(range) if range.1 + 1 == first => range.1 = last,
            _ => self.ranges.push((first, last)),
        }
    }

    /// For people: `3, 17-20 and more`.
    #[must_use]
    pub fn words(&self) -> String {
        const SHOWN: usize = 5;
        let range = |(first, last): &(u64, u64)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        let shown: Vec<String> = self.ranges.iter().take(SHOWN).map(range).collect();
        let more = if self.more || self.ranges.len() > SHOWN { " and more" } else { "" };
        format!("{}{more}", shown.join(", "))
    }
}

/// Finds which of `0..tweets` have no row, and lists the first ranges of them. Their number is
/// known from the proof: `missing_count`.
///
/// # Errors
/// When Druid does not answer, or refuses.
pub fn missing_seqs(
    client: &Client,
    datasource: &str,
    run: RunName<'_>,
    tweets: u64,
    missing_count: u64,
) -> Result<MissingRows, DruidError> {
    let count = |from: u64, to: u64, piece: u64| {
        let (seq, condition) = (run.seq(), run.condition());
        let query = format!(
            "SELECT ({seq} - {from}) / {piece} AS \"piece\", COUNT(DISTINCT {seq}) AS \"there\" FROM {} \
             WHERE {condition} AND {seq} >= {from} AND {seq} < {to} GROUP BY 1",
            quoted(datasource)
        );
        let rows = client.sql(&query, &[run.run.into()])?;
        let pair = |row: &serde_json::Value| {
            Some((number(&row["piece"])?.try_into().ok()?, number(&row["there"])?.try_into().ok()?))
        };
        Ok(rows.iter().filter_map(pair).collect())
    };
    Ok(MissingRows { count: missing_count, ..look(tweets, count)? })
}

/// `count(from, to, piece)` returns the number of rows in each piece that has any.
fn look(
    tweets: u64,
    mut count: impl FnMut(u64, u64, u64) -> Result<Vec<(u64, u64)>, DruidError>,
) -> Result<MissingRows, DruidError> {
    let mut missing = MissingRows::default();
    // Popped from the end: (first, end, whether all of it is known to be missing).
    let slices = (0..tweets).step_by(SLICE as usize).map(|from| (from, (from + SLICE).min(tweets), false));
    let mut ranges: Vec<_> = slices.collect();
    ranges.reverse();
    let (mut queries, queries_max) = (0, QUERIES_MAX + ranges.len());
    while let Some((from, to, gone)) = ranges.pop() {
        if gone {
            missing.add(from, to - 1);
            continue;
        }
        if missing.ranges.len() > RANGES_MAX || queries == queries_max {
            missing.more = true;
            break;
        }
        queries += 1;
        let piece = (to - from).div_ceil(PIECES);
        let there: std::collections::HashMap<u64, u64> = count(from, to, piece)?.into_iter().collect();
        let mut short = Vec::new();
        for index in 0..(to - from).div_ceil(piece) {
            let first = from + index * piece;
            let end = (first + piece).min(to);
            let there = there.get(&index).copied().unwrap_or(0);
            if there < end - first {
                short.push((first, end, there == 0));
            }
        }
        ranges.extend(short.into_iter().rev());
    }
    missing.more |= missing.ranges.len() > RANGES_MAX;
    missing.ranges.truncate(RANGES_MAX);
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(tweets: u64, gone: &[u64]) -> (MissingRows, usize) {
        let mut queries = 0;
        let missing = look(tweets, |from, to, piece| {
            queries += 1;
            let mut pieces = std::collections::BTreeMap::new();
            for seq in (from..to).filter(|seq| !gone.contains(seq)) {
                *pieces.entry((seq - from) / piece).or_default() += 1;
            }
            Ok(pieces.into_iter().collect())
        });
        (missing.unwrap(), queries)
    }

    #[test]
    fn a_handful_is_found_in_a_million_with_few_queries() {
        let (missing, queries) = find(1_000_000, &[0, 17, 18, 19, 500_000, 999_999]);
        assert_eq!(missing.ranges, [(0, 0), (17, 19), (500_000, 500_000), (999_999, 999_999)]);
        assert_eq!((missing.more, queries), (false, 5 + 3));
        assert_eq!(missing.words(), "0, 17-19, 500000, 999999");
    }

    #[test]
    fn whole_pieces_and_ends_of_pieces_make_one_range() {
        let gone: Vec<u64> = (1_995..4_003).collect();
        let (missing, _) = find(10_000, &gone);
        assert_eq!((missing.more, missing.ranges), (false, vec![(1_995, 4_002)]));
    }

    #[test]
    fn nothing_missing_and_nothing_there() {
        assert_eq!(find(5_000, &[]), (MissingRows::default(), 1));
        assert_eq!(find(0, &[]).0, MissingRows::default());
        let all: Vec<u64> = (0..50).collect();
        assert_eq!(find(50, &all).0, MissingRows { ranges: vec![(0, 49)], ..MissingRows::default() });
    }

    #[test]
    fn a_scatter_is_cut_and_still_counted() {
        let gone: Vec<u64> = (0..100_000).step_by(700).collect();
        let (missing, queries) = find(100_000, &gone);
        assert_eq!((missing.more, missing.ranges.len()), (true, 20));
        assert!(queries <= 1 + QUERIES_MAX);
        assert!(missing.words().ends_with(" and more"));
    }
}
