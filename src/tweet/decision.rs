//! How the times of a file are read where their spelling leaves it open: what they show, and what that decides.

use super::epoch::EpochUnit;

/// Which of two small numbers of a date comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOrder {
    DayFirst,
    MonthFirst,
}

/// How the times of a file are read where they leave it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeDecision {
    pub unit: Option<EpochUnit>,
    pub order: Option<DayOrder>,
    /// It was made by the first records only: later ones may contradict it.
    pub by_first: bool,
}

/// What the times of a file have shown so far of how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimeClues {
    /// Units of counts that are sure, a bit each.
    units: u8,
    /// The largest and the lowest of all other counts.
    largest: f64,
    lowest: f64,
    day_first: bool,
    month_first: bool,
    /// Whether a time was unread for want of its unit, and of its order of day and month.
    pub(super) unsure_unit: bool,
    pub(super) unsure_order: bool,
}

impl TimeClues {
    /// Notes a count whose unit is sure.
    pub(super) fn note_sure(&mut self, unit: EpochUnit) {
        self.units |= bit(unit);
    }

    /// Notes a count whose unit is not.
    pub(super) fn note_count(&mut self, count: f64) {
        self.largest = self.largest.max(count);
        self.lowest = self.lowest.min(count);
    }

    /// Notes a date that has only this order.
    pub(super) fn note_order(&mut self, order: DayOrder) {
        match order {
            DayOrder::DayFirst => self.day_first = true,
            DayOrder::MonthFirst => self.month_first = true,
        }
    }

    /// Adds what another part of the file has shown.
    pub fn merge(&mut self, other: Self) {
        self.units |= other.units;
        self.largest = self.largest.max(other.largest);
        self.lowest = self.lowest.min(other.lowest);
        self.day_first |= other.day_first;
        self.month_first |= other.month_first;
        self.unsure_unit |= other.unsure_unit;
        self.unsure_order |= other.unsure_order;
    }

    /// What they decide; of a file with both orders, or several units, nothing.
    pub fn decide(&self, by_first: bool) -> TimeDecision {
        let mut sure = EpochUnit::ALL.into_iter().filter(|unit| self.units & bit(*unit) != 0);
        let unit = match (sure.next(), sure.next()) {
            (None, _) => EpochUnit::guess(self.largest, self.lowest),
            (one, None) => one,
            (Some(_), Some(_)) => None,
        };
        let order = match (self.day_first, self.month_first) {
            (true, false) => Some(DayOrder::DayFirst),
            (false, true) => Some(DayOrder::MonthFirst),
            _ => None,
        };
        TimeDecision { unit, order, by_first }
    }

    /// Whether a time waits for a decision.
    pub fn is_unsure(&self) -> bool {
        self.unsure_unit || self.unsure_order
    }

    /// Whether one of those that wait can be read now.
    pub fn can_settle(&self) -> bool {
        let TimeDecision { unit, order, .. } = self.decide(false);
        (self.unsure_unit && unit.is_some()) || (self.unsure_order && order.is_some())
    }

    /// Whether one of those that wait can not be read yet.
    pub fn is_undecided(&self) -> bool {
        let TimeDecision { unit, order, .. } = self.decide(false);
        (self.unsure_unit && unit.is_none()) || (self.unsure_order && order.is_none())
    }
}

fn bit(unit: EpochUnit) -> u8 {
    1 << unit as u8
}
