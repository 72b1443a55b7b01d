//! The file of MQTT users.

use crate::mqtt::MqttUsers;

/// Reads it. It stays in memory until the process ends.
pub(in crate::cli) fn mqtt_users(path: &str) -> Result<&'static MqttUsers, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let users = MqttUsers::read(&text).map_err(|words| format!("{path}: {words}"))?;
    Ok(Box::leak(Box::new(users)))
}
