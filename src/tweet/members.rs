//! What the forms read inside a record's members.
//!
//! One table, at the end, serves both sides: a form names a member by its [`MemberKey`], and only the
//! table has keys; the pruned parser keeps what the table lists. So no form can read what was
//! dropped. The names at the top of a record are in `keys.rs`, which also says what kind of value
//! each has.

use std::marker::PhantomData;

use super::name::Name;

/// How much of a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The value, but nothing inside it if it is an object or an array.
    Plain,
    /// The same, with a text as it is spelt: with its escapes.
    Spelt,
    /// The value with everything inside it.
    Whole,
    /// A record with this field is left to simd-json.
    NotHere,
    /// Some members of an object.
    Members(Level),
    /// The elements of an array, and some members of those that are objects.
    Each(Level),
}

/// What can be read in a value: the type of a [`Json`](super::json::Json).
pub trait Readable {
    /// How much of the value is kept for it.
    const KEEP: Keep;
}

/// Nothing: the value is a text or a number, or is ignored.
#[derive(Debug)]
pub struct Plain;

/// Everything.
#[derive(Debug)]
pub struct Whole;

/// The fields of a record inside another one.
#[derive(Debug)]
pub struct RecordFields;

/// A user's texts.
#[derive(Debug)]
pub struct Texts;

/// The elements of an array, which are `O`s or texts.
#[derive(Debug)]
pub struct Each<O>(PhantomData<O>);

impl Readable for Plain {
    const KEEP: Keep = Keep::Plain;
}

impl Readable for Whole {
    const KEEP: Keep = Keep::Whole;
}

impl Readable for RecordFields {
    const KEEP: Keep = Keep::Members(Level::Record);
}

impl Readable for Texts {
    const KEEP: Keep = Keep::NotHere;
}

impl<O: Object> Readable for Each<O> {
    const KEEP: Keep = Keep::Each(O::LEVEL);
}

/// Some members of an object.
pub trait Object: Readable {
    const LEVEL: Level;
}

/// The name of a member of `O`s, and what can be read in its value.
pub struct MemberKey<O, I> {
    pub name: &'static str,
    kinds: PhantomData<(O, I)>,
}

/// A member as the pruned parser knows it.
pub struct ListedMember {
    pub name: &'static str,
    pub word: Name,
    pub keep: Keep,
}

macro_rules! members {
    ($($(#[$doc:meta])* $object:ident { $($key:ident = $name:literal: $inside:ty,)* })*) => {
        /// Which members of an object are kept.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Level {
            /// What any form reads at the top of a record.
            Record,
            $($object,)*
        }

        impl Level {
            /// The members; those at the top of a record are in `keys.rs`.
            pub fn listed(self) -> &'static [ListedMember] {
                match self {
                    Level::Record => &[],
                    $(Level::$object => {
                        static LISTED: &[ListedMember] = &[$(ListedMember {
                            name: $name,
                            word: Name::of($name.as_bytes()),
                            keep: <$inside as Readable>::KEEP,
                        },)*];
                        LISTED
                    })*
                }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $object;

            impl $object {
                $(pub const $key: MemberKey<$object, $inside> = MemberKey { name: $name, kinds: PhantomData };)*
            }

            impl Readable for $object {
                const KEEP: Keep = Keep::Members(Level::$object);
            }

            impl Object for $object {
                const LEVEL: Level = Level::$object;
            }
        )*
    };
}

members! {
    /// A user, an author, an actor.
    Person {
        ID = "id": Plain,
        ID_STR = "id_str": Plain,
        SCREEN_NAME = "screen_name": Plain,
        USERNAME = "username": Plain,
        PREFERRED_USERNAME = "preferredUsername": Plain,
    }
    Entities {
        HASHTAGS = "hashtags": Each<Hashtag>,
    }
    /// The whole tweet where a streamed one was cut.
    Extended {
        FULL_TEXT = "full_text": Plain,
        ENTITIES = "entities": Entities,
    }
    Place {
        COORDINATES = "coordinates": Whole,
    }
    Metrics {
        RETWEET_COUNT = "retweet_count": Plain,
        LIKE_COUNT = "like_count": Plain,
    }
    Note {
        TEXT = "text": Plain,
    }
    LongObject {
        BODY = "body": Plain,
    }
    /// What comes with a tweet in a record of a stream.
    Includes {
        USERS = "users": Each<Person>,
    }
    /// In the APIs v1.1 and v2.
    Hashtag {
        TEXT = "text": Plain,
        TAG = "tag": Plain,
    }
}
