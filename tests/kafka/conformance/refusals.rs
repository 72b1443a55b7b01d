//! What the endpoint refuses to do, and how it says so.

use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::Offset;

use crate::client::{Client, PATIENCE, messages};

pub fn transactions(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let producer = client.producer(&[("transactional.id", name)]);
    if let Err(error) = producer.init_transactions(PATIENCE) {
        return format!("{:?}", error.rdkafka_error_code().unwrap());
    }
    let sent = messages("m", 100);
    for commit in [false, true] {
        producer.begin_transaction().unwrap();
        for (number, message) in sent.iter().enumerate() {
            let record = BaseRecord::<(), _, _>::with_opaque_to(name, number).partition(0).payload(message);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
        let end =
            if commit { producer.commit_transaction(PATIENCE) } else { producer.abort_transaction(PATIENCE) };
        end.unwrap();
    }
    let consumer = client.assigned_with(name, 0, Offset::Beginning, &[("isolation.level", "read_committed")]);
    let committed = client.take_all(&consumer, 100);
    assert!(committed == sent);
    format!("{} of 200 committed", committed.len())
}
