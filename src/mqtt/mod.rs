//! The MQTT hop.
