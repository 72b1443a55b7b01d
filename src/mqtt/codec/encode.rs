//! From packets to bytes, appended to what waits for a client.

use bytes::{BufMut, BytesMut};

use super::{Reason, Version};

/// What CONNACK tells a client of version 5.
#[derive(Debug, Clone, Copy)]
pub(in crate::mqtt) struct ConnAckLimits<'a> {
    pub packet_max: u32,
    pub alias_max: u16,
    pub receive_max: u16,
    /// The id that we gave a client without one.
    pub assigned_id: Option<&'a str>,
}

pub(in crate::mqtt) fn connack(
    version: Version,
    reason: Reason,
    limits: Option<ConnAckLimits<'_>>,
    into: &mut BytesMut,
) {
    if version == Version::V4 {
        // The reasons that 3.1.1 has.
        let code = match reason {
            Reason::SUCCESS => 0,
            Reason::UNSUPPORTED_VERSION => 1,
            Reason::BAD_CLIENT_ID => 2,
            Reason::BAD_LOGIN => 4,
            Reason::NOT_AUTHORIZED => 5,
            _ => 3,
        };
        into.put_slice(&[0x20, 2, 0, code]);
        return;
    }
    let mut properties = BytesMut::new();
    if let Some(limits) = limits {
        // No session outlives its connection.
        properties.put_u8(17);
        properties.put_u32(0);
        properties.put_u8(39);
        properties.put_u32(limits.packet_max);
        properties.put_u8(34);
        properties.put_u16(limits.alias_max);
        properties.put_u8(33);
        properties.put_u16(limits.receive_max);
        if let Some(id) = limits.assigned_id {
            properties.put_u8(18);
            put_text(id, &mut properties);
        }
    }
    into.put_u8(0x20);
    put_variable(2 + variable_bytes(properties.len()) + properties.len(), into);
    into.put_slice(&[0, reason.0]);
    put_variable(properties.len(), into);
    into.put_slice(&properties);
}

/// The answer to a version before 3.1.1, in its form.
pub(in crate::mqtt) fn connack_refused_before_4(into: &mut BytesMut) {
    into.put_slice(&[0x20, 2, 0, 1]);
}

/// What of a message depends on who gets it.
#[derive(Debug, Clone, Copy)]
pub(in crate::mqtt) struct MessageHead<'a> {
    pub topic: &'a [u8],
    pub qos: u8,
    pub retain: bool,
    /// Ignored at QoS 0.
    pub id: u16,
    pub expiry_s: Option<u32>,
    pub subscription_ids: &'a [u32],
    pub properties: &'a [u8],
}

impl MessageHead<'_> {
    fn properties_len(&self) -> usize {
        let ids: usize = self.subscription_ids.iter().map(|id| 1 + variable_bytes(*id as usize)).sum();
        ids + self.properties.len() + if self.expiry_s.is_some() { 5 } else { 0 }
    }

    /// Bytes behind the fixed head.
    fn remaining(&self, version: Version, payload: usize) -> usize {
        let properties = match version {
            Version::V4 => 0,
            Version::V5 => variable_bytes(self.properties_len()) + self.properties_len(),
        };
        2 + self.topic.len() + if self.qos > 0 { 2 } else { 0 } + properties + payload
    }

    /// Bytes of the whole packet.
    pub fn len(&self, version: Version, payload: usize) -> usize {
        let remaining = self.remaining(version, payload);
        1 + variable_bytes(remaining) + remaining
    }
}

pub(in crate::mqtt) fn publish(
    version: Version,
    head: &MessageHead<'_>,
    payload: &[u8],
    into: &mut BytesMut,
) {
    into.reserve(head.len(version, payload.len()));
    into.put_u8(0x30 | head.qos << 1 | u8::from(head.retain));
    put_variable(head.remaining(version, payload.len()), into);
    into.put_u16(head.topic.len() as u16);
    into.put_slice(head.topic);
    if head.qos > 0 {
        into.put_u16(head.id);
    }
    if version == Version::V5 {
        put_variable(head.properties_len(), into);
        if let Some(seconds) = head.expiry_s {
            into.put_u8(2);
            into.put_u32(seconds);
        }
        for id in head.subscription_ids {
            into.put_u8(11);
            put_variable(*id as usize, into);
        }
        into.put_slice(head.properties);
    }
    into.put_slice(payload);
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, by their first byte.
pub(in crate::mqtt) fn pub_reply(version: Version, first: u8, id: u16, reason: Reason, into: &mut BytesMut) {
    let has_reason = version == Version::V5 && reason != Reason::SUCCESS;
    into.put_slice(&[first, if has_reason { 3 } else { 2 }]);
    into.put_u16(id);
    if has_reason {
        into.put_u8(reason.0);
    }
}

/// One code for each filter: the QoS granted, or why not.
pub(in crate::mqtt) fn suback(version: Version, id: u16, codes: &[u8], into: &mut BytesMut) {
    put_codes(
        0x90,
        version,
        id,
        codes.iter().map(|code| match version {
            Version::V4 if *code >= 0x80 => 0x80,
            _ => *code,
        }),
        into,
    );
}

pub(in crate::mqtt) fn unsuback(version: Version, id: u16, codes: &[u8], into: &mut BytesMut) {
    match version {
        Version::V4 => put_codes(0xB0, version, id, [].into_iter(), into),
        Version::V5 => put_codes(0xB0, version, id, codes.iter().copied(), into),
    }
}

fn put_codes(
    first: u8,
    version: Version,
    id: u16,
    codes: impl ExactSizeIterator<Item = u8>,
    into: &mut BytesMut,
) {
    let no_properties = usize::from(version == Version::V5);
    into.put_u8(first);
    put_variable(2 + no_properties + codes.len(), into);
    into.put_u16(id);
    into.put_bytes(0, no_properties);
    into.extend(codes);
}

/// Sends version 5 the reason; for 3.1.1 there is no such packet, and the connection just closes.
pub(in crate::mqtt) fn disconnect(version: Version, reason: Reason, into: &mut BytesMut) {
    if version == Version::V5 {
        into.put_slice(&[0xE0, 1, reason.0]);
    }
}

fn put_text(text: &str, into: &mut BytesMut) {
    into.put_u16(text.len() as u16);
    into.put_slice(text.as_bytes());
}

fn put_variable(mut number: usize, into: &mut BytesMut) {
    while number > 0x7F {
        into.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    into.put_u8(number as u8);
}

fn variable_bytes(number: usize) -> usize {
    match number {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}
