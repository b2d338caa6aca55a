//! How much reading a text takes, counted in tests: time must grow with the length of a text and no faster, whatever it says.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// So many characters, words or matches were looked at.
#[cfg(test)]
pub(super) fn count(steps: usize) {
    STEPS.with(|all| all.set(all.get() + steps));
}

/// Nobody counts outside of tests.
#[cfg(not(test))]
#[inline]
pub(super) fn count(_steps: usize) {}

/// The steps of this thread so far.
#[cfg(test)]
pub(super) fn steps() -> usize {
    STEPS.with(std::cell::Cell::get)
}
