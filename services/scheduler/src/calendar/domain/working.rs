//! The working time of a calendar as a sequence of stretches, exact on days on which the clocks are changed.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::Offset,
};

use super::{Calendar, Hours};

/// A stretch of working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The date by the wall clock.
    pub(crate) date: Date,
    /// Its begin.
    pub(crate) from: Timestamp,
    /// Its end, after the begin.
    pub(crate) to: Timestamp,
}

impl Stretch {
    /// How long it is.
    pub(crate) fn length(&self) -> SignedDuration {
        self.from.duration_until(self.to)
    }
}

impl Calendar {
    /// The stretches of working time from a moment on, in order, as far as time goes.
    ///
    /// Between two changes of the clocks the wall is a fixed distance from the moment, so each piece between them is
    /// walked by itself: an hour that does not exist lies in no piece and counts nothing, one that comes twice lies in
    /// two.
    pub(crate) fn working(&self, from: Timestamp) -> Stretches<'_> {
        let piece = self.piece(from);
        Stretches {
            calendar: self,
            date: piece.offset.to_datetime(from).date(),
            piece: Some(piece),
            interval: 0,
        }
    }

    fn piece(&self, from: Timestamp) -> Piece {
        let to = self
            .zone
            .following(from)
            .next()
            .map_or(Timestamp::MAX, |change| change.timestamp());
        Piece {
            from,
            to,
            offset: self.zone.to_offset(from),
        }
    }
}

/// Time during which the wall clock was not changed.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: Timestamp,
    to: Timestamp,
    offset: Offset,
}

impl Piece {
    /// What of the hours of a date lies in the piece.
    fn cut(&self, date: Date, hours: Hours) -> Option<Stretch> {
        let from = self.moment(date, hours.from).max(self.from);
        let to = self.moment(date, hours.to).min(self.to);
        (from < to).then_some(Stretch { date, from, to })
    }

    /// When the wall clock says so many minutes after the midnight of a date; the end of time where it never does.
    fn moment(&self, date: Date, minutes: u16) -> Timestamp {
        let wall =
            DateTime::from_parts(date, Time::midnight()).checked_add(SignedDuration::from_mins(i64::from(minutes)));
        wall.and_then(|wall| self.offset.to_timestamp(wall))
            .unwrap_or(Timestamp::MAX)
    }
}

/// See [`Calendar::working`].
#[derive(Debug)]
pub(crate) struct Stretches<'c> {
    calendar: &'c Calendar,
    piece: Option<Piece>,
    date: Date,
    interval: usize,
}

impl Iterator for Stretches<'_> {
    type Item = Stretch;

    fn next(&mut self) -> Option<Stretch> {
        while let Some(piece) = self.piece {
            if let Some(hours) = self.calendar.hours(self.date).get(self.interval) {
                self.interval += 1;
                match piece.cut(self.date, *hours) {
                    Some(stretch) => return Some(stretch),
                    None => continue,
                }
            }
            self.interval = 0;
            match self.date.tomorrow() {
                Ok(date) if piece.moment(date, 0) < piece.to => self.date = date,
                _ if piece.to < Timestamp::MAX => {
                    let next = self.calendar.piece(piece.to);
                    self.date = next.offset.to_datetime(next.from).date();
                    self.piece = Some(next);
                }
                _ => self.piece = None,
            }
        }
        None
    }
}
