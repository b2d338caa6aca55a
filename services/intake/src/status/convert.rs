//! How a feedback stands, for the wire.

use huiyin_chassis::sql;
use huiyin_proto::intake::v1;

use crate::status::service::Status;

/// The answer to whoever holds number and token.
pub(crate) fn answer(status: Status) -> v1::FeedbackStatus {
    let Status {
        number,
        receive_time,
        standing,
    } = status;
    v1::FeedbackStatus {
        number,
        receive_time: Some(sql::to_proto(receive_time)),
        state: standing.state as i32,
        state_time: Some(sql::to_proto(standing.state_time)),
        promise_time: standing.promise_time.map(sql::to_proto),
        message: standing.message,
        message_time: standing.message_time.map(sql::to_proto),
    }
}

#[cfg(test)]
mod tests {
    use huiyin_proto::POOL;

    use super::*;
    use crate::status::domain::State;

    /// The states are those of the proto, and none is missing.
    #[test]
    fn the_states_are_those_of_the_proto() {
        for number in 0..100 {
            assert_eq!(
                State::of(number).is_some(),
                number != 0 && v1::CustomerState::try_from(number).is_ok()
            );
        }
    }

    /// FEATURES 20: there is no place for anything internal.
    #[test]
    fn what_a_customer_is_told_has_these_fields_and_no_other() {
        let message = POOL.get_message_by_name("huiyin.intake.v1.FeedbackStatus").unwrap();
        let fields: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
        assert_eq!(
            fields,
            [
                "number",
                "receive_time",
                "state",
                "state_time",
                "promise_time",
                "message",
                "message_time"
            ]
        );
    }
}
