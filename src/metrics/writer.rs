//! Writes metrics one by one, as prometheus-client encodes them.

use std::fmt::Error;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::histogram::Buckets;

/// Names and values.
type Labels<'a> = &'a [(&'a str, &'a str)];

/// Writes metrics one by one.
pub(super) struct Writer<'a>(pub DescriptorEncoder<'a>);

impl Writer<'_> {
    pub fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        self.0
            .encode_descriptor(name, help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    pub fn gauge(&mut self, name: &str, help: &str, value: f64) -> Result<(), Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// A value in a unit, which becomes a part of the name.
    pub fn in_unit(
        &mut self,
        (name, help, unit): (&str, &str, &Unit),
        kind: MetricType,
        value: f64,
    ) -> Result<(), Error> {
        let mut one = self.0.encode_descriptor(name, help, Some(unit), kind)?;
        match kind {
            MetricType::Counter => one.encode_counter::<NoLabelSet, _, u64>(&value, None),
            _ => one.encode_gauge(&value),
        }
    }

    pub fn info(&mut self, name: &str, help: &str, labels: Labels<'_>) -> Result<(), Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }

    /// One metric for each value of a label.
    pub fn each<'l>(
        &mut self,
        (name, help, unit): (&str, &str, Option<&Unit>),
        kind: MetricType,
        label: &'l str,
        values: &[(&'l str, f64)],
    ) -> Result<(), Error> {
        let mut encoder = self.0.encode_descriptor(name, help, unit, kind)?;
        for (value_of_label, value) in values {
            let labels: Labels<'_> = &[(label, value_of_label)];
            let mut one: MetricEncoder<'_> = encoder.encode_family(&labels)?;
            match kind {
                MetricType::Counter => one.encode_counter::<NoLabelSet, _, u64>(value, None)?,
                _ => one.encode_gauge(value)?,
            }
        }
        Ok(())
    }

    pub fn histogram(&mut self, name: &str, help: &str, buckets: &Buckets) -> Result<(), Error> {
        let mut encoder =
            self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(buckets.sum_s, buckets.count, &buckets.buckets, None)
    }
}
