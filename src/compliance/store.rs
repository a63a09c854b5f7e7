//! The policy's one question to the database.

/// SQL for the strictest level among a contact's companies, as [`super::Level::from_rank`] reads it.
pub const STRICTEST_OF_CONTACT: &str =
    "(SELECT min(CASE protecting.compliance_level WHEN 'cjis' THEN 0 WHEN 'hipaa' THEN 1 ELSE 2 END)
    FROM @contact_companies protection JOIN @companies protecting ON protecting.id = protection.company_id
    WHERE protection.contact_id = contact.id)";
