//! The policy's questions to the database.

/// SQL for the strictest level among a contact's companies, as [`super::Level::from_rank`] reads it.
pub const STRICTEST_OF_CONTACT: &str =
    "(SELECT min(CASE protecting.compliance_level WHEN 'cjis' THEN 0 WHEN 'hipaa' THEN 1 ELSE 2 END)
    FROM @contact_companies protection JOIN @companies protecting ON protecting.id = protection.company_id
    WHERE protection.contact_id = contact.id)";

/// SQL that keeps contacts of protected companies out, for callers who ask by what they may not see.
pub const NOT_PROTECTED: &str = "NOT EXISTS (SELECT 1 FROM @contact_companies protection
    JOIN @companies protecting ON protecting.id = protection.company_id
    WHERE protection.contact_id = contact.id AND protecting.compliance_level <> 'standard')";
