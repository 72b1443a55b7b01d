//! Values that are one of a few, as the report has them: by their names.

use serde::{Serialize, Serializer};

use crate::druid::CauseName;

/// Writes values of these types as what their `name()` gives.
macro_rules! by_name {
    ($($type:ident),+ $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    )+};
}

by_name!(CauseName);
