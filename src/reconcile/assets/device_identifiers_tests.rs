//! Device identifiers that say nothing, in the spellings in which they come.

use super::*;

#[test]
fn junk_serials_say_nothing() {
    for junk in [
        "To be filled by O.E.M.",
        "TO BE FILLED BY O.E.M.",
        " to be  filled by o.e.m. ",
        "ToBeFilledByOEM",
        "Default string",
        "Default_string",
        "System Serial Number",
        "SystemSerialNumb",
        "Serial Number xxxxxx",
        "OEM_Serial",
        "None",
        "none",
        "N/A",
        "n/a",
        "(null string)",
        "NULL",
        "....",
        ".",
        "",
        "   ",
        "0",
        "00000000",
        "0000-0000",
        "0x00000000",
        "XxXxXxXx",
        "xxxx",
        "NNNNNNN",
        "-",
        "111111",
        "101010101",
        "FFFFFFFF",
        "Not Specified",
        "<BAD INDEX>",
        "<OUT OF SPEC>",
        "123456789",
        "0123456789",
        "01 23-45 67 89",
        "1234567890",
        "123456789000",
        "12345678901234567",
        "9876543210",
        "0123456789ABCDEF",
        "abcdefgh",
        "SYS-1234567890",
        "sys 1234567890",
        "SYS-9876543210",
        "SN-12345",
        "SN-1234567890",
        "SN-123456fvgv3i0b8o5n6n7k",
        "MB-1234567890",
        "BSN12345678901234567",
        "Chassis Serial Number",
        "Chassis Serial Number 01",
        "Tulip Computers",
        "EVAL",
        "IATPASS",
        "INVALID",
        "empty",
        "unknown",
        "Unknow",
        "\u{feff}",
        "*****",
        "000",
        "ab",
        "1.0",
        "2.3.1",
        "03000200-0400-0500-0006-000700080009",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "{00000000-0000-0000-0000-000000000000}",
        "4C4C4544-0000-2010-8020-80C04F202020",
    ] {
        assert_eq!(serial(junk), None, "{junk:?}");
    }
    for (good, want) in [
        ("5CG1234ABC", "5cg1234abc"),
        (" pf-2x 9k1 ", "pf2x9k1"),
        ("VMware-56 4d 1f", "vmware564d1f"),
        ("JKQ7L03", "jkq7l03"),
        ("SN0000001", "sn0000001"),
        ("4C4C4544-0042-3510-8051-B4C04F4E4D32", "4c4c4544004235108051b4c04f4e4d32"),
        ("MXL0123456", "mxl0123456"),
    ] {
        assert_eq!(serial(good).as_deref(), Some(want));
    }
}

#[test]
fn uuids_of_whole_series_say_nothing() {
    for junk in [
        "03000200-0400-0500-0006-000700080009",
        "{03000200040005000006000700080009}",
        "00020003-0004-0005-0006-000700080009",
        "00010203-0405-0607-0809-0A0B0C0D0E0F",
        "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
        "01010101-0101-0101-0101-010101010101",
        "9C6B0076-9CC4-0000-0000-000000000000",
        "2",
    ] {
        assert_eq!(uuid(junk), None, "{junk}");
    }
    assert!(uuid("4c4c4544-0042-3510-8051-b4c04f4e4d32").is_some());
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
        "20:41:53:59:4e:ff",
        "2041.5359.4EFF",
        "20 41 53 59 4E FF",
        "50-50-54-50-30-30",
        "33506F453030",
        "24:b6:20:52:41:53",
        "68:A0:20:52:41:53",
        "00:a0:c6:00:00:00",
        "02:00:4e:43:50:49",
        "02:80:37:EC:02:00",
        "00:0b:ca:fe:00:00",
        "0C:5B:8F:27:9A:64",
        "AC:DE:48:00:11:22",
        "00:1A:7D:DA:71:13",
        "00:00:5e:00:01:0a",
        "00:00:0c:07:ac:01",
        "88:88:88:88:87:88",
        "da:a1:19:5c:00:17",
    ] {
        assert_eq!(mac(junk), None, "{junk:?}");
    }
    for good in ["D8-BB-C1-AB-CD-EF", "d8bb.c1ab.cdef", "D8 BB C1 AB CD EF", "d8bbc1abcdef", " d8:bb:c1:ab:cd:ef "] {
        assert_eq!(mac(good).as_deref(), Some("d8bbc1abcdef"), "{good}");
        assert_eq!(spelled(good), "D8:BB:C1:AB:CD:EF");
    }
    assert_eq!(spelled("not a mac"), "not a mac");
    for name in [
        "Realtek USB GbE Family Controller",
        "Hyper-V Virtual Ethernet Adapter",
        "vEthernet (WSL)",
        "RAS Async Adapter",
        "WAN Miniport (PPPOE)",
        "Bluetooth Device (Personal Area Network)",
        "Lenovo ThinkPad Dock",
        "TAP-Windows Adapter V9",
        "Fortinet SSL VPN",
        "Sierra Wireless Mobile Broadband",
    ] {
        assert!(is_shared_adapter(name), "{name}");
    }
    for name in ["Intel(R) Ethernet Connection I219-LM", "Intel(R) Wi-Fi 6 AX201 160MHz", "vmxnet3 Ethernet Adapter", "eth0"] {
        assert!(!is_shared_adapter(name), "{name}");
    }
}
