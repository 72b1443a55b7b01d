//! The `tweetblast` command.

fn main() {}
