//! Resource names of this room, written and read: invitations and responses stand below a survey.

use huiyin_chassis::{Caller, Refusal, Tenant, name};
use uuid::Uuid;

/// `tenants/{tenant}/surveys/{survey}`.
pub(crate) fn survey(tenant: &Tenant, survey: &str) -> String {
    tenant.child("surveys", survey)
}

/// `tenants/{tenant}/surveys/{survey}/invitations/{invitation}`.
pub(crate) fn invitation(tenant: &Tenant, survey: &str, invitation: Uuid) -> String {
    tenant.child("surveys", format_args!("{survey}/invitations/{invitation}"))
}

/// `tenants/{tenant}/surveys/{survey}/responses/{response}`.
pub(crate) fn response(tenant: &Tenant, survey: &str, response: Uuid) -> String {
    tenant.child("surveys", format_args!("{survey}/responses/{response}"))
}

/// The tenant, the survey and the id in the name of an entry of `collection` below a survey.
///
/// # Errors
/// NOT_FOUND where the tenant is not the caller's, or the name is not one of this collection.
pub(crate) fn below_survey(caller: &Caller, name: &str, collection: &str) -> Result<(Tenant, String, Uuid), Refusal> {
    let missing = || Refusal::not_found(name);
    let (parent, rest) = name.split_once(&format!("/{collection}/")).ok_or_else(missing)?;
    let (tenant, survey) = name::child(caller, parent, "surveys").map_err(|_| missing())?;
    let id = Uuid::try_parse(rest).map_err(|_| missing())?;
    Ok((tenant, survey.to_owned(), id))
}
