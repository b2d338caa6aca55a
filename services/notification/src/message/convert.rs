//! Messages on the wire.

use huiyin_chassis::{Tenant, sql};
use huiyin_proto::notification::v1;
pub(crate) use huiyin_proto::notification::v1::Message as Shown;

use super::domain::{Delivery, Message};
use crate::{
    convert,
    template::domain::{canonical, id},
};

/// A message as callers see it.
pub(crate) fn message(tenant: &Tenant, message: &Message, deliveries: &[Delivery]) -> Shown {
    Shown {
        name: tenant.child("messages", message.id),
        purpose: convert::purpose(message.purpose).into(),
        audience: convert::audience(message.audience).into(),
        recipient: message.recipient.clone(),
        medium: convert::medium(message.medium).into(),
        webhook_endpoint: message
            .endpoint
            .map(|endpoint| tenant.child("webhookEndpoints", endpoint))
            .unwrap_or_default(),
        state: convert::state(message.state).into(),
        attempts: message.attempts,
        next_attempt_time: message.next_attempt_time.map(sql::to_proto),
        last_error: message.last_error.clone(),
        work_order: message.work_order.clone(),
        feedback: message.feedback.clone(),
        episode: message.episode,
        event: message.event.clone(),
        locale: canonical(&message.locale),
        template: tenant.child("templates", id(message.purpose, &message.locale)),
        template_version: message.template_version,
        subject: message.subject.clone(),
        body: message.public_body(),
        deliveries: deliveries.iter().map(delivery).collect(),
        create_time: Some(sql::to_proto(message.create_time)),
        settle_time: message.settle_time.map(sql::to_proto),
    }
}

fn delivery(delivery: &Delivery) -> v1::Delivery {
    let (seconds, rest) = (delivery.duration_us / 1_000_000, delivery.duration_us % 1_000_000);
    v1::Delivery {
        ordinal: delivery.ordinal,
        start_time: Some(sql::to_proto(delivery.start_time)),
        duration: Some(prost_types::Duration {
            seconds,
            nanos: i32::try_from(rest * 1_000).unwrap_or(0),
        }),
        delivered: delivery.delivered,
        status_code: delivery.status_code,
        error: delivery.error.clone(),
    }
}
