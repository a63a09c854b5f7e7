//! Why a command did not do what it was asked, and the exit code that says so to a script.

use std::{fmt, io, io::Write as _};

use crate::{config::Problem, error::Error};

/// Done.
pub const DONE: u8 = 0;
/// It failed for a reason without a code of its own.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// `doctor` found something.
pub const FINDINGS: u8 = 3;
/// Someone else holds what we need: a port, a lock, a running sync.
pub const BUSY: u8 = 4;
/// The database or the disk cannot be used.
pub const STORAGE: u8 = 5;
/// A vendor failed, or its answer cannot be trusted.
pub const UPSTREAM: u8 = 6;
/// A plan is stale or waits for approval.
pub const APPROVAL: u8 = 7;

/// A failure with its exit code and one line for the person.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A failure with this exit code.
    #[must_use]
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The command line asks for something that cannot be.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// The database cannot be opened, whatever the reason: storage, unless someone else holds it.
    #[must_use]
    pub fn opening(error: Error) -> Self {
        let code = match &error {
            Error::BadRequest(_) => USAGE,
            _ => STORAGE,
        };
        Self::new(code, error.to_string())
    }

    /// A command that the state of the database forbids: the caller asked the wrong one.
    #[must_use]
    pub fn refused(error: Error) -> Self {
        match error {
            Error::Conflict { message, .. } => Self::usage(message),
            other => other.into(),
        }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Prints the one line, in red on a terminal; nothing when the reader of our output just left.
    pub fn report(&self) {
        if self.message.is_empty() {
            return;
        }
        let mut err = io::stderr().lock();
        let label = if super::out::coloured_err() { "\u{1b}[31merror:\u{1b}[0m" } else { "error:" };
        let _nobody_listens = writeln!(err, "{label} {}", self.message);
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::new(USAGE, problem.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(DONE, ""),
            _ => Self::new(FAILED, error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Invalid(_) | Error::BadRequest(_) | Error::TooLarge { .. } | Error::UnsupportedMedia(_) => USAGE,
            Error::Unavailable(_) => BUSY,
            Error::Storage(_) | Error::Damaged(_) => STORAGE,
            Error::Upstream { .. } => UPSTREAM,
            Error::PreconditionFailed => APPROVAL,
            Error::NotFound { .. }
            | Error::Missing(_)
            | Error::Unauthorized(_)
            | Error::Forbidden(_)
            | Error::Conflict { .. }
            | Error::Gone { .. }
            | Error::MethodNotAllowed
            | Error::TooMany { .. }
            | Error::TooSlow
            | Error::Constraint(_)
            | Error::Internal(_) => FAILED,
        };
        Self::new(code, error.to_string())
    }
}
