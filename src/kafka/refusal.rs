//! Kafka is there and refuses us: what librdkafka says of TLS and SASL then, and what to type.

/// What a complaint about a connection says of TLS or SASL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The user or the password.
    Login,
    /// `sasl.mechanism`.
    Mechanism,
    /// The port has no logins.
    NoLogin,
    /// Kafka's certificate is not trusted here.
    Certificate,
    /// Kafka asks for a certificate of ours, or does not trust it.
    NoCertificate,
    /// The port probably wants TLS.
    WantsTls,
    /// The port probably does not speak TLS.
    NoTls,
    /// The port probably wants a user and a password.
    WantsLogin,
}

/// What librdkafka says, and what it means: the first that fits.
const COMPLAINTS: [(&str, Refusal); 18] = [
    ("SASL authentication error", Refusal::Login),
    ("SASL SCRAM authentication failed", Refusal::Login),
    ("Request not valid in current SASL state", Refusal::NoLogin),
    ("mechanism handshake failed", Refusal::Mechanism),
    ("broker certificate could not be verified", Refusal::Certificate),
    ("Failed to verify broker certificate", Refusal::Certificate),
    ("client SSL authentication might be required", Refusal::NoCertificate),
    // Alerts of TLS: which of them a server sends is up to its library.
    ("certificate required", Refusal::NoCertificate),
    ("alert bad certificate", Refusal::NoCertificate),
    ("alert certificate unknown", Refusal::NoCertificate),
    ("alert certificate expired", Refusal::NoCertificate),
    ("alert unknown ca", Refusal::NoCertificate),
    ("connecting to a SSL listener?", Refusal::WantsTls),
    // What a port without TLS makes of the first bytes: it hangs up, or answers in its own protocol.
    ("connecting to a PLAINTEXT broker listener?", Refusal::NoTls),
    ("SSL handshake failed: Disconnected", Refusal::NoTls),
    ("unexpected eof", Refusal::NoTls),
    ("wrong version number", Refusal::NoTls),
    ("broker might require SASL authentication", Refusal::WantsLogin),
];

impl Refusal {
    /// What a complaint means to a client that speaks this `security.protocol`.
    pub fn of(complaint: &str, protocol: &str) -> Option<Self> {
        let known =
            COMPLAINTS.iter().find_map(|(words, refusal)| complaint.contains(words).then_some(*refusal));
        // A broker closes the connection of a client that it does not understand, and says nothing.
        known.or_else(|| match protocol {
            _ if !complaint.starts_with("Disconnected") => None,
            "SASL_SSL" => None,
            "SSL" => Some(Self::WantsLogin),
            _ => Some(Self::WantsTls),
        })
    }

    /// Whether asking again is useless: everything else may be a Kafka that is just being started.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::WantsTls | Self::NoTls | Self::WantsLogin)
    }

    /// What to type.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Login => {
                "it refuses the user or the password; -X @FILE gives them, with sasl.mechanism=, sasl.username= and \
                 sasl.password= in the file"
            }
            Self::Mechanism => "it does not know this sasl.mechanism; -X sasl.mechanism=NAME takes another",
            Self::NoLogin => {
                "this port takes no user and no password; leave security.protocol out, or -X security.protocol=SSL if \
                 it wants TLS"
            }
            Self::Certificate => {
                "its certificate is not trusted here, or is for another host; -X ssl.ca.location=FILE trusts the \
                 authority whose certificate is in the file (PEM)"
            }
            Self::NoCertificate => {
                "it wants a certificate of its clients, from an authority that it trusts; -X \
                 ssl.certificate.location=FILE and -X ssl.key.location=FILE give it (PEM)"
            }
            Self::WantsTls => {
                "is it a Kafka? If this port wants TLS, -X security.protocol=SSL speaks it, or SASL_SSL with a user and \
                 a password"
            }
            Self::NoTls => {
                "if this port does not speak TLS, leave security.protocol out, or -X security.protocol=SASL_PLAINTEXT \
                 with a user and a password"
            }
            Self::WantsLogin => {
                "if this port wants a user and a password, -X security.protocol=SASL_SSL, or SASL_PLAINTEXT without \
                 TLS, and -X @FILE, with sasl.mechanism=, sasl.username= and sasl.password= in the file"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_of_librdkafka_are_told_apart() {
        let certificate = "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker \
                           certificate could not be verified, verify that ssl.ca.location is correctly configured";
        let api_version = "Disconnected: requesting ApiVersion: might be caused by incorrect security.protocol \
                           configuration (connecting to a SSL listener?) or broker version is < 0.10";
        for (complaint, refusal, is_final) in [
            ("SASL authentication error: Authentication failed during authentication", Refusal::Login, true),
            ("SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported", Refusal::Mechanism, true),
            (
                "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state",
                Refusal::NoLogin,
                true,
            ),
            (certificate, Refusal::Certificate, true),
            ("Receive failed: SSL routines::ssl/tls alert bad certificate", Refusal::NoCertificate, true),
            (api_version, Refusal::WantsTls, false),
            ("SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker", Refusal::NoTls, false),
            ("SSL handshake failed: error:0A000126:SSL routines::unexpected eof", Refusal::NoTls, false),
        ] {
            assert_eq!(Refusal::of(complaint, "PLAINTEXT"), Some(refusal), "{complaint}");
            assert_eq!(refusal.is_final(), is_final, "{complaint}");
            assert!(refusal.advice().contains("-X "), "{complaint}");
        }
        assert_eq!(Refusal::of("Connect to 127.0.0.1:9 failed: Connection refused", "PLAINTEXT"), None);
    }

    #[test]
    fn who_is_hung_up_on_may_speak_the_wrong_protocol() {
        let of = |protocol| Refusal::of("Disconnected: connection closed by peer", protocol);
        assert_eq!(
            (of("PLAINTEXT"), of("SASL_PLAINTEXT")),
            (Some(Refusal::WantsTls), Some(Refusal::WantsTls))
        );
        assert_eq!((of("SSL"), of("SASL_SSL")), (Some(Refusal::WantsLogin), None));
    }
}
