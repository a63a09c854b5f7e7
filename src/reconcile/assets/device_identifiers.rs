//! Which serial numbers and network addresses tell one device from another, and which are on thousands.
//!
//! The tables are facts that inventories have gathered: GLPI's blacklists and those of its inventory plug-in (serial
//! numbers, UUIDs, network addresses), FreeBSD's `hostid` (UUIDs), dmidecode and systemd's hardware database (what makers
//! leave in DMI), fwupd (Dell's empty service tag), Dell OME (`COMMON_MAC_ADDRESSES`), Juniper's and
//! Palo Alto's lists of addresses that their VPN clients share, OCS Inventory and Lansweeper (WAN miniports), and IEEE's
//! register of makers for docks, USB adapters and virtual machines. No table is complete: what two live devices carry is
//! left out by [`super::census`], whatever it is.

use crate::types::fold;

/// What stands where a serial number should be, folded and without blanks and punctuation.
const PLACEHOLDERS: &[&str] = &[
    "abcdefgh",
    "allseries",
    "assettag",
    "badindex",
    "baseboardserialnumber",
    "blank",
    "boardserialnumber",
    "bsn12345678901234567",
    "chassisserialnumber",
    "computer",
    "default",
    "defaultstring",
    "desktop",
    "empty",
    "eval",
    "evaluation",
    "filledbyoem",
    "gateway",
    "iatpass",
    "innoteksystem",
    "invalid",
    "laptop",
    "mb1234567890",
    "na",
    "nbsn1234567890",
    "nil",
    "noassettag",
    "none",
    "noserial",
    "noserialnumber",
    "notapplicable",
    "notavailable",
    "notdefined",
    "notfilled",
    "notpresent",
    "notprovided",
    "notset",
    "notsettable",
    "notspecified",
    "null",
    "nullstring",
    "oem",
    "oemserial",
    "oemserialnumber",
    "outofspec",
    "pleasereplacethis",
    "productname",
    "s1234567890",
    "sample",
    "serial",
    "serialno",
    "serialnum",
    "serialnumber",
    "sn",
    "standard",
    "string",
    "sys1234567890",
    "sys9876543210",
    "systemmanufacturer",
    "systemname",
    "systemproductname",
    "systemserial",
    "systemserialno",
    "systemserialnumb",
    "systemserialnumber",
    "systemversion",
    "tbd",
    "test",
    "tobedefined",
    "tobefilled",
    "tobefilledbyoem",
    "tulipcomputers",
    "type1productconfigid",
    "type1skunumber",
    "type2boardserialnumber",
    "undefined",
    "unknow",
    "unknown",
    "unspecified",
    "uninitialized",
    "virtualmachine",
    "xserialnumber",
];

/// How placeholders begin, whatever follows.
const BEGINNINGS: &[&str] =
    &["tobefilled", "defaultstring", "systemserial", "chassisserial", "baseboardserial", "serialnumberxx", "sn123456fvgv"];

/// What a serial number of digits may begin with before it counts up: `SYS-1234567890`, `SN-12345`.
const PREFIXES: &[&str] = &["", "sn", "s", "sys", "mb", "bsn", "nbsn", "serial", "no", "nr", "system", "chassis", "board"];

/// UUIDs that whole series of boards have.
const UUIDS: &[&str] = &[
    "00010203040506070809", // counted up
    "03020100050407060809",
    "00020003000400050006000700080009",
    "03000200040005000006000700080009",
    "07090201010303010807060504030201",
    "11111111222233334444555555555555",
    "12345678123412341234123456789abc",
    "12345678123456789012345678901234",
    "4c4c454400002010802080c04f202020", // Dell without a service tag
    "6ab5b300538d10149fb5b0684d007b53",
    "890e2d14cacd45d1ae66bc80e8bfeb0f",
    "8e275844178f44a8aceba7d7e5178c63",
    "dc698397fa544cf282c8b1b5307a6a7f",
    "deadbeefdeadbeefdeadbeefdeadbeef",
];

/// Network addresses that every computer with the same driver or the same chip has.
const SHARED: &[&str] = &[
    "204153594eff", // Windows, RAS asynchronous adapter: " ASYN"
    "505054503030", // Windows, WAN miniport (PPTP): "PPTP00"
    "0000ffffffff",
    "000bcafe0000", // Juniper Network Connect
    "000bcafe0001",
    "00059a3c7a00", // Cisco AnyConnect
    "00a0c6000000", // Qualcomm, mobile broadband
    "0c5b8f279a64", // Huawei, USB modems
    "582c80139263",
    "001e101f0000",
    "acde48001122", // Apple, the bus behind the Touch Bar
    "00044b808003", // NVIDIA nForce, not written by the board's maker
    "888888888788", // ASRock, likewise
    "0015830cbfeb", // Bluetooth dongles
    "001122334455",
    "000102030405",
    "123456789abc",
    "00ab00000000",
];

/// The first digits of network addresses that wander from device to device (docking stations, USB adapters,
/// Bluetooth dongles, modems), are made up on each machine (virtual machines, VPN clients), or move between
/// routers that stand in for each other.
const WANDERING: &[&str] = &[
    "00e04c",
    "9cebe8",
    "0050b6",
    "8cae4c",
    "00249b",
    "a0cec8",
    "3c18a0",
    "387c76",
    "00133b",
    "000ec6",
    "f8e43b",
    "644bf0",
    "7cc2c6",
    "00059a",
    "00090f",
    "005056",
    "000c29",
    "000569",
    "001c14",
    "00155d",
    "080027",
    "00163e",
    "001c42",
    "0003ff",
    "0021f6",
    "506b8d",
    "005345",
    "00ff",
    "0242",
    "02004c",
    "025041",
    "0a0027",
    "525400",
    "7a7919",
    "020054",
    "bc2411",
    "001a7dda71",
    "001e101f",
    "00000c07ac",
    "00000c9ff",
    "00005e0001",
    "00005e0002",
];

/// Letters and digits alone, folded.
fn bare(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A serial number as it is compared; `None` for one that says nothing.
#[must_use]
pub fn serial(text: &str) -> Option<String> {
    let core = bare(text);
    (core.chars().count() >= 4 && !stands_for_nothing(text, &core)).then_some(core)
}

/// Whether a text only stands where a serial number should be. A short one may be a number, but tells nothing apart.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    stands_for_nothing(text, &bare(text))
}

fn stands_for_nothing(text: &str, core: &str) -> bool {
    core.is_empty()
        || PLACEHOLDERS.contains(&core)
        || BEGINNINGS.iter().any(|beginning| core.starts_with(beginning))
        || is_filler(core)
        || is_counted(core)
        || is_version(text)
        || (core.len() == 32 && core.bytes().all(|b| b.is_ascii_hexdigit()) && uuid(core).is_none())
}

/// One sign, or two by turns, or nothing but noughts, ones and crosses.
fn is_filler(core: &str) -> bool {
    let signs: Vec<char> = core.chars().collect();
    let repeats = |length: usize| signs.iter().zip(signs.iter().skip(length)).all(|(a, b)| a == b);
    let noughts = |few: &[char]| signs.iter().all(|c| few.contains(c));
    repeats(1) || (signs.len() >= 6 && repeats(2)) || noughts(&['0', 'x', 'o']) || noughts(&['0', '1'])
}

/// Digits or letters that count up or down, after one of the usual beginnings, and followed by noughts at most.
fn is_counted(core: &str) -> bool {
    PREFIXES.iter().filter_map(|prefix| core.strip_prefix(prefix)).any(|rest| {
        let signs: Vec<u32> = rest.trim_end_matches("000").chars().map(u32::from).collect();
        let up = |a: u32, b: u32| {
            b == a + 1 || (a == u32::from('9') && b == u32::from('0')) || (a == u32::from('9') && b == u32::from('a'))
        };
        let pairs = || signs.iter().zip(signs.iter().skip(1));
        signs.len() >= 4 && (pairs().all(|(a, b)| up(*a, *b)) || pairs().all(|(a, b)| up(*b, *a)))
    })
}

/// A version, such as `1.0` or `2.3.1`, in the place of a number.
fn is_version(text: &str) -> bool {
    let text = text.trim();
    let parts: Vec<&str> = text.split('.').collect();
    (2..=4).contains(&parts.len())
        && parts.iter().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// A board's UUID as 32 hexadecimal digits; `None` for one that says nothing.
#[must_use]
pub fn uuid(text: &str) -> Option<String> {
    let hex = bare(text);
    if hex.len() != 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let listed = UUIDS.iter().any(|known| hex.starts_with(known));
    // ASRock writes the first bytes only; others leave the end as it is erased.
    let unwritten = hex.ends_with("00000000000000000000") || hex.ends_with("ffffffffffffffffffffffff");
    (!is_filler(&hex) && !listed && !unwritten).then_some(hex)
}

/// What a network address is, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Given by the maker of a part that stays in the device.
    Maker,
    /// A virtual machine's, or of a maker of docks and adapters.
    Wanders,
    /// Made up by the system, often anew.
    MadeUp,
}

/// Twelve hexadecimal digits, in whatever way they are written.
fn digits(text: &str) -> Option<String> {
    let separated = text.trim().chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.' | '_' | ' '));
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    (separated && hex.len() == 12).then_some(hex)
}

/// A network address as twelve hexadecimal digits, and what it is; `None` for what is no device's address.
#[must_use]
pub fn address(text: &str) -> Option<(String, Standing)> {
    let hex = digits(text)?;
    let first = u8::from_str_radix(hex.get(..2)?, 16).ok()?;
    // The lowest bit: a group's address. Windows' dial-up miniports have addresses that end in " RAS".
    if first & 1 == 1 || is_filler(&hex) || SHARED.contains(&hex.as_str()) || hex.ends_with("20524153") {
        return None;
    }
    let wanders = WANDERING.iter().any(|prefix| hex.starts_with(prefix)) || hex.ends_with("000000");
    let standing = match (wanders, first & 2 == 2) {
        (true, _) => Standing::Wanders,
        (false, true) => Standing::MadeUp,
        (false, false) => Standing::Maker,
    };
    Some((hex, standing))
}

/// A network address as twelve hexadecimal digits; `None` for one that does not stay with a device.
#[must_use]
pub fn mac(text: &str) -> Option<String> {
    address(text).filter(|(_, standing)| *standing == Standing::Maker).map(|(hex, _)| hex)
}

/// A network address in capital letters with colons; something else as it came.
#[must_use]
pub fn spelled(text: &str) -> String {
    let Some(hex) = digits(text) else { return text.trim().chars().take(50).collect() };
    let signs: Vec<char> = hex.to_ascii_uppercase().chars().collect();
    signs.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}

/// What an adapter's name contains when its address belongs to a dock, a modem, a tunnel or a virtual network.
const NAMES: &[&str] = &[
    "usb",
    "dock",
    "thunderbolt",
    "displaylink",
    "surface ethernet",
    "virtual",
    "vmware",
    "hyper-v",
    "vethernet",
    "vswitch",
    "host-only",
    "vmnet",
    "docker",
    "bluetooth",
    "loopback",
    "npcap",
    "vpn",
    "tap-",
    "wireguard",
    "tunnel",
    "miniport",
    "teredo",
    "isatap",
    "6to4",
    "anyconnect",
    "fortinet",
    "forticlient",
    "sonicwall",
    "globalprotect",
    "pangp",
    "zscaler",
    "netskope",
    "tailscale",
    "zerotier",
    "hamachi",
    "nordlynx",
    "radmin",
    "softether",
    "check point",
    "juniper network connect",
    "pulse secure",
    "network connect",
    "dial-up",
    "dialup",
    "modem",
    "mobile broadband",
    "cellular",
    "packet scheduler",
    "kernel debug",
    "wi-fi direct",
    "asynchronous adapter",
    "async adapter",
    "mobile device ethernet",
];

/// Whole words that say the same.
const WORDS: &[&str] = &[
    "tap",
    "ras",
    "ppp",
    "pppoe",
    "pptp",
    "l2tp",
    "sstp",
    "ikev2",
    "wwan",
    "rndis",
    "lo",
    "lo0",
    "utun",
    "awdl0",
    "llw0",
    "asix",
    "iphone",
    "ipad",
    "wsl",
    "vbox",
    "virbr0",
    "docker0",
    "ndiswan",
    "ndiswanip",
    "ndiswanbh",
];

/// Whether an adapter's name says that its address belongs to a dock, a modem, a tunnel or a virtual network.
#[must_use]
pub fn is_shared_adapter(adapter: &str) -> bool {
    let name = fold(adapter);
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    NAMES.iter().any(|part| name.contains(part)) || words.any(|word| WORDS.contains(&word))
}

/// Whether an adapter's name or kind says that it is a radio.
#[must_use]
pub fn is_radio(text: &str) -> bool {
    const SAYS: &[&str] = &["wi-fi", "wifi", "wireless", "wlan", "802.11", "airport", "dual band", "centrino"];
    let name = fold(text);
    SAYS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
#[path = "device_identifiers_tests.rs"]
mod tests;
