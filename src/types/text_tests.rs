use super::*;

#[test]
fn people_write_one_name_in_many_ways() {
    for (text, key) in [
        ("Łódź", "lodz"),
        ("ÆRØ Søborg", "aero soborg"),
        ("Größe", "grosse"),
        ("GRÖẞE", "grosse"),
        ("Đurđević", "durdevic"),
        ("Þór Sigurðsson", "thor sigurdsson"),
        ("Œuvre", "oeuvre"),
        ("Işık İZMİR", "isik izmir"),
        ("D’Angelo", "d'angelo"),
        ("„Hartwell“ – Clinic", "\"hartwell\" - clinic"),
        ("Ac\u{200b}me\u{ad}\u{feff} \u{a0}\u{3000} Ltd\u{202e}", "acme ltd"),
        ("ﬁnance", "finance"),
        ("ＡＢＣ１２３", "abc123"),
        ("Zoë\u{0301}", "zoe"),
        ("ΟΔΟΣ Ὀδός", "οδοσ οδοσ"),
        ("Ёлка Йод", "елка иод"),
        ("株式会社東京商事", "株式会社東京商事"),
        ("ｶﾞｽ ガス", "ガス ガス"),
        ("한국", "한국"),
        ("٠١٢", "012"),
        ("Əliyev", "eliyev"),
        ("tab\tline\nend", "tab line end"),
        ("", ""),
    ] {
        assert_eq!(fold(text), key, "{text}");
        assert_eq!(fold(&fold(text)), key, "folding twice changes nothing: {text}");
    }
}

#[test]
fn what_is_kept_can_be_seen() {
    for (text, kept) in [
        (" \u{a0}Acme\u{200b} Dental \t", "Acme Dental"),
        ("\u{feff}Acme", "Acme"),
        ("A\u{7}c\u{0}me\u{7f}", "Acme"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("Ac\u{200d}me", "Acme"),
        ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\u{200d}\u{1f469}"),
        ("pay\u{202e}exe.pdf", "payexe.pdf"),
        ("\u{200b}\u{2060}", ""),
        ("Łódź 東京", "Łódź 東京"),
    ] {
        assert_eq!(clean(text), kept, "{text:?}");
    }
}

fn finds(stored: &SearchText, query: &str) -> bool {
    let text = stored.clone().finish();
    let wanted = Wanted::read(query);
    let any = |spellings: &[String]| spellings.iter().any(|spelling| text.contains(spelling.as_str()));
    (!wanted.words.is_empty() && wanted.words.iter().all(|spellings| any(spellings))) || any(&wanted.whole)
}

#[test]
fn a_telephone_number_is_found_however_it_is_written() {
    let berlin = SearchText::new().phones(["+49 (30) 123-4567"]);
    for query in [
        "+49301234567",
        "49301234567",
        "0301234567",
        "030 1234567",
        "030/1234567",
        "1234567",
        "+49 30 1234567",
        "0049301234567",
        "+49 (0)30 123 45 67",
        "123-4567",
    ] {
        assert!(finds(&berlin, query), "{query}");
    }
    let tacoma = SearchText::new().phones(["(253) 555-0114"]);
    for query in [
        "2535550114",
        "+12535550114",
        "5550114",
        "1-253-555-0114",
        "253.555.0114",
        "555-0114",
        "(253) 555 0114",
        "001 253 555 0114",
    ] {
        assert!(finds(&tacoma, query), "{query}");
    }
    let home = SearchText::new().phones(["030 1234567"]);
    for query in ["+49301234567", "+49 (0)30 1234567", "030-1234567"] {
        assert!(finds(&home, query), "{query}");
    }
    for query in ["2535550115", "+4930123456799", "9999999"] {
        assert!(!finds(&tacoma, query) && !finds(&berlin, query), "{query}");
    }
}

#[test]
fn machines_are_found_with_and_without_separators() {
    let laptop = SearchText::new().words(["BLW-LT-001", "Dell"]).ids(["D8:BB:C1:00:00:11", "5CG 123-45 XY"]);
    for query in [
        "d8bbc1000011",
        "D8-BB-C1-00-00-11",
        "d8bb.c100.0011",
        "D8:BB:C1",
        "d8-bb-c1-",
        "D8 BB C1 00 00 11",
        "5CG12345XY",
        "5cg 12345 xy",
        "5CG-123-45-XY",
        "LT",
        "blw lt",
        "dell lt",
        "lt dell blw",
        "blwlt001",
    ] {
        assert!(finds(&laptop, query), "{query}");
    }
    for query in ["d8bbc1000012", "lt acer", "xt"] {
        assert!(!finds(&laptop, query), "{query}");
    }
    let addressed = SearchText::new().ids(["10.0.1.15", "fe80::1"]);
    for query in ["10.0.1.15", "10.0.1.", "0.1.15", "fe80::1"] {
        assert!(finds(&addressed, query), "{query}");
    }
    let serial = SearchText::new().ids(["SN100115"]);
    assert!(!finds(&serial, "10.0.1.15"), "an address means nothing without its dots");
}

#[test]
fn tickets_are_found_by_their_number() {
    let ticket = SearchText::new().number("4220").words(["Printer down"]);
    for query in ["#4220", "4220", "INC-4220", "SR-4220", "sr 4220", "INC4220", "printer #4220"] {
        assert!(finds(&ticket, query), "{query}");
    }
    for query in ["#422", "INC-422", "#42201", "#220"] {
        assert!(!finds(&ticket, query), "{query}");
    }
}

#[test]
fn short_words_of_other_scripts_are_found_inside_long_ones() {
    let company = SearchText::new().words(["株式会社東京商事"]);
    for query in ["東京", "東", "商事", "株式会社", "東京商", "東京 株式"] {
        assert!(finds(&company, query), "{query}");
    }
    for query in ["京東", "大阪"] {
        assert!(!finds(&company, query), "{query}");
    }
}

#[test]
fn words_are_wanted_in_any_order_and_marks_are_not() {
    let clinic = SearchText::new().words(["The Hartwell & Sons Clinic", "D’Angelo", "Saint-Gobain"]);
    for query in [
        "clinic hartwell",
        "hartwell clinic",
        "hartwell - clinic",
        "“Hartwell”",
        "(clinic)",
        "d'angelo",
        "D`Angelo",
        "dangelo",
        "saintgobain",
        "&",
        "T hart",
    ] {
        assert!(finds(&clinic, query), "{query}");
    }
    for query in ["hartwell acme", "*", "%", "_", "\"", "q"] {
        assert!(!finds(&clinic, query), "{query}");
    }
    assert!(Wanted::read(" \u{200b} ").is_nothing());
}
