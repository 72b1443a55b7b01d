//! What stands after the flags in `-h` and in `--help`. Each line fits 60 columns: clap breaks longer ones.

/// After `-h`.
pub(super) const SHORT: &str = "\
Example:
  tweetblast tweets.json --rate 5k/s --kafka localhost:9092
More flags, the environment, exit codes: tweetblast --help";

/// After `--help`.
pub(super) fn reference() -> String {
    format!("{EXAMPLES}\n\n{DRUID}\n{OTHERS}\n\n{EXIT_CODES}")
}

const EXAMPLES: &str = "\
Examples:
  tweetblast --speedup 100x
          100 times faster than the tweets were written
  tweetblast tweets.json --rate 5k/s
          at a constant rate, ignoring their times
  tweetblast tweets.json --speedup max --json -
          as fast as it goes; the report as JSON
  tweetblast inspect tweets.json
          what is in it, and how long a replay takes
  tweetblast --speedup 100x --hold
          keep MQTT and Kafka up afterwards, to read from
  tweetblast --kafka localhost:9092 --fit 5m
          into a real Kafka, all of it in 5 minutes
  tweetblast --druid localhost:8888
          until every tweet can be queried in Druid
  tweetblast tweets.json --enrich users.csv
          with a table of users, joined by id

Numbers: 5000, 5,000, 5k, 2M, 1e6
Times:   500ms, 4s, 5m, 1h30m; a number alone is in seconds
Sizes:   16MiB, 16M, 16MB; a number alone is in bytes";

/// What commands that ask Druid read.
pub(super) const DRUID: &str = "\
Environment:
  TWEETBLAST_DRUID_USER, TWEETBLAST_DRUID_PASSWORD
          who asks Druid
  TWEETBLAST_DRUID_PASSWORD_FILE
          a file whose first line is the password
  TWEETBLAST_DRUID_CA
          a file with the certificates (PEM) that Druid's
          is checked against
  TWEETBLAST_KAFKA_SASL_JAAS_CONFIG, TWEETBLAST_KAFKA_SSL_KEY,
  TWEETBLAST_KAFKA_SSL_KEY_PASSWORD
          secrets of Kafka that Druid reads, not tweetblast:
          `tweetblast druid secrets` prints them";

const OTHERS: &str = "  TWEETBLAST_MQTT_PASSWORD
          password for --mqtt mqtt://USER@HOST
  TWEETBLAST_DASHBOARD
          what --dashboard is without the flag
  RUST_LOG
          which log lines go to standard error, such as
          tweetblast=debug; the default is warn
  NO_COLOR
          no colour; there is none in pipes and files";

const EXIT_CODES: &str = "\
Exit codes:
  0       every tweet accounted for
  1       an error: the replay could not start or continue
  2       usage: a flag or a value that cannot be
  3       tweets are missing, or it is unknown or unproven
  4       a --fail-if was true, or was not measured
  130     stopped by Ctrl-C or q; the report has what was
          sent. A second Ctrl-C leaves at once";
