//! The RPCs of the calendar: thin, in the order of the service.

use huiyin_chassis::{
    Caller, Refusal, name,
    repeat::Repeatable,
    shelf::{Edition, Kept as _, NewEdition, Shelf, Which, named},
};
use huiyin_proto::scheduler::v1;
use tonic::{Request, Response, Status};

use super::{convert, domain::Calendar};

/// See the proto.
pub(crate) async fn get_calendar(
    shelf: &Shelf,
    request: Request<v1::GetCalendarRequest>,
) -> Result<Response<v1::Calendar>, Status> {
    let caller = Caller::of(&request)?;
    let name = request.into_inner().name;
    let (tenant, which) = named(&caller, &name, Calendar::COLLECTION)?;
    let edition = shelf.get(&tenant, &name, which).await?;
    Ok(Response::new(convert::edition(&tenant, &edition)))
}

/// See the proto.
pub(crate) async fn list_calendars(
    shelf: &Shelf,
    request: Request<v1::ListCalendarsRequest>,
) -> Result<Response<v1::ListCalendarsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let page = shelf.list(&tenant, request.paging()).await?;
    let calendars = page
        .entries
        .iter()
        .map(|edition| convert::edition(&tenant, edition))
        .collect();
    Ok(Response::new(v1::ListCalendarsResponse {
        calendars,
        next_page_token: page.next_page_token,
    }))
}

/// See the proto.
pub(crate) async fn create_calendar(
    shelf: &Shelf,
    request: Request<v1::CreateCalendarRequest>,
) -> Result<Response<v1::Calendar>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let tenant = name::parent(&caller, &request.parent)?;
    let repeatable = Repeatable::new(&tenant, &caller, "CreateCalendar", &request.request_id, &request)?;
    let (title, content) = convert::new_edition(request.calendar.unwrap_or_default(), "calendar")?;
    let new = NewEdition {
        title,
        content,
        author: caller.subject,
    };
    let say = |edition: &Edition<Calendar>| convert::edition(&tenant, edition);
    Ok(Response::new(
        shelf
            .create(&tenant, new, request.validate_only, repeatable, say)
            .await?,
    ))
}

/// See the proto.
pub(crate) async fn activate_calendar(
    shelf: &Shelf,
    request: Request<v1::ActivateCalendarRequest>,
) -> Result<Response<v1::Calendar>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (tenant, which) = named(&caller, &request.name, Calendar::COLLECTION)?;
    let Which::Version(version) = which else {
        return Err(Refusal::not_found(&request.name).into());
    };
    let repeatable = Repeatable::new(&tenant, &caller, "ActivateCalendar", &request.request_id, &request)?;
    let say = |edition: &Edition<Calendar>| convert::edition(&tenant, edition);
    Ok(Response::new(
        shelf
            .activate(&tenant, &request.name, version, &request.etag, repeatable, say)
            .await?,
    ))
}
