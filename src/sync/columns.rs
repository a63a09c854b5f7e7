//! From a plan's fields to a row's columns.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{plan::FieldChange, planner::losses};
use crate::{
    agents::PsaAgent,
    assets::Asset,
    companies::Company,
    contacts::Contact,
    error::{Error, Result},
};

/// What the name of a change begins with that is about a link and not about a column.
pub const LINK: &str = "link:";

/// A row whose columns a sync can set by name.
pub trait Assign {
    /// Sets one column.
    fn assign(&mut self, column: &str, value: &Value) -> Result<()>;

    /// Sets the columns of these changes.
    fn assign_all(&mut self, fields: &[FieldChange]) -> Result<()> {
        fields
            .iter()
            .filter(|change| {
                !matches!(change.field.as_str(), losses::COMPANIES | losses::PEOPLE) && !change.field.starts_with(LINK)
            })
            .try_for_each(|c| self.assign(&c.field, &c.value()))
    }
}

fn read<T: DeserializeOwned>(column: &str, value: &Value) -> Result<T> {
    serde_json::from_value(value.clone())
        .map_err(|cause| Error::internal(format!("a plan's {column} is of another type: {cause}")))
}

macro_rules! assign {
    ($record:ty: $($column:ident)+) => {
        impl Assign for $record {
            fn assign(&mut self, column: &str, value: &Value) -> Result<()> {
                match column {
                    $(stringify!($column) => self.$column = read(column, value)?,)+
                    other => return Err(Error::internal(format!("a plan names the unknown column {other}"))),
                }
                Ok(())
            }
        }
    };
}

assign!(Company: account_number account_number_at_vendor name description plan contract_term contract_start_date contract_end_date
    support_level profit_or_non_profit main_number start_date address domains phone_system email_system managed_users managed_devices
    managed_network head_user_id head_name prime_user_id prime_user_name workspace_id datto_portal_url custom_fields
    vendor_created_at vendor_updated_at);

assign!(Contact: name first_name last_name email secondary_emails job_title active mobile_phone_number work_phone_number address
    vip_user has_logged_in location_id location_name reporting_manager_id language time_zone time_format can_see_all_tickets
    can_see_all_changes background_information work_schedule_id user_number vendor_reference custom_fields vendor_created_at
    vendor_updated_at);

assign!(PsaAgent: first_name last_name email job_title active department_ids group_ids vendor_created_at vendor_updated_at);

assign!(Asset: hostname company_id kind serial_number asset_tag manufacturer model warranty_expires hardware_type device_type
    operating_system os_version description domain mac_address antivirus_product enabled_administrators backup_usage_tb
    backup_data_bytes rmm_site_name portal_url web_remote_url udf bitlocker_key windows_key);
