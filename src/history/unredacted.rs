//! What the trail of writes says of people lies here until the policy has looked at it for whoever asks.
//!
//! Changes, items of plans and entries of the outbox hold values of many records at once. Readers give them out as
//! [`Unredacted`], which cannot be written as JSON; `compliance::tell` opens them for a caller. The program's own work
//! looks [`inside`](Unredacted::inside).

/// Something of the trail that nobody has been told yet.
#[derive(Clone, Debug)]
pub struct Unredacted<T>(T);

impl<T> Unredacted<T> {
    /// Puts it away; what readers do.
    pub fn new(said: T) -> Self {
        Self(said)
    }

    /// For the program's own work; nothing of it may reach an answer.
    pub fn inside(&self) -> &T {
        &self.0
    }

    /// Opens it: for the policy, and for the command line, whose user reads the database anyway.
    pub fn reveal(self) -> T {
        self.0
    }
}
