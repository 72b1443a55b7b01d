//! The requests that the endpoint answers: which versions, and what their fields look like.
//!
//! Versions end below those that name topics by id instead of by name, and for consumer groups
//! below those with static members (`group.instance.id`), which the endpoint does not have: clients
//! configured that way report it themselves. The fields are those of Kafka's message definitions
//! (`clients/src/main/resources/common/message/*Request.json`).

use kafka_protocol::messages::ApiKey;

use super::shape::FieldKind::{Blob, Fixed, List, Numbers, Text, Texts};
use super::shape::{FieldShape, field};

/// One kind of request.
#[derive(Debug)]
pub(crate) struct Api {
    pub key: ApiKey,
    pub min_version: i16,
    pub max_version: i16,
    /// From this version on, lengths are compact and fields may be tagged.
    pub flexible_from: i16,
    pub fields: &'static [FieldShape],
}

impl Api {
    /// The API with this key, if the endpoint serves it.
    pub fn find(key: i16) -> Option<&'static Self> {
        APIS.iter().find(|api| api.key as i16 == key)
    }

    pub fn has_version(&self, version: i16) -> bool {
        (self.min_version..=self.max_version).contains(&version)
    }

    pub fn is_flexible(&self, version: i16) -> bool {
        version >= self.flexible_from
    }
}

/// All of them, in the order of the answer to ApiVersions.
pub(crate) const APIS: &[Api] = &[
    Api { key: ApiKey::Produce, min_version: 3, max_version: 9, flexible_from: 9, fields: PRODUCE },
    Api { key: ApiKey::Fetch, min_version: 4, max_version: 12, flexible_from: 12, fields: FETCH },
    Api { key: ApiKey::ListOffsets, min_version: 1, max_version: 7, flexible_from: 6, fields: LIST_OFFSETS },
    // Not 9: librdkafka assumes that topics need no more than four times as many bytes in its
    // memory as on the wire, and rejects the compact form of about twenty topics with one partition
    // each (`rdkafka_metadata.c`, "marshalled representation"). Real Kafka sends topic ids, which
    // are long.
    Api { key: ApiKey::Metadata, min_version: 0, max_version: 8, flexible_from: 9, fields: METADATA },
    Api {
        key: ApiKey::OffsetCommit,
        min_version: 2,
        max_version: 6,
        flexible_from: 8,
        fields: OFFSET_COMMIT,
    },
    Api { key: ApiKey::OffsetFetch, min_version: 1, max_version: 7, flexible_from: 6, fields: OFFSET_FETCH },
    Api {
        key: ApiKey::FindCoordinator,
        min_version: 0,
        max_version: 4,
        flexible_from: 3,
        fields: FIND_COORDINATOR,
    },
    Api { key: ApiKey::JoinGroup, min_version: 0, max_version: 4, flexible_from: 6, fields: JOIN_GROUP },
    Api { key: ApiKey::Heartbeat, min_version: 0, max_version: 2, flexible_from: 4, fields: HEARTBEAT },
    Api { key: ApiKey::LeaveGroup, min_version: 0, max_version: 2, flexible_from: 4, fields: LEAVE_GROUP },
    Api { key: ApiKey::SyncGroup, min_version: 0, max_version: 2, flexible_from: 4, fields: SYNC_GROUP },
    Api {
        key: ApiKey::DescribeGroups,
        min_version: 0,
        max_version: 5,
        flexible_from: 5,
        fields: DESCRIBE_GROUPS,
    },
    Api { key: ApiKey::ListGroups, min_version: 0, max_version: 4, flexible_from: 3, fields: LIST_GROUPS },
    Api { key: ApiKey::ApiVersions, min_version: 0, max_version: 4, flexible_from: 3, fields: API_VERSIONS },
    Api {
        key: ApiKey::CreateTopics,
        min_version: 2,
        max_version: 5,
        flexible_from: 5,
        fields: CREATE_TOPICS,
    },
    Api {
        key: ApiKey::DeleteTopics,
        min_version: 1,
        max_version: 5,
        flexible_from: 4,
        fields: DELETE_TOPICS,
    },
    Api {
        key: ApiKey::InitProducerId,
        min_version: 0,
        max_version: 4,
        flexible_from: 2,
        fields: INIT_PRODUCER_ID,
    },
    Api {
        key: ApiKey::DescribeConfigs,
        min_version: 1,
        max_version: 4,
        flexible_from: 4,
        fields: DESCRIBE_CONFIGS,
    },
    Api {
        key: ApiKey::DescribeLogDirs,
        min_version: 1,
        max_version: 4,
        flexible_from: 2,
        fields: DESCRIBE_LOG_DIRS,
    },
    Api {
        key: ApiKey::DeleteGroups,
        min_version: 0,
        max_version: 2,
        flexible_from: 2,
        fields: DELETE_GROUPS,
    },
    Api {
        key: ApiKey::DescribeCluster,
        min_version: 0,
        max_version: 1,
        flexible_from: 0,
        fields: DESCRIBE_CLUSTER,
    },
];

const PRODUCE: &[FieldShape] = &[
    field(Text),         // transactional id
    field(Fixed(2 + 4)), // acks, time-out
    field(List(&[field(Text), field(List(&[field(Fixed(4)), field(Blob)]))])),
];

const FETCH: &[FieldShape] = &[
    field(Fixed(4 + 4 + 4 + 4 + 1)), // replica id, max wait, min bytes, max bytes, isolation level
    field(Fixed(4 + 4)).since(7),    // session id and epoch
    field(List(&[
        field(Text),
        field(List(&[
            field(Fixed(4)),           // partition
            field(Fixed(4)).since(9),  // current leader epoch
            field(Fixed(8)),           // fetch offset
            field(Fixed(4)).since(12), // last fetched epoch
            field(Fixed(8)).since(5),  // log start offset
            field(Fixed(4)),           // max bytes
        ])),
    ])),
    field(List(&[field(Text), field(Numbers(4))])).since(7), // forgotten topics
    field(Text).since(11),                                   // rack
];

const LIST_OFFSETS: &[FieldShape] = &[
    field(Fixed(4)),          // replica id
    field(Fixed(1)).since(2), // isolation level
    field(List(&[
        field(Text),
        field(List(&[field(Fixed(4)), field(Fixed(4)).since(4), field(Fixed(8))])), // leader epoch since 4
    ])),
];

const METADATA: &[FieldShape] = &[
    field(List(&[field(Text)])),
    field(Fixed(1)).since(4),     // create topics
    field(Fixed(1 + 1)).since(8), // include authorized operations
];

const FIND_COORDINATOR: &[FieldShape] = &[
    field(Text).until(3),     // key
    field(Fixed(1)).since(1), // key type
    field(Texts).since(4),    // keys
];

const API_VERSIONS: &[FieldShape] = &[field(Text).since(3), field(Text).since(3)];

const CREATE_TOPICS: &[FieldShape] = &[
    field(List(&[
        field(Text),
        field(Fixed(4 + 2)), // partitions, replication factor
        field(List(&[field(Fixed(4)), field(Numbers(4))])), // assignments
        field(List(&[field(Text), field(Text)])), // configs
    ])),
    field(Fixed(4 + 1)), // time-out, validate only
];

const DELETE_TOPICS: &[FieldShape] = &[field(Texts), field(Fixed(4))]; // names, time-out

const INIT_PRODUCER_ID: &[FieldShape] = &[
    field(Text),                  // transactional id
    field(Fixed(4)),              // transaction time-out
    field(Fixed(8 + 2)).since(3), // producer id and epoch
];

const OFFSET_COMMIT: &[FieldShape] = &[
    field(Text),              // group
    field(Fixed(4)),          // generation
    field(Text),              // member id
    field(Fixed(8)).until(4), // retention time
    field(List(&[
        field(Text),
        field(List(&[
            field(Fixed(4 + 8)),      // partition, offset
            field(Fixed(4)).since(6), // leader epoch
            field(Text),              // metadata
        ])),
    ])),
];

const OFFSET_FETCH: &[FieldShape] = &[
    field(Text), // group
    field(List(&[field(Text), field(Numbers(4))])),
    field(Fixed(1)).since(7), // require stable
];

const JOIN_GROUP: &[FieldShape] = &[
    field(Text),                              // group
    field(Fixed(4)),                          // session time-out
    field(Fixed(4)).since(1),                 // rebalance time-out
    field(Text),                              // member id
    field(Text),                              // protocol type
    field(List(&[field(Text), field(Blob)])), // protocols
];

const HEARTBEAT: &[FieldShape] = &[field(Text), field(Fixed(4)), field(Text)]; // group, generation, member id

const LEAVE_GROUP: &[FieldShape] = &[field(Text), field(Text)]; // group, member id

const SYNC_GROUP: &[FieldShape] = &[
    field(Text),                              // group
    field(Fixed(4)),                          // generation
    field(Text),                              // member id
    field(List(&[field(Text), field(Blob)])), // assignments
];

const DESCRIBE_GROUPS: &[FieldShape] = &[field(Texts), field(Fixed(1)).since(3)]; // groups, authorized operations

const LIST_GROUPS: &[FieldShape] = &[field(Texts).since(4)]; // states

const DELETE_GROUPS: &[FieldShape] = &[field(Texts)];

const DESCRIBE_CONFIGS: &[FieldShape] = &[
    field(List(&[field(Fixed(1)), field(Text), field(Texts)])), // type, name, keys
    field(Fixed(1)),                                            // synonyms
    field(Fixed(1)).since(3),                                   // documentation
];

const DESCRIBE_LOG_DIRS: &[FieldShape] = &[field(List(&[field(Text), field(Numbers(4))]))];

const DESCRIBE_CLUSTER: &[FieldShape] = &[
    field(Fixed(1)),          // authorized operations
    field(Fixed(1)).since(1), // endpoint type
];
