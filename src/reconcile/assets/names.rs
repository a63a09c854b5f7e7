//! What a hostname says of a device: which names are borne by anything, and which two mean the same machine.

use crate::types::fold;

/// The longest name that `NetBIOS` keeps; what is longer is cut off there.
const NETBIOS: usize = 15;

/// Names that a system, a maker or a hurried person gives to anything, without blanks and punctuation.
/// From the names that Windows, macOS, iOS, Android, Linux distributions and hypervisors start with, and from the
/// names that Dell OME (`INVALID_DEVICE_HOSTNAME`) and GLPI do not believe.
const GENERIC: &[&str] = &[
    "admin",
    "adminpc",
    "administrator",
    "android",
    "appletv",
    "applewatch",
    "archlinux",
    "asus",
    "acer",
    "camera",
    "centos",
    "chromebook",
    "client",
    "computer",
    "debian",
    "default",
    "defaultstring",
    "dell",
    "desktop",
    "desktoppc",
    "device",
    "diskstation",
    "esxi",
    "fedora",
    "firewall",
    "gateway",
    "guest",
    "homepc",
    "host",
    "hostname",
    "hp",
    "hppc",
    "idrac",
    "image",
    "kali",
    "laptop",
    "laptoppc",
    "lenovo",
    "linux",
    "localdomain",
    "localhost",
    "localhost4",
    "localhost6",
    "machine",
    "manjaro",
    "minint",
    "minwinpc",
    "mobile",
    "mycomputer",
    "mypc",
    "na",
    "name",
    "newcomputer",
    "newhost",
    "newlaptop",
    "newpc",
    "newserver",
    "nil",
    "none",
    "nohostname",
    "noname",
    "notavailable",
    "notdefined",
    "notebook",
    "null",
    "officepc",
    "openwrt",
    "owner",
    "ownerpc",
    "pc",
    "phone",
    "printer",
    "proxmox",
    "pve",
    "raspberrypi",
    "raspberry",
    "redhat",
    "router",
    "samsung",
    "server",
    "surface",
    "switch",
    "synology",
    "sysprep",
    "tablet",
    "temp",
    "template",
    "test",
    "testpc",
    "tobefilledbyoem",
    "toshiba",
    "ubuntu",
    "undefined",
    "unknown",
    "unknowndevice",
    "unknownhost",
    "unnamed",
    "user",
    "userpc",
    "vcenter",
    "virtualmachine",
    "vm",
    "vmware",
    "win10",
    "win11",
    "win7",
    "win8",
    "windows",
    "windows10",
    "windows11",
    "windowspc",
    "winpe",
    "workgroup",
    "workstation",
];

/// Products that name themselves, and count when the name is taken: `iPhone`, `MacBook-Pro-2`, `iPad (3)`.
const COUNTED: &[&str] = &[
    "android",
    "galaxy",
    "imac",
    "imacpro",
    "ipad",
    "ipadair",
    "ipadmini",
    "ipadpro",
    "iphone",
    "ipod",
    "ipodtouch",
    "mac",
    "macbook",
    "macbookair",
    "macbookpro",
    "macmini",
    "macpro",
    "macstudio",
];

/// A hostname as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hostname {
    /// Folded, without a dot at the end.
    pub full: String,
    /// The first label, when the rest is a domain.
    pub short: String,
    /// Whether anything may be called that.
    pub generic: bool,
}

/// How alike two names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The same name.
    Same,
    /// One has a domain that the other lacks, or another one.
    Domain,
    /// One is cut off where `NetBIOS` ends.
    CutOff,
}

impl Hostname {
    /// Reads a name.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let full = fold(text).trim_matches('.').to_owned();
        let short = match full.split_once('.') {
            Some((first, domain)) if is_domain(first, domain) => first.to_owned(),
            _ => full.clone(),
        };
        let generic = is_generic(&short) || full.parse::<std::net::IpAddr>().is_ok();
        Self { full, short, generic }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full.is_empty()
    }

    /// What two names have in common that may be alike.
    #[must_use]
    pub fn stem(&self) -> String {
        self.short.chars().take(NETBIOS).collect()
    }

    /// How alike it is to another one.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Option<Likeness> {
        if self.is_empty() || other.is_empty() {
            return None;
        }
        if self.full == other.full {
            return Some(Likeness::Same);
        }
        if self.short == other.short {
            return Some(Likeness::Domain);
        }
        let cut = |short: &Self, long: &Self| short.short.chars().count() == NETBIOS && long.short.starts_with(&short.short);
        (cut(self, other) || cut(other, self)).then_some(Likeness::CutOff)
    }
}

fn is_domain(first: &str, domain: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    label(first) && domain.split('.').all(label) && domain.chars().any(char::is_alphabetic)
}

fn is_generic(short: &str) -> bool {
    let plain: String = short.chars().filter(|c| c.is_alphanumeric()).collect();
    if plain.chars().count() < 2 || plain.chars().all(|c| matches!(c, '0' | 'x')) || GENERIC.contains(&plain.as_str()) {
        return true;
    }
    // Android's own name is followed by a number that it makes up.
    if short.starts_with("android-") || short.starts_with("android_") {
        return true;
    }
    COUNTED.contains(&plain.trim_end_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_names_are_anybodys() {
        for name in [
            "localhost",
            "LOCALHOST.localdomain",
            "localhost.local",
            "DESKTOP",
            "Laptop",
            "PC",
            "N/A",
            "n.a.",
            "unknown",
            "(none)",
            "-",
            "",
            "iPhone",
            "iPad (2)",
            "iPhone-3",
            "MacBook-Pro",
            "MacBook Pro",
            "Macbook-Pro-2.local",
            "MacBook-Air.lan",
            "Mac-mini",
            "android-5f3c1d2e4b6a7988",
            "Android",
            "raspberrypi",
            "To be filled by O.E.M.",
            "192.168.1.50",
            "Default string",
            "WORKSTATION",
        ] {
            assert!(Hostname::of(name).generic, "{name:?}");
        }
        for name in ["LT-A002", "DESKTOP-7G2K1QD", "PC-14", "WIN-4J2K", "Avas-iPhone", "RECEPTION", "DC01", "lt-a002.corp.local"]
        {
            assert!(!Hostname::of(name).generic, "{name:?}");
        }
    }

    #[test]
    fn names_differ_by_domain_and_by_length() {
        let alike = |a: &str, b: &str| Hostname::of(a).likeness(&Hostname::of(b));
        assert_eq!(alike("LT-A002", "lt-a002"), Some(Likeness::Same));
        assert_eq!(alike("LT-A002", "lt-a002.corp.local"), Some(Likeness::Domain));
        assert_eq!(alike("lt-a002.corp.local.", "lt-a002.corp.local"), Some(Likeness::Same));
        assert_eq!(alike("RECEPTION-FRONT", "reception-frontdesk-2"), Some(Likeness::CutOff));
        assert_eq!(alike("reception-frontdesk-2.corp.local", "RECEPTION-FRONT"), Some(Likeness::CutOff));
        assert_eq!(alike("RECEPTION", "reception-frontdesk-2"), None);
        assert_eq!(alike("10.0.0.5", "10.0.0.7"), None);
        assert_eq!(alike("", ""), None);
    }
}
