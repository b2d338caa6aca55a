//! The rollups and totals in Postgres.

use std::{collections::BTreeSet, sync::Arc};

use huiyin_chassis::{Refusal, Tenant, Transaction, secret, sql};
use uuid::Uuid;

use super::{
    domain::{Delta, Segment},
    span::{self, Grain},
};

/// Moves the rollups and totals of a tenant.
pub(crate) async fn add(tx: &mut Transaction, tenant: &Tenant, delta: &Delta) -> Result<(), Refusal> {
    let cells = Cells::of(delta);
    if !cells.measures.is_empty() {
        add_segments(tx, tenant, delta).await?;
        add_cells(tx, tenant, &cells).await?;
    }
    add_totals(tx, tenant, delta).await
}

/// Forgets what was counted, to count it again.
pub(crate) async fn clear(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    for statement in [
        "DELETE FROM rollup WHERE tenant_id = $1",
        "DELETE FROM segment WHERE tenant_id = $1",
        "DELETE FROM total WHERE tenant_id = $1",
    ] {
        sqlx::query(statement).bind(tenant.key()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// The rows that a delta moves, column by column; each cell has one per grain.
#[derive(Default)]
struct Cells {
    measures: Vec<i16>,
    grains: Vec<i16>,
    starts: Vec<jiff_sqlx::Timestamp>,
    segments: Vec<Uuid>,
    levels: Vec<i16>,
    counts: Vec<i64>,
    sums: Vec<i64>,
}

impl Cells {
    fn of(delta: &Delta) -> Self {
        let mut cells = Self::default();
        let mut days = std::collections::BTreeMap::new();
        for (key, aggregate) in delta.cells() {
            let segment = segment_id(&key.segment);
            cells.push(
                key.measure as i16,
                Grain::Quarter,
                key.quarter,
                segment,
                key.level,
                aggregate,
            );
            let day = (key.measure as i16, span::day(key.quarter), segment, key.level);
            days.entry(day)
                .or_insert_with(super::domain::Aggregate::default)
                .add(aggregate);
        }
        for ((measure, day, segment, level), aggregate) in days {
            if !aggregate.is_nothing() {
                cells.push(measure, Grain::Day, day, segment, level, aggregate);
            }
        }
        cells
    }

    fn push(
        &mut self,
        measure: i16,
        grain: Grain,
        start: jiff::Timestamp,
        segment: Uuid,
        level: i16,
        aggregate: super::domain::Aggregate,
    ) {
        self.measures.push(measure);
        self.grains.push(grain as i16);
        self.starts.push(sql::time(start));
        self.segments.push(segment);
        self.levels.push(level);
        self.counts.push(aggregate.count);
        self.sums.push(aggregate.sum);
    }
}

async fn add_cells(tx: &mut Transaction, tenant: &Tenant, cells: &Cells) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO rollup (tenant_id, measure, grain, start_time, segment, level, count, sum)
         SELECT $1, measure, grain, start_time, segment, level, count, sum
         FROM unnest($2::smallint[], $3::smallint[], $4::timestamptz[], $5::uuid[], $6::smallint[], $7::bigint[], $8::bigint[])
              AS cell (measure, grain, start_time, segment, level, count, sum)
         ON CONFLICT (tenant_id, measure, grain, start_time, segment, level) DO UPDATE
         SET count = rollup.count + EXCLUDED.count, sum = rollup.sum + EXCLUDED.sum",
    )
    .bind(tenant.key())
    .bind(&cells.measures)
    .bind(&cells.grains)
    .bind(&cells.starts)
    .bind(&cells.segments)
    .bind(&cells.levels)
    .bind(&cells.counts)
    .bind(&cells.sums)
    .execute(&mut **tx)
    .await?;
    let taken: Vec<usize> = (0..cells.counts.len()).filter(|at| cells.counts[*at] < 0).collect();
    if taken.is_empty() {
        return Ok(());
    }
    fn pick<T: Clone>(from: &[T], at: &[usize]) -> Vec<T> {
        at.iter().map(|at| from[*at].clone()).collect()
    }
    sqlx::query(
        "DELETE FROM rollup
         USING unnest($2::smallint[], $3::smallint[], $4::timestamptz[], $5::uuid[], $6::smallint[])
               AS cell (measure, grain, start_time, segment, level)
         WHERE rollup.tenant_id = $1 AND rollup.measure = cell.measure AND rollup.grain = cell.grain
           AND rollup.start_time = cell.start_time AND rollup.segment = cell.segment AND rollup.level = cell.level
           AND rollup.count = 0 AND rollup.sum = 0",
    )
    .bind(tenant.key())
    .bind(pick(&cells.measures, &taken))
    .bind(pick(&cells.grains, &taken))
    .bind(pick(&cells.starts, &taken))
    .bind(pick(&cells.segments, &taken))
    .bind(pick(&cells.levels, &taken))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn add_segments(tx: &mut Transaction, tenant: &Tenant, delta: &Delta) -> Result<(), Refusal> {
    let segments: BTreeSet<&Arc<Segment>> = delta.cells().map(|(key, _)| &key.segment).collect();
    let texts = |of: fn(&Segment) -> &String| {
        segments
            .iter()
            .map(|segment| of(segment).clone())
            .collect::<Vec<String>>()
    };
    sqlx::query(
        "INSERT INTO segment (tenant_id, segment, channel, tier, category, priority, product_model, batch, team, clock)
         SELECT $1, segment, channel, tier, category, priority, product_model, batch, team, clock
         FROM unnest($2::uuid[], $3::smallint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
              AS new (segment, channel, tier, category, priority, product_model, batch, team, clock)
         ON CONFLICT (tenant_id, segment) DO NOTHING",
    )
    .bind(tenant.key())
    .bind(segments.iter().map(|segment| segment_id(segment)).collect::<Vec<Uuid>>())
    .bind(segments.iter().map(|segment| segment.channel).collect::<Vec<i16>>())
    .bind(segments.iter().map(|segment| segment.tier).collect::<Vec<i16>>())
    .bind(texts(|segment| &segment.category))
    .bind(texts(|segment| &segment.priority))
    .bind(texts(|segment| &segment.product_model))
    .bind(texts(|segment| &segment.batch))
    .bind(texts(|segment| &segment.team))
    .bind(texts(|segment| &segment.clock))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn add_totals(tx: &mut Transaction, tenant: &Tenant, delta: &Delta) -> Result<(), Refusal> {
    let (mut kinds, mut clocks, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (total, value) in delta.totals() {
        kinds.push(total.kind.key());
        clocks.push(total.clock.as_str());
        values.push(value);
    }
    if kinds.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO total (tenant_id, kind, clock, value)
         SELECT $1, kind, clock, value FROM unnest($2::text[], $3::text[], $4::bigint[]) AS new (kind, clock, value)
         ON CONFLICT (tenant_id, kind, clock) DO UPDATE SET value = total.value + EXCLUDED.value",
    )
    .bind(tenant.key())
    .bind(kinds)
    .bind(clocks)
    .bind(values)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The same values, the same id: half of a hash over all of them, told apart by their lengths.
fn segment_id(segment: &Segment) -> Uuid {
    let Segment {
        channel,
        tier,
        category,
        priority,
        product_model,
        batch,
        team,
        clock,
    } = segment;
    let (channel, tier) = (channel.to_be_bytes(), tier.to_be_bytes());
    let parts = [category, priority, product_model, batch, team, clock].map(|text| text.as_bytes());
    let mut all: Vec<&[u8]> = vec![&channel, &tier];
    all.extend(parts);
    let hash = secret::keyed_hash(b"segment", &all);
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Uuid::from_bytes(id)
}
