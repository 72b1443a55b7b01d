//! Inputs: files of every form, whole, cut off, mutated, generated, and those that cannot be
//! mapped.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod about;
#[path = "../common/mod.rs"]
mod common;
mod containers;
mod cut;
mod events;
mod fifo;
mod found;
mod generate;
mod golden;
mod inspect;
mod junk;
mod mended;
mod mutated;
mod open;
mod real_files;
mod spellings;
mod tables;
mod times;
mod wrong_uses;
