//! Where an outside broker is, and who we are there.

use std::fmt;

/// The address and login of an MQTT broker that runs elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct OutsideBroker {
    /// Name or address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// Name to log in with; `None`: no login.
    pub user: Option<String>,
    /// Never shown.
    pub password: Option<String>,
}

impl fmt::Display for OutsideBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for OutsideBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutsideBroker({self}, user {:?})", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let broker = |host: &str| OutsideBroker {
            host: host.to_owned(),
            port: 1883,
            user: Some("me".to_owned()),
            password: Some("secret".to_owned()),
        };
        assert_eq!(format!("{} {}", broker("a"), broker("::1")), "a:1883 [::1]:1883");
        assert!(!format!("{:?}", broker("a")).contains("secret"));
    }
}
