//! How many work orders are open, looked at now and then.

use std::{collections::BTreeMap, sync::Arc};

use huiyin_chassis::{Refusal, gauges::Gauges};

use super::{
    domain::{State, state_name, state_of},
    store,
};
use crate::room::Room;

/// Has them counted.
pub(crate) fn measure(gauges: &mut Gauges, room: &Arc<Room>) {
    let room = Arc::clone(room);
    gauges.add(move || {
        let room = Arc::clone(&room);
        async move { look(&room).await }
    });
}

async fn look(room: &Room) -> Result<(), Refusal> {
    let mut tx = room.database.worker().await?;
    let found = store::open(&mut tx).await?;
    tx.commit().await?;
    // What nothing is found of is none, and has to be said too.
    let mut counts = BTreeMap::new();
    for state in State::ALL.into_iter().filter(|state| !state.ends_episode()) {
        for clocks in ["running", "breached", "still"] {
            counts.insert((state_name(state), clocks), 0);
        }
    }
    for (state, breached, runs, count) in found {
        let clocks = match (breached, runs) {
            (true, _) => "breached",
            (false, true) => "running",
            (false, false) => "still",
        };
        if let Some(state) = state_of(state) {
            *counts.entry((state_name(state), clocks)).or_default() += u64::try_from(count).unwrap_or(0);
        }
    }
    for ((state, clocks), count) in counts {
        room.meters.open(state, clocks, count);
    }
    Ok(())
}
