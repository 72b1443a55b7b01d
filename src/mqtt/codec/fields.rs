//! The fields that packets are made of: numbers, texts, properties; and what a topic and a filter may be.

use super::Reason;

/// Reads fields from the front.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Reason> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Reason::MALFORMED)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8, Reason> {
        Ok(self.take(1)?[0])
    }

    pub fn two(&mut self) -> Result<u16, Reason> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub fn four(&mut self) -> Result<u32, Reason> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub fn packet_id(&mut self) -> Result<u16, Reason> {
        match self.two()? {
            0 => Err(Reason::PROTOCOL_ERROR),
            id => Ok(id),
        }
    }

    /// A number in up to four bytes of seven bits, the lowest first.
    pub fn variable(&mut self) -> Result<u32, Reason> {
        let mut number = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Reason::MALFORMED)
    }

    pub fn binary(&mut self) -> Result<&'a [u8], Reason> {
        let length = self.two()?;
        self.take(usize::from(length))
    }

    /// A text: UTF-8, without the zero character, which MQTT forbids.
    pub fn text(&mut self) -> Result<&'a str, Reason> {
        let text = simdutf8::basic::from_utf8(self.binary()?).map_err(|_| Reason::MALFORMED)?;
        if text.contains('\0') { Err(Reason::MALFORMED) } else { Ok(text) }
    }

    /// The properties of a packet, with their length before them.
    pub fn properties(&mut self) -> Result<Properties<'a>, Reason> {
        let length = self.variable()?;
        Ok(Properties { fields: Fields(self.take(length as usize)?), seen: 0 })
    }
}

/// The value of a property.
pub(super) enum Value<'a> {
    Number(u32),
    Binary(&'a [u8]),
    Text,
    Pair,
}

pub(super) struct Property<'a> {
    pub id: u8,
    pub value: Value<'a>,
    /// Identifier and value, as they were sent.
    pub bytes: &'a [u8],
}

/// The properties of one packet.
pub(super) struct Properties<'a> {
    fields: Fields<'a>,
    /// Identifiers so far, a bit each: most must not come twice.
    seen: u64,
}

pub(super) const USER_PROPERTY: u8 = 38;

impl<'a> Properties<'a> {
    /// The next property, if it is one of `allowed`.
    pub fn next(&mut self, allowed: &[u8]) -> Result<Option<Property<'a>>, Reason> {
        let start = self.fields.0;
        if start.is_empty() {
            return Ok(None);
        }
        let id = self.fields.byte()?;
        if !allowed.contains(&id) {
            return Err(Reason::PROTOCOL_ERROR);
        }
        if id != USER_PROPERTY && self.seen & (1 << id) != 0 {
            return Err(Reason::PROTOCOL_ERROR);
        }
        self.seen |= 1 << id;
        let fields = &mut self.fields;
        let value = match id {
            1 | 23 | 25 => Value::Number(fields.byte()?.into()),
            33..=35 => Value::Number(fields.two()?.into()),
            2 | 17 | 24 | 39 => Value::Number(fields.four()?),
            11 => Value::Number(fields.variable()?),
            9 | 22 => Value::Binary(fields.binary()?),
            3 | 8 | 21 | 31 => fields.text().map(|_| Value::Text)?,
            USER_PROPERTY => {
                fields.text()?;
                fields.text()?;
                Value::Pair
            }
            _ => return Err(Reason::MALFORMED),
        };
        let bytes = &start[..start.len() - self.fields.0.len()];
        Ok(Some(Property { id, value, bytes }))
    }

    /// Reads all and keeps none.
    pub fn skip(mut self, allowed: &[u8]) -> Result<(), Reason> {
        while self.next(allowed)?.is_some() {}
        Ok(())
    }
}

/// A name that messages can be published under.
pub(crate) fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#'])
}

/// A filter: `+` is a whole level, `#` the whole last one.
pub fn is_filter(filter: &str) -> bool {
    let filter = match filter.strip_prefix("$share/") {
        Some(shared) => match shared.split_once('/') {
            Some((group, filter)) if !group.is_empty() && !group.contains(['+', '#']) => filter,
            _ => return false,
        },
        None => filter,
    };
    let mut levels = filter.split('/').peekable();
    let mut is_good = !filter.is_empty();
    while let Some(level) = levels.next() {
        is_good &= match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            level => !level.contains(['+', '#']),
        };
    }
    is_good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_whole_levels_only() {
        for filter in ["#", "+", "a/#", "+/b/+", "/", "$SYS/#", "$share/g/a/#", "ä/+"] {
            assert!(is_filter(filter), "{filter}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+/b", "$share/g", "$share//a", "$share/g/", "$share/+/a"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}
