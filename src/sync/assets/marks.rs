//! Which serial numbers and network addresses tell one device from another, and which are on thousands.

use crate::types::fold;

/// What makers write where a serial number should be, folded.
const PLACEHOLDERS: &[&str] = &[
    "to be filled by o.e.m.",
    "to be filled by o.e.m",
    "to be filled by oem",
    "filled by o.e.m.",
    "tobefilledbyo.e.m.",
    "default string",
    "default",
    "default_string",
    "system serial number",
    "system serial no",
    "system product name",
    "system manufacturer",
    "chassis serial number",
    "base board serial number",
    "baseboard serial number",
    "serial number",
    "serialnumber",
    "serial",
    "none",
    "null",
    "nil",
    "n/a",
    "n.a.",
    "na",
    "not applicable",
    "not available",
    "not specified",
    "not present",
    "not provided",
    "not set",
    "no asset tag",
    "unknown",
    "undefined",
    "unspecified",
    "invalid",
    "empty",
    "blank",
    "test",
    "tbd",
    "o.e.m.",
    "oem",
    "evaluation",
    "sn",
    "s/n",
    "0123456789",
    "123456789",
    "1234567890",
    "12345678",
    "1234567",
    "123456",
    "12345",
    "1234",
    "abcdefgh",
    "system version",
    "type2 - board serial number",
    "mb-1234567890",
    "nbsn1234567890",
];

/// The first half of network addresses that wander from device to device (docking stations, USB
/// adapters), or are made up on each machine (virtual machines, VPN clients).
const WANDERING: &[&str] = &[
    "00e04c", "9cebe8", "0050b6", "8cae4c", "00249b", "a0cec8", "3c18a0", "387c76", "00133b", "000ec6", "f8e43b", "644bf0",
    "7cc2c6", "00059a", "00090f", "005056", "000c29", "000569", "001c14", "00155d", "080027", "00163e", "001c42", "0003ff",
    "0021f6", "506b8d", "005345", "00ff", "0242", "02004c", "025041", "0a0027", "525400", "7a7919", "020054",
];

/// A serial number as it is compared; `None` for one that says nothing.
#[must_use]
pub fn serial(text: &str) -> Option<String> {
    let folded = fold(text);
    let plain =
        folded.trim_matches(|c: char| matches!(c, '.' | '-' | '_' | '*' | '#' | '"' | '\'' | '(' | ')' | '[' | ']' | ' '));
    if PLACEHOLDERS.contains(&folded.as_str()) || PLACEHOLDERS.contains(&plain) {
        return None;
    }
    let core: String = plain.chars().filter(|c| c.is_alphanumeric()).collect();
    let first = core.chars().next()?;
    let one_sign = core.chars().all(|c| c == first);
    let zeros = core.chars().all(|c| matches!(c, '0' | 'x' | 'o'));
    let oem = core.starts_with("tobefilled") || core.starts_with("defaultstring") || core.starts_with("systemserial");
    (core.chars().count() >= 4 && !one_sign && !zeros && !oem && !PLACEHOLDERS.contains(&core.as_str())).then_some(core)
}

/// A network address as twelve hexadecimal digits; `None` for one that does not stay with a device.
#[must_use]
pub fn mac(text: &str) -> Option<String> {
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    let separated = text.trim().chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.' | ' '));
    if hex.len() != 12 || !separated {
        return None;
    }
    let first = u8::from_str_radix(hex.get(..2)?, 16).ok()?;
    // The lowest bit: a group's address.
    let own = first & 1 == 0;
    let digit = hex.chars().next()?;
    let plain = hex.chars().all(|c| c == digit) || hex.get(6..)? == "000000";
    let wanders = WANDERING.iter().any(|prefix| hex.starts_with(prefix));
    (own && !plain && !wanders).then_some(hex)
}

/// Whether an adapter's name says that its address belongs to a dock, a tunnel or a virtual network.
#[must_use]
pub fn wanders(adapter: &str) -> bool {
    const WORDS: &[&str] = &[
        "usb",
        "dock",
        "thunderbolt",
        "virtual",
        "vmware",
        "hyper-v",
        "vpn",
        "tap-",
        "tap ",
        "wireguard",
        "tunnel",
        "miniport",
        "bluetooth",
        "loopback",
        "anyconnect",
        "fortinet",
        "sonicwall",
        "globalprotect",
        "teredo",
        "isatap",
        "npcap",
        "docker",
        "vethernet",
        "pangp",
        "zscaler",
        "tailscale",
        "nordlynx",
    ];
    let name = fold(adapter);
    WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_serials_say_nothing() {
        for junk in [
            "To be filled by O.E.M.",
            "TO BE FILLED BY O.E.M.",
            " to be  filled by o.e.m. ",
            "Default string",
            "System Serial Number",
            "None",
            "none",
            "N/A",
            "n/a",
            "....",
            ".",
            "",
            "   ",
            "0",
            "00000000",
            "0000-0000",
            "XxXxXxXx",
            "xxxx",
            "-",
            "111111",
            "Not Specified",
            "123456789",
            "0123456789",
            "Chassis Serial Number",
            "INVALID",
            "unknown",
            "\u{feff}",
            "*****",
            "000",
            "ab",
        ] {
            assert_eq!(serial(junk), None, "{junk:?}");
        }
        for (good, want) in [
            ("5CG1234ABC", "5cg1234abc"),
            (" pf-2x 9k1 ", "pf2x9k1"),
            ("VMware-56 4d 1f", "vmware564d1f"),
            ("JKQ7L03", "jkq7l03"),
        ] {
            assert_eq!(serial(good).as_deref(), Some(want));
        }
    }

    #[test]
    fn addresses_that_wander_say_nothing() {
        for junk in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "00:E0:4C:68:00:01",
            "00-05-9A-3C-7A-00",
            "02:42:ac:11:00:02",
            "00:50:56:aa:bb:cc",
            "00:15:5D:01:02:03",
            "01:00:5e:00:00:01",
            "not a mac",
            "",
            "00:11:22",
            "9C:EB:E8:12:34:56",
            "00:ff:12:34:56:78",
        ] {
            assert_eq!(mac(junk), None, "{junk:?}");
        }
        assert_eq!(mac("D8-BB-C1-AB-CD-EF").as_deref(), Some("d8bbc1abcdef"));
        assert_eq!(mac("d8bb.c1ab.cdef").as_deref(), Some("d8bbc1abcdef"));
        assert!(wanders("Realtek USB GbE Family Controller") && wanders("Hyper-V Virtual Ethernet Adapter"));
        assert!(!wanders("Intel(R) Ethernet Connection I219-LM"));
    }
}
