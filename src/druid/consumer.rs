//! What librdkafka's properties say of TLS and SASL, for Druid's consumer, which is Java's. Secrets stay out
//! of the spec, which everybody who may look at Druid can read: Druid takes them from environment variables
//! of its own processes, by its dynamic config provider
//! (<https://druid.apache.org/docs/latest/operations/dynamic-config-provider>).

use std::path::Path;

use serde_json::{Map, Value, json};

use super::DruidError;
use crate::net;

/// Key of the dynamic config provider among the consumer's properties.
const PROVIDER: &str = "druid.dynamic.config.provider";

/// How Druid's consumer authenticates and what it trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerSecurity {
    /// Properties that everybody may read.
    pub plain: Map<String, Value>,
    /// Properties with a secret: the variable that must hold it, and its value.
    pub secret: Vec<Secret>,
    /// Properties of TLS or SASL that Druid cannot be given.
    pub left: Vec<String>,
}

/// A property that Druid reads from its environment.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Name for Java's consumer.
    pub property: &'static str,
    /// Name of the environment variable.
    pub variable: &'static str,
    /// What it must hold.
    pub value: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("variable", &self.variable).finish_non_exhaustive()
    }
}

impl ConsumerSecurity {
    /// From librdkafka's properties; the last one of a name counts. Empty if they say nothing of TLS or SASL.
    ///
    /// # Errors
    /// When a certificate or key that they name cannot be read.
    pub fn of(properties: &[(String, String)]) -> Result<Self, DruidError> {
        let get = |names: &[&str]| {
            let named = |(name, _): &&(String, String)| names.contains(&name.as_str());
            properties.iter().rev().find(named).map(|(_, value)| value.as_str())
        };
        let mut security = Self::default();
        let Some(protocol) = get(&["security.protocol"]).map(str::to_ascii_uppercase) else {
            return Ok(security);
        };
        if protocol == "PLAINTEXT" {
            return Ok(security);
        }
        security.set("security.protocol", &protocol);
        if protocol.ends_with("SSL") {
            security.tls(&get)?;
        }
        if protocol.starts_with("SASL") {
            security.sasl(&get);
        }
        let translated = |name: &str| {
            TRANSLATED.contains(&name) || !(name.starts_with("ssl.") || name.starts_with("sasl."))
        };
        let left = properties.iter().filter(|(name, _)| !translated(name)).map(|(name, _)| name.clone());
        security.left.extend(left);
        Ok(security)
    }

    /// Puts it among the consumer's properties of a spec.
    pub fn put_into(&self, consumer_properties: &mut Value) {
        let Some(properties) = consumer_properties.as_object_mut() else { return };
        properties.extend(self.plain.clone());
        if !self.secret.is_empty() {
            let variables: Map<String, Value> = self
                .secret
                .iter()
                .map(|secret| (secret.property.to_owned(), secret.variable.into()))
                .collect();
            properties.insert(PROVIDER.to_owned(), json!({"type": "environment", "variables": variables}));
        }
    }

    /// The variables as lines for a shell, secrets and all.
    #[must_use]
    pub fn exports(&self) -> String {
        let line = |secret: &Secret| {
            format!("export {}='{}'\n", secret.variable, secret.value.replace('\'', r"'\''"))
        };
        self.secret.iter().map(line).collect()
    }

    fn set(&mut self, property: &str, value: &str) {
        self.plain.insert(property.to_owned(), value.into());
    }

    fn tls<'a>(&mut self, get: &impl Fn(&[&str]) -> Option<&'a str>) -> Result<(), DruidError> {
        // PEM is Kafka's since 2.7; the text itself, as the file need not be where Druid is.
        if let Some(pem) = pem(get(&["ssl.ca.pem"]), get(&["ssl.ca.location"]))? {
            self.set("ssl.truststore.type", "PEM");
            self.set("ssl.truststore.certificates", &pem);
        }
        if let Some(chain) = pem(get(&["ssl.certificate.pem"]), get(&["ssl.certificate.location"]))? {
            self.set("ssl.keystore.type", "PEM");
            self.set("ssl.keystore.certificate.chain", &chain);
        }
        if let Some(key) = pem(get(&["ssl.key.pem"]), get(&["ssl.key.location"]))? {
            self.add_secret("ssl.keystore.key", "TWEETBLAST_KAFKA_SSL_KEY", key);
        }
        if let Some(password) = get(&["ssl.key.password"]) {
            self.add_secret("ssl.key.password", "TWEETBLAST_KAFKA_SSL_KEY_PASSWORD", password.to_owned());
        }
        match get(&["ssl.endpoint.identification.algorithm"]) {
            Some("none") => self.set("ssl.endpoint.identification.algorithm", ""),
            Some(algorithm) => self.set("ssl.endpoint.identification.algorithm", algorithm),
            None => {}
        }
        Ok(())
    }

    fn sasl<'a>(&mut self, get: &impl Fn(&[&str]) -> Option<&'a str>) {
        let mechanism = get(&["sasl.mechanisms", "sasl.mechanism"]).unwrap_or("GSSAPI").to_ascii_uppercase();
        let module = match mechanism.as_str() {
            "PLAIN" => "org.apache.kafka.common.security.plain.PlainLoginModule",
            "SCRAM-SHA-256" | "SCRAM-SHA-512" => "org.apache.kafka.common.security.scram.ScramLoginModule",
            _ => {
                self.left.push(format!("sasl.mechanism={mechanism}"));
                return;
            }
        };
        self.set("sasl.mechanism", &mechanism);
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        let user = quoted(get(&["sasl.username"]).unwrap_or_default());
        let password = quoted(get(&["sasl.password"]).unwrap_or_default());
        let login = format!("{module} required username={user} password={password};");
        self.add_secret("sasl.jaas.config", "TWEETBLAST_KAFKA_SASL_JAAS_CONFIG", login);
    }

    fn add_secret(&mut self, property: &'static str, variable: &'static str, value: String) {
        self.secret.push(Secret { property, variable, value });
    }
}

/// Properties of librdkafka's that are given to Druid.
const TRANSLATED: [&str; 13] = [
    "ssl.ca.pem",
    "ssl.ca.location",
    "ssl.certificate.pem",
    "ssl.certificate.location",
    "ssl.key.pem",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "security.protocol",
];

/// A text in PEM, given as such or as a file.
fn pem(text: Option<&str>, file: Option<&str>) -> Result<Option<String>, DruidError> {
    let read = |path: &str| {
        std::fs::read_to_string(path).map_err(|error| DruidError::File {
            path: Path::new(path).to_owned(),
            reason: net::words(&error),
        })
    };
    match (text, file) {
        (Some(text), _) => Ok(Some(text.to_owned())),
        // librdkafka's word for the system's own.
        (None, Some("probe") | None) => Ok(None),
        (None, Some(path)) => read(path).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(properties: &[(&str, &str)]) -> ConsumerSecurity {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        ConsumerSecurity::of(&properties.iter().map(own).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_login_is_read_from_the_environment_and_is_not_in_the_spec() {
        let security = of(&[
            ("linger.ms", "5"),
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.username", "ann"),
            ("sasl.password", "old"),
            ("sasl.password", "open \"sesame\\'"),
        ]);
        let mut properties = json!({"bootstrap.servers": "h:1"});
        security.put_into(&mut properties);
        assert_eq!(
            properties,
            json!({
                "bootstrap.servers": "h:1", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512",
                "druid.dynamic.config.provider": {"type": "environment",
                    "variables": {"sasl.jaas.config": "TWEETBLAST_KAFKA_SASL_JAAS_CONFIG"}},
            })
        );
        assert_eq!(
            security.exports(),
            "export TWEETBLAST_KAFKA_SASL_JAAS_CONFIG='org.apache.kafka.common.security.scram.ScramLoginModule \
             required username=\"ann\" password=\"open \\\"sesame\\\\'\\''\";'\n"
        );
        assert!(security.left.is_empty() && !format!("{security:?}").contains("sesame"));
    }

    #[test]
    fn certificates_are_in_the_spec_and_their_key_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("ca.pem"), "CA").unwrap();
        std::fs::write(path("key.pem"), "KEY").unwrap();
        let security = of(&[
            ("security.protocol", "SSL"),
            ("ssl.ca.location", &path("ca.pem")),
            ("ssl.certificate.pem", "CERT"),
            ("ssl.key.location", &path("key.pem")),
            ("ssl.key.password", "pw"),
            ("ssl.endpoint.identification.algorithm", "none"),
            ("ssl.keystore.location", "x.p12"),
        ]);
        let plain = Value::Object(security.plain.clone());
        assert_eq!(
            plain,
            json!({"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": "CA",
                "ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": "CERT",
                "ssl.endpoint.identification.algorithm": ""})
        );
        let variables: Vec<&str> = security.secret.iter().map(|secret| secret.variable).collect();
        assert_eq!(variables, ["TWEETBLAST_KAFKA_SSL_KEY", "TWEETBLAST_KAFKA_SSL_KEY_PASSWORD"]);
        assert_eq!(security.left, ["ssl.keystore.location"]);
        let missing = [("security.protocol", "SSL"), ("ssl.ca.location", "/nowhere.pem")];
        let own = missing.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(ConsumerSecurity::of(&own).unwrap_err().to_string().contains("/nowhere.pem"));
    }

    #[test]
    fn a_plain_kafka_and_a_mechanism_that_needs_more_than_a_password() {
        assert_eq!(of(&[("acks", "all")]), ConsumerSecurity::default());
        assert_eq!(of(&[("security.protocol", "plaintext")]), ConsumerSecurity::default());
        let kerberos = of(&[("security.protocol", "SASL_SSL"), ("sasl.kerberos.keytab", "k")]);
        assert_eq!(kerberos.left, ["sasl.mechanism=GSSAPI", "sasl.kerberos.keytab"]);
        assert!(kerberos.secret.is_empty());
    }
}
