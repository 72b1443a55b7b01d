//! From bytes to packets.

use super::fields::{Fields, Properties, USER_PROPERTY, Value};
use super::{Connect, Packet, Publish, Reason, Subscription, Version, is_filter, is_topic};

/// How far a packet is there.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::mqtt) enum Frame {
    /// Its length is not known yet.
    Unknown,
    /// It takes so many bytes from its first on, which may not all be there.
    Length(usize),
}

/// The length of the packet that `bytes` begin with.
///
/// # Errors
/// When its length is malformed or above `max`.
pub(in crate::mqtt) fn frame(bytes: &[u8], max: usize) -> Result<Frame, Reason> {
    let mut fields = Fields(bytes.get(1..).unwrap_or_default());
    match fields.variable() {
        Ok(length) => {
            let head = bytes.len() - fields.0.len();
            let all = head + length as usize;
            if all > max { Err(Reason::TOO_LARGE) } else { Ok(Frame::Length(all)) }
        }
        Err(_) if bytes.len() < 5 => Ok(Frame::Unknown),
        Err(reason) => Err(reason),
    }
}

/// Reads one whole packet. `version` is unknown until CONNECT is read, which must be the first packet and
/// the only one of its kind.
pub(in crate::mqtt) fn decode(packet: &[u8], version: Option<Version>) -> Result<Packet<'_>, Reason> {
    let mut fields = Fields(packet);
    let first = fields.byte()?;
    fields.variable()?;
    let (kind, flags) = (first >> 4, first & 0x0F);
    let Some(version) = version else {
        return if first == 0x10 { connect(fields) } else { Err(Reason::PROTOCOL_ERROR) };
    };
    let is_flagged_right = match kind {
        3 => true,
        6 | 8 | 10 => flags == 2,
        _ => flags == 0,
    };
    if !is_flagged_right {
        return Err(Reason::MALFORMED);
    }
    let packet = match kind {
        3 => return publish(fields, flags, version),
        4..=7 => reply(&mut fields, kind, version)?,
        8 => subscribe(&mut fields, version)?,
        10 => unsubscribe(&mut fields, version)?,
        12 => Packet::PingReq,
        14 => Packet::Disconnect { reason: reason(&mut fields, version, &[17, 31, USER_PROPERTY])? },
        // CONNECT comes once; we offer no authentication; the others are for servers to send.
        _ => return Err(Reason::PROTOCOL_ERROR),
    };
    if fields.0.is_empty() { Ok(packet) } else { Err(Reason::MALFORMED) }
}

/// The version of a CONNECT that is not read any further, as the client's level: 3 is MQTT 3.1.
pub(super) fn level(fields: &mut Fields<'_>) -> Result<u8, Reason> {
    match fields.text()? {
        "MQTT" => fields.byte(),
        "MQIsdp" => fields.byte().map(|_| 3),
        _ => Err(Reason::MALFORMED),
    }
}

fn connect(mut fields: Fields<'_>) -> Result<Packet<'_>, Reason> {
    let version = match level(&mut fields)? {
        4 => Version::V4,
        5 => Version::V5,
        _ => return Err(Reason::UNSUPPORTED_VERSION),
    };
    let flags = fields.byte()?;
    let (has_will, will_qos, will_retain) = (flags & 4 != 0, flags >> 3 & 3, flags & 0x20 != 0);
    if flags & 1 != 0 || will_qos == 3 || (!has_will && (will_qos != 0 || will_retain)) {
        return Err(Reason::MALFORMED);
    }
    let mut connect = Connect {
        version,
        clean: flags & 2 != 0,
        keep_alive: fields.two()?,
        client_id: "",
        will: None,
        receive_max: u16::MAX,
        packet_max: u32::MAX,
        has_auth_method: false,
        user: None,
        password: None,
    };
    if version == Version::V5 {
        let mut properties = fields.properties()?;
        while let Some(property) = properties.next(&[17, 33, 34, 39, 25, 23, USER_PROPERTY, 21, 22])? {
            match (property.id, property.value) {
                (33 | 39, Value::Number(0)) => return Err(Reason::PROTOCOL_ERROR),
                (33, Value::Number(count)) => connect.receive_max = count as u16,
                (39, Value::Number(bytes)) => connect.packet_max = bytes,
                (21, _) => connect.has_auth_method = true,
                _ => {}
            }
        }
    }
    connect.client_id = fields.text()?;
    if has_will {
        let mut will = Publish {
            topic: "",
            payload: b"",
            qos: will_qos,
            retain: will_retain,
            id: 0,
            alias: None,
            expiry_s: None,
            correlation_data: None,
            properties: Vec::new(),
        };
        if version == Version::V5 {
            message_properties(&mut will, fields.properties()?, &[24, 1, 2, 3, 8, 9, USER_PROPERTY])?;
        }
        will.topic = fields.text()?;
        will.payload = fields.binary()?;
        if !is_topic(will.topic) {
            return Err(Reason::BAD_TOPIC);
        }
        connect.will = Some(will);
    }
    if flags & 0x80 != 0 {
        connect.user = Some(fields.text()?);
    }
    if flags & 0x40 != 0 {
        connect.password = Some(fields.binary()?);
    }
    if fields.0.is_empty() { Ok(Packet::Connect(connect)) } else { Err(Reason::MALFORMED) }
}

fn publish(mut fields: Fields<'_>, flags: u8, version: Version) -> Result<Packet<'_>, Reason> {
    let qos = flags >> 1 & 3;
    if qos == 3 {
        return Err(Reason::MALFORMED);
    }
    let mut publish = Publish {
        topic: fields.text()?,
        payload: b"",
        qos,
        retain: flags & 1 != 0,
        id: if qos > 0 { fields.packet_id()? } else { 0 },
        alias: None,
        expiry_s: None,
        correlation_data: None,
        properties: Vec::new(),
    };
    if version == Version::V5 {
        message_properties(&mut publish, fields.properties()?, &[1, 2, 3, 8, 9, 35, USER_PROPERTY])?;
    }
    if !is_topic(publish.topic) && (publish.alias.is_none() || !publish.topic.is_empty()) {
        return Err(Reason::BAD_TOPIC);
    }
    publish.payload = fields.0;
    Ok(Packet::Publish(publish))
}

fn message_properties<'a>(
    publish: &mut Publish<'a>,
    mut properties: Properties<'a>,
    allowed: &[u8],
) -> Result<(), Reason> {
    while let Some(property) = properties.next(allowed)? {
        match (property.id, property.value) {
            // How long a will waits: it ends with the session, and ours end with the connection.
            (24, _) => {}
            (2, Value::Number(seconds)) => publish.expiry_s = Some(seconds),
            (9, Value::Binary(data)) => publish.correlation_data = Some(data),
            (35, Value::Number(0)) => return Err(Reason::BAD_ALIAS),
            (35, Value::Number(alias)) => publish.alias = Some(alias as u16),
            (1, Value::Number(2..)) => return Err(Reason::PROTOCOL_ERROR),
            _ => publish.properties.extend_from_slice(property.bytes),
        }
    }
    Ok(())
}

fn reply<'a>(fields: &mut Fields<'a>, kind: u8, version: Version) -> Result<Packet<'a>, Reason> {
    let id = fields.packet_id()?;
    let reason = reason(fields, version, &[31, USER_PROPERTY])?;
    Ok(match kind {
        4 => Packet::PubAck { id, reason },
        5 => Packet::PubRec { id, reason },
        6 => Packet::PubRel { id },
        _ => Packet::PubComp { id },
    })
}

/// Reason and properties, which version 5 may omit.
fn reason(fields: &mut Fields<'_>, version: Version, allowed: &[u8]) -> Result<Reason, Reason> {
    if version == Version::V4 || fields.0.is_empty() {
        return Ok(Reason::SUCCESS);
    }
    let reason = Reason(fields.byte()?);
    if !fields.0.is_empty() {
        fields.properties()?.skip(allowed)?;
    }
    Ok(reason)
}

fn subscribe<'a>(fields: &mut Fields<'a>, version: Version) -> Result<Packet<'a>, Reason> {
    let id = fields.packet_id()?;
    let mut subscription_id = None;
    if version == Version::V5 {
        let mut properties = fields.properties()?;
        while let Some(property) = properties.next(&[11, USER_PROPERTY])? {
            match property.value {
                Value::Number(0) => return Err(Reason::PROTOCOL_ERROR),
                Value::Number(number) => subscription_id = Some(number),
                _ => {}
            }
        }
    }
    let mut filters = Vec::new();
    while !fields.0.is_empty() {
        let filter = fields.text()?;
        let options = fields.byte()?;
        let (qos, retain_handling) = (options & 3, options >> 4 & 3);
        let reserved = if version == Version::V5 { 0xC0 } else { 0xFC };
        if options & reserved != 0 || qos == 3 || retain_handling == 3 {
            return Err(Reason::MALFORMED);
        }
        if !is_filter(filter) {
            return Err(Reason::BAD_FILTER);
        }
        let no_local = options & 4 != 0;
        if no_local && filter.starts_with("$share/") {
            return Err(Reason::PROTOCOL_ERROR);
        }
        filters.push(Subscription {
            filter,
            qos,
            no_local,
            retain_as_published: options & 8 != 0,
            retain_handling,
        });
    }
    match filters.is_empty() {
        true => Err(Reason::PROTOCOL_ERROR),
        false => Ok(Packet::Subscribe { id, subscription_id, filters }),
    }
}

fn unsubscribe<'a>(fields: &mut Fields<'a>, version: Version) -> Result<Packet<'a>, Reason> {
    let id = fields.packet_id()?;
    if version == Version::V5 {
        fields.properties()?.skip(&[USER_PROPERTY])?;
    }
    let mut filters = Vec::new();
    while !fields.0.is_empty() {
        filters.push(fields.text()?);
    }
    match filters.is_empty() {
        true => Err(Reason::PROTOCOL_ERROR),
        false => Ok(Packet::Unsubscribe { id, filters }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that begin like packets do.
    fn packets() -> impl Strategy<Value = Vec<u8>> {
        (any::<u8>(), prop::collection::vec(any::<u8>(), 0..120)).prop_map(|(first, body)| {
            let mut packet = vec![first, body.len() as u8];
            packet.extend(body);
            packet
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_a_reason(
            packet in packets(),
            version in prop::option::of(prop::sample::select(vec![Version::V4, Version::V5])),
        ) {
            prop_assert_eq!(frame(&packet, 1 << 20), Ok(Frame::Length(packet.len())));
            let _ = decode(&packet, version);
        }

        #[test]
        fn a_length_is_read_once_its_bytes_are_there(length in 0usize..1 << 27, cut in 0usize..6) {
            let mut bytes = vec![0x30];
            let mut rest = length;
            loop {
                let more = rest > 127;
                bytes.push((rest & 127) as u8 | if more { 128 } else { 0 });
                rest >>= 7;
                if !more { break }
            }
            let whole = Ok(Frame::Length(bytes.len() + length));
            prop_assert_eq!(frame(&bytes, usize::MAX), whole);
            prop_assert_eq!(frame(&bytes, length), Err(Reason::TOO_LARGE));
            if cut < bytes.len() {
                prop_assert_eq!(frame(&bytes[..cut], usize::MAX), Ok(Frame::Unknown));
            }
        }
    }

    #[test]
    fn properties_that_only_we_handle_are_not_passed_on() {
        // Expiry 7, alias 3, correlation data "c", a user property.
        let packet = b"\x30\x1c\0\x01t\x17\x02\0\0\0\x07\x23\0\x03\x09\0\x01c\x26\0\x01a\0\x01bhi??";
        let mut packet = packet.to_vec();
        packet.truncate(2 + 3 + 1 + 5 + 3 + 4 + 7);
        packet[1] = packet.len() as u8 - 2;
        packet[5] = 5 + 3 + 4 + 7;
        packet.extend(b"hi");
        packet[1] += 2;
        let Ok(Packet::Publish(publish)) = decode(&packet, Some(Version::V5)) else { panic!("a message") };
        assert_eq!((publish.topic, publish.payload), ("t", &b"hi"[..]));
        assert_eq!((publish.expiry_s, publish.alias), (Some(7), Some(3)));
        assert_eq!(publish.correlation_data, Some(&b"c"[..]));
        assert_eq!(publish.properties, b"\x26\0\x01a\0\x01b");
    }

    #[test]
    fn an_old_version_is_told_apart_from_what_is_not_mqtt() {
        let old = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x00\x00\x01x";
        assert_eq!(decode(old, None), Err(Reason::UNSUPPORTED_VERSION));
        assert_eq!(decode(b"\x10\x07\x00\x04HTTP\x04", None), Err(Reason::MALFORMED));
        assert_eq!(decode(b"\xc0\x00", None), Err(Reason::PROTOCOL_ERROR));
    }
}
