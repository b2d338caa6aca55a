//! Hostile and random texts: nothing panics, and no text takes more than time in proportion to its length.
