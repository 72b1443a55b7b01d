//! A value of a record, in which only what its type names can be read: the pruned parser may have
//! dropped the rest.

use std::marker::PhantomData;

use simd_json::prelude::*;
use simd_json::tape::{self, Value};

use super::members::{Each, MemberKey, Object, Plain, RecordFields, Texts, Whole};

/// A value in which `I` can be read.
#[derive(Debug)]
pub struct Json<'a, I> {
    value: Value<'a, 'a>,
    inside: PhantomData<I>,
}

impl<I> Clone for Json<'_, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for Json<'_, I> {}

/// For a whole value; the tables say what is kept of a value in a record.
impl<'a, I> From<Value<'a, 'a>> for Json<'a, I> {
    fn from(value: Value<'a, 'a>) -> Self {
        Self { value, inside: PhantomData }
    }
}

impl<'a, I> Json<'a, I> {
    /// The value, whatever is in it.
    pub fn plain(self) -> Json<'a, Plain> {
        self.value.into()
    }

    pub fn text(self) -> Option<&'a str> {
        self.value.into_string()
    }

    pub fn i64(self) -> Option<i64> {
        self.value.as_i64()
    }

    pub fn u64(self) -> Option<u64> {
        self.value.as_u64()
    }

    /// Any number.
    pub fn number(self) -> Option<f64> {
        self.value.cast_f64()
    }

    pub fn is_null(self) -> bool {
        self.value.is_null()
    }

    pub fn is_object(self) -> bool {
        self.value.is_object()
    }

    pub fn is_array(self) -> bool {
        self.value.is_array()
    }
}

/// How MongoDB's tools wrap a plain value.
const WRAPPERS: [&str; 6] =
    ["$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$oid", "$symbol"];

impl<'a> Json<'a, Plain> {
    /// The value in an object that has this key, which begins with `$`, first: `{"$date": …}`. The pruned
    /// parser keeps such objects whole.
    pub fn mongo(self, key: &str) -> Option<Json<'a, Plain>> {
        let (first, value) = self.value.as_object()?.iter().next()?;
        (first == key).then(|| value.into())
    }

    /// The plain value in one of MongoDB's wrappers, otherwise the value itself.
    pub fn unwrapped(self) -> Json<'a, Plain> {
        match self.value.as_object() {
            None => self,
            Some(_) => WRAPPERS.iter().find_map(|key| self.mongo(key)).unwrap_or(self),
        }
    }

    /// A text as it is, and anything else as JSON.
    pub fn words(self) -> String {
        self.text().map_or_else(|| self.value.encode(), str::to_owned)
    }

    /// The value as JSON, cut after forty characters.
    pub fn shown(self) -> String {
        const SHOWN_CHARS: usize = 40;
        let whole = match self.text() {
            Some(text) => serde_json::Value::from(text).to_string(),
            None => self.value.encode(),
        };
        match whole.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}…", &whole[..end]),
            None => whole,
        }
    }
}

impl<'a, O: Object> Json<'a, O> {
    /// A member of an object; the last one if its key appears twice.
    pub fn get<I>(self, key: MemberKey<O, I>) -> Option<Json<'a, I>> {
        member(self.value, key.name).map(Json::from)
    }
}

impl<'a, O: Object> Json<'a, Each<O>> {
    /// The elements of an array.
    pub fn items(self) -> Option<impl Iterator<Item = Json<'a, O>>> {
        items(self.value)
    }
}

impl<'a> Json<'a, Texts> {
    pub fn items(self) -> Option<impl Iterator<Item = Json<'a, Plain>>> {
        items(self.value)
    }
}

impl<'a> Json<'a, Whole> {
    pub fn items(self) -> Option<impl Iterator<Item = Json<'a, Whole>>> {
        items(self.value)
    }

    /// A member of an object; the last one if its key appears twice.
    pub fn member(self, name: &str) -> Option<Json<'a, Whole>> {
        member(self.value, name).map(Json::from)
    }
}

impl<'a> Json<'a, RecordFields> {
    /// For [`Fields`](super::fields::Fields).
    pub fn object(self) -> Option<tape::Object<'a, 'a>> {
        self.value.as_object()
    }
}

fn member<'a>(value: Value<'a, 'a>, name: &str) -> Option<Value<'a, 'a>> {
    // The pruned parser writes the names of the tables.
    let is_it = |key: &str| std::ptr::eq(key, name) || key == name;
    value.as_object()?.iter().filter(|(key, _)| is_it(key)).last().map(|(_, value)| value)
}

fn items<'a, I>(value: Value<'a, 'a>) -> Option<impl Iterator<Item = Json<'a, I>>> {
    Some(value.as_array()?.iter().map(Json::from))
}
