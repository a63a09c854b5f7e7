//! Which process this is, and whether another one is certainly dead.

use std::fs;

/// A process, named so that no other process on any machine has the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The machine since its last start, and the namespace its process ids belong to.
    pub host: String,
    /// The process id.
    pub pid: i64,
    /// When it began, as the kernel counts it; process ids are used again.
    pub started: String,
}

impl Process {
    /// This process.
    #[must_use]
    pub fn current() -> Self {
        let pid = std::process::id();
        Self { host: host(), pid: i64::from(pid), started: started(&pid.to_string()).unwrap_or_default() }
    }

    /// Whether it is certainly dead. One on another machine never is; its lease has to run out.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.host == host()
            && !self.started.is_empty()
            && started(&self.pid.to_string()).is_none_or(|began| began != self.started)
    }
}

/// The machine's present boot and this process's namespace of process ids. Where the system does not
/// tell, the name is unique to this process, so that nobody is taken for dead.
fn host() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let space = fs::read_link("/proc/self/ns/pid");
    match (boot, space) {
        (Ok(boot), Ok(space)) => format!("{} {}", boot.trim(), space.display()),
        _ => format!("unknown {}", std::process::id()),
    }
}

/// The start time of a live process that is no zombie (fields 22 and 3 of its `stat`).
fn started(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_alive_and_the_dead_are_dead() {
        let us = Process::current();
        assert!(!us.is_dead());
        assert!(Process { started: "1".to_owned(), ..us.clone() }.is_dead(), "the id was used again");
        assert!(Process { pid: i64::from(i32::MAX), ..us.clone() }.is_dead());
        assert!(!Process { host: "elsewhere".to_owned(), pid: 1, ..us }.is_dead());
    }
}
