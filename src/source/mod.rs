//! File framing.
