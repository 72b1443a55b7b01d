//! What `--version` says: enough for a bug report.

use std::sync::LazyLock;

static LONG: LazyLock<String> = LazyLock::new(|| {
    let features: Vec<&str> =
        [("tls", cfg!(feature = "tls")), ("system-librdkafka", cfg!(feature = "system-librdkafka"))]
            .into_iter()
            .filter_map(|(name, is_on)| is_on.then_some(name))
            .collect();
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    format!(
        "{}\ncommit      {}\nprofile     {}\nrustc       {}\nlibrdkafka  {}\nfeatures    {features}",
        env!("CARGO_PKG_VERSION"),
        option_env!("TWEETBLAST_COMMIT").unwrap_or("unknown"),
        option_env!("TWEETBLAST_PROFILE").unwrap_or("unknown"),
        option_env!("TWEETBLAST_RUSTC").unwrap_or("unknown"),
        rdkafka::util::get_rdkafka_version().1,
    )
});

/// Version, commit, profile, compiler, librdkafka and features, a line each.
pub(super) fn long() -> &'static str {
    &LONG
}
