//! The companies of the demo: clients in a tree, those we hope to win, those we buy from.

use super::day;
use crate::companies::{Company, contract};

/// One company, as it stands in the table below.
pub struct Firm {
    /// Account number.
    pub number: &'static str,
    /// Name.
    pub name: &'static str,
    /// client, vendor or prospect.
    pub kind: &'static str,
    /// Account number of the company above.
    pub parent: Option<&'static str>,
    /// What it does.
    pub about: &'static str,
    /// standard, hipaa or cjis.
    pub compliance: &'static str,
    /// Billing plan.
    pub plan: Option<&'static str>,
    /// Years of the contract; 0 is month to month.
    pub years: i64,
    /// Days since the contract began.
    pub since: i64,
    /// Mail domain.
    pub domain: &'static str,
    /// What its machines' names begin with.
    pub prefix: &'static str,
    /// How many people.
    pub people: usize,
    /// How many servers.
    pub servers: usize,
    /// Places: name and address.
    pub sites: &'static [(&'static str, &'static str)],
}

const CLIENT: Firm = Firm {
    number: "",
    name: "",
    kind: "client",
    parent: None,
    about: "",
    compliance: "standard",
    plan: Some("Silver"),
    years: 2,
    since: 400,
    domain: "",
    prefix: "",
    people: 10,
    servers: 1,
    sites: &[],
};

/// Parents stand before their children.
pub const FIRMS: &[Firm] = &[
    Firm {
        number: "204700",
        name: "Hartwell Health Group",
        about: "Holding of three practices; decides and pays for all of them",
        compliance: "hipaa",
        plan: Some("Gold"),
        years: 3,
        since: 700,
        domain: "hartwellhealth.example",
        prefix: "HHG",
        people: 18,
        servers: 4,
        sites: &[
            ("Head office", "1200 Alder Street, Suite 400, Seattle, WA 98101"),
            ("Data room", "1200 Alder Street, Basement"),
        ],
        ..CLIENT
    },
    Firm {
        number: "204701",
        name: "Hartwell Dental",
        parent: Some("204700"),
        about: "Dentists, two chairs open on Saturdays",
        compliance: "hipaa",
        plan: Some("Gold"),
        since: 700,
        domain: "hartwelldental.example",
        prefix: "HDN",
        people: 14,
        sites: &[("Practice", "88 Pine Avenue, Seattle, WA 98104")],
        ..CLIENT
    },
    Firm {
        number: "204702",
        name: "Hartwell Family Clinic",
        parent: Some("204700"),
        about: "General practice with a walk-in desk",
        compliance: "hipaa",
        plan: Some("Gold"),
        since: 650,
        domain: "hartwellclinic.example",
        prefix: "HFC",
        people: 22,
        servers: 2,
        sites: &[("Clinic", "415 Cedar Road, Renton, WA 98057"), ("Walk-in desk", "9 Station Square, Renton, WA 98057")],
        ..CLIENT
    },
    Firm {
        number: "204703",
        name: "Hartwell Imaging",
        parent: Some("204700"),
        about: "Radiology; the images are large and must never wait",
        compliance: "hipaa",
        since: 320,
        domain: "hartwellimaging.example",
        prefix: "HIM",
        people: 9,
        servers: 3,
        sites: &[("Imaging centre", "417 Cedar Road, Renton, WA 98057")],
        ..CLIENT
    },
    Firm {
        number: "301200",
        name: "Northfield Manufacturing",
        about: "Precision parts; the shop floor works in three shifts",
        plan: Some("Gold"),
        years: 3,
        since: 940,
        domain: "northfield.example",
        prefix: "NFM",
        people: 38,
        servers: 5,
        sites: &[("Plant", "5 Foundry Lane, Tacoma, WA 98421"), ("Office", "7 Foundry Lane, Tacoma, WA 98421")],
        ..CLIENT
    },
    Firm {
        number: "301210",
        name: "Northfield Logistics",
        parent: Some("301200"),
        about: "Warehouse and trucks of the group",
        domain: "northfieldlogistics.example",
        prefix: "NFL",
        people: 16,
        sites: &[("Warehouse", "30 Dock Street, Tacoma, WA 98402")],
        ..CLIENT
    },
    Firm {
        number: "301211",
        name: "Northfield Cold Storage",
        parent: Some("301210"),
        about: "Refrigerated warehouse, bought last year",
        plan: Some("Bronze"),
        years: 1,
        since: 210,
        domain: "northfieldcold.example",
        prefix: "NCS",
        people: 6,
        sites: &[("Cold store", "34 Dock Street, Tacoma, WA 98402")],
        ..CLIENT
    },
    Firm {
        number: "418800",
        name: "Bright & Lowe LLP",
        about: "Law firm; partners are never to be interrupted in court",
        plan: Some("Platinum"),
        years: 5,
        since: 1500,
        domain: "brightlowe.example",
        prefix: "BLW",
        people: 24,
        servers: 2,
        sites: &[("Chambers", "1 Courthouse Plaza, Olympia, WA 98501")],
        ..CLIENT
    },
    Firm {
        number: "512000",
        name: "City of Maple Falls",
        about: "Municipality: city hall, library, public works",
        compliance: "cjis",
        years: 5,
        since: 800,
        domain: "maplefalls.example",
        prefix: "CMF",
        people: 30,
        servers: 3,
        sites: &[("City hall", "100 Main Street, Maple Falls, WA 98266"), ("Library", "14 Mill Street, Maple Falls, WA 98266")],
        ..CLIENT
    },
    Firm {
        number: "512010",
        name: "Maple Falls Police Department",
        parent: Some("512000"),
        about: "Patrol, records and dispatch, around the clock",
        compliance: "cjis",
        plan: Some("Platinum"),
        years: 5,
        since: 800,
        domain: "maplefallspd.example",
        prefix: "MPD",
        people: 17,
        servers: 2,
        sites: &[("Station", "110 Main Street, Maple Falls, WA 98266")],
        ..CLIENT
    },
    Firm {
        number: "623400",
        name: "Riverbend Credit Union",
        about: "Four branches, audited twice a year",
        plan: Some("Platinum"),
        years: 3,
        since: 1100,
        domain: "riverbendcu.example",
        prefix: "RCU",
        people: 20,
        servers: 3,
        sites: &[("Main branch", "60 River Road, Yakima, WA 98901"), ("East branch", "900 Orchard Way, Yakima, WA 98901")],
        ..CLIENT
    },
    Firm {
        number: "655300",
        name: "Osprey Marine Services",
        about: "Boat repair; billed by the hour",
        plan: None,
        years: 0,
        since: 90,
        domain: "ospreymarine.example",
        prefix: "OMS",
        people: 5,
        servers: 0,
        sites: &[("Yard", "2 Harbor Drive, Anacortes, WA 98221")],
        ..CLIENT
    },
    Firm {
        number: "730100",
        name: "Juniper Architects",
        about: "Design studio with heavy workstations",
        since: 510,
        domain: "juniperarch.example",
        prefix: "JNP",
        people: 13,
        sites: &[("Studio", "77 Summit Avenue, Bellevue, WA 98004")],
        ..CLIENT
    },
    Firm {
        number: "744500",
        name: "Tidewater Charter School",
        about: "Non-profit school; everything happens in July",
        plan: Some("Bronze"),
        years: 1,
        since: 150,
        domain: "tidewaterschool.example",
        prefix: "TCS",
        people: 15,
        sites: &[("Campus", "500 Shoreline Drive, Everett, WA 98201")],
        ..CLIENT
    },
    Firm {
        number: "810900",
        name: "Cascade Brewing",
        kind: "prospect",
        about: "Met at the trade fair; wants an offer for twelve seats",
        plan: None,
        years: 0,
        since: 0,
        domain: "cascadebrewing.example",
        prefix: "CBR",
        people: 3,
        servers: 0,
        ..CLIENT
    },
    Firm {
        number: "900100",
        name: "Summit Distribution",
        kind: "vendor",
        about: "Where the hardware comes from",
        plan: None,
        years: 0,
        since: 0,
        domain: "summitdist.example",
        prefix: "SUM",
        people: 3,
        servers: 0,
        ..CLIENT
    },
    Firm {
        number: "900200",
        name: "Clearline Internet",
        kind: "vendor",
        about: "Lines of most clients; support number on the back of the router",
        plan: None,
        years: 0,
        since: 0,
        domain: "clearline.example",
        prefix: "CLI",
        people: 2,
        servers: 0,
        ..CLIENT
    },
];

impl Firm {
    /// Whether we look after its machines.
    pub fn is_client(&self) -> bool {
        self.kind == "client"
    }

    /// The row.
    pub fn company(&self, parent_id: Option<i64>) -> Company {
        let text = |text: &str| Some(text.to_owned());
        let client = self.is_client().then_some(());
        let term = if self.years == 0 { "Month to Month".to_owned() } else { format!("{}-Year", self.years) };
        Company {
            account_number: self.number.to_owned(),
            name: self.name.to_owned(),
            kind: self.kind.to_owned(),
            description: text(self.about),
            parent_id,
            compliance_level: self.compliance.to_owned(),
            plan: self.plan.map(str::to_owned),
            contract_end_date: client.and_then(|()| contract::end(&day(-self.since), &term)),
            contract_term: client.map(|()| term),
            contract_start_date: client.map(|()| day(-self.since)),
            // Who has a plan has that one's.
            support_level: client.filter(|()| self.plan.is_none()).and(text("Billed Hourly")),
            profit_or_non_profit: text(if self.about.starts_with("Non-profit") { "Non-Profit" } else { "Profit" }),
            main_number: Some(format!("(206) 555-01{}", &self.number[..2])),
            start_date: client.map(|()| day(-self.since)),
            address: self.sites.first().map(|(_, address)| (*address).to_owned()),
            domains: Some(serde_json::json!([self.domain]).to_string()),
            phone_system: client.and(text(if self.people > 15 { "Teams Voice" } else { "Desk phones" })),
            email_system: client.and(text("Microsoft 365")),
            managed_users: client.map(|()| self.people.to_string()),
            managed_devices: client.and(text("Yes")),
            managed_network: client.and(text(if self.servers > 0 { "Yes" } else { "No" })),
            ..Company::default()
        }
    }
}
