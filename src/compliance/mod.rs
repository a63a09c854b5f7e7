//! Decides what a caller may see of the people of protected companies, and notes who saw it.
//!
//! The policy is one table: field × level × caller (design §5). It is applied where rows become output;
//! `?filter=phi|cjis` asks for more than the policy demands, never for less.

mod lens;
mod level;

pub use lens::{Lens, Personal};
pub use level::Level;

/// SQL for the strictest level among a contact's companies, as [`Level::from_rank`] reads it.
pub const STRICTEST_OF_CONTACT: &str =
    "(SELECT min(CASE protecting.compliance_level WHEN 'cjis' THEN 0 WHEN 'hipaa' THEN 1 ELSE 2 END)
    FROM @contact_companies protection JOIN @companies protecting ON protecting.id = protection.company_id
    WHERE protection.contact_id = contact.id)";
