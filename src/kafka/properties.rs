//! librdkafka's properties, before anything connects.

use rdkafka::producer::BaseProducer;

use super::{KafkaError, ProducerOptions};

/// Whether librdkafka takes these properties together with ours. Connects to nothing.
///
/// # Errors
/// Names the first property that it refuses.
pub fn check_properties(properties: &[(String, String)]) -> Result<(), KafkaError> {
    if properties.is_empty() {
        return Ok(());
    }
    let options = ProducerOptions { properties: properties.to_vec(), ..ProducerOptions::default() };
    let mut config = options.client_config();
    config.remove("bootstrap.servers");
    let producer = config.create::<BaseProducer>();
    producer.map(drop).map_err(|error| KafkaError::of_properties(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_librdkafka_refuses_is_known_before_anything_starts() {
        let check = |name: &str, value: &str| check_properties(&[(name.to_owned(), value.to_owned())]);
        assert!(check_properties(&[]).is_ok() && check("linger.ms", "20").is_ok());
        for (name, value) in [("foo", "bar"), ("linger.ms", "soon"), ("linger.ms", "-5"), ("acks", "1")] {
            assert!(check(name, value).unwrap_err().to_string().contains(name), "{name}");
        }
    }
}
