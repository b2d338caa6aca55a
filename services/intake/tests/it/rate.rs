//! Temporary measurement.
use crate::stand::*;
use futures::future::join_all;
use huiyin_proto::intake::v1::*;
use huiyin_testkit::*;
use sqlx::Row;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn rates() {
    let postgres = private_postgres(Durability::Full).await;
    let mut c = <sqlx::PgConnection as sqlx::Connection>::connect(&postgres.url("postgres"))
        .await
        .unwrap();
    sqlx::query("CREATE DATABASE bench").execute(&mut c).await.unwrap();
    let url = postgres.url("bench");
    let stage = Stage::new().await;
    let config = stage.config_with("intake", &url, "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"\n");
    let running = intake::start(config, stage.context()).await.unwrap();
    let token = stage.token("key:erp", "acme", &["integration"]);
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(IntakeServiceClientX::new(stage.connect(running.address, &token).await));
    }
    let said = "物流太慢了，等了五天才到，包装也破了，客服一直不回复，希望尽快处理并给个说法，订单已经确认收货";
    let began = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    for concurrency in [1usize, 64, 256, 64] {
        let seconds = 4.0;
        let start = Instant::now();
        let counts = join_all((0..concurrency).map(|i| {
            let mut client = clients[i % 4].clone();
            let began = began.clone();
            tokio::spawn(async move {
                let mut n = 0u64;
                while start.elapsed().as_secs_f64() < seconds {
                    let id = began.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let mut f = feedback(said);
                    f.external_id = format!("E{id}");
                    f.customer_reference = format!("c{}", id % 1000);
                    let r = CreateFeedbackRequest {
                        request_id: request_id(id as u32),
                        ..create(f)
                    };
                    client.create_feedback(r).await.unwrap();
                    n += 1;
                }
                n
            })
        }))
        .await;
        let n: u64 = counts.into_iter().map(|c| c.unwrap()).sum();
        println!("grpc {concurrency}: {:.0}/s", n as f64 / start.elapsed().as_secs_f64());
    }
    let token2 = stage.token("key:erp", "acme", &["integration"]);
    let _ = token2;
    // import
    let mut client = clients[0].clone();
    let n = 40_000i64;
    let start = Instant::now();
    let messages = std::iter::once(ImportFeedbacksRequest {
        opening: Some(ImportOpening {
            parent: ACME.into(),
            import_id: "x".into(),
            validate_only: false,
        }),
        items: vec![],
    })
    .chain((0..n / 500).map(move |m| {
        ImportFeedbacksRequest {
            opening: None,
            items: (1..=500)
                .map(|i| {
                    let s = m * 500 + i;
                    let mut f = feedback(said);
                    f.external_id = format!("I{s}");
                    f.customer_reference = format!("c{}", s % 1000);
                    ImportItem {
                        sequence: s,
                        feedback: Some(f),
                    }
                })
                .collect(),
        }
    }));
    let mut answers = client
        .import_feedbacks(futures::stream::iter(messages))
        .await
        .unwrap()
        .into_inner();
    while let Some(a) = answers.message().await.unwrap() {
        if a.settled_through == n {
            break;
        }
    }
    println!("import: {:.0} rows/s", n as f64 / start.elapsed().as_secs_f64());
    running.stop().await.unwrap();
    // raw
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(64)
        .connect(&url)
        .await
        .unwrap();
    sqlx::raw_sql("CREATE TABLE raw AS SELECT * FROM feedback LIMIT 0; ALTER TABLE raw ADD PRIMARY KEY (tenant_id, id); CREATE INDEX ON raw (tenant_id, create_time, id); CREATE UNIQUE INDEX ON raw (tenant_id, source, external_id); CREATE INDEX ON raw (tenant_id, customer_id); CREATE TABLE raw_event (id bigserial primary key, event bytea)").execute(&pool).await.unwrap();
    let mut x = pool.acquire().await.unwrap();
    let start = Instant::now();
    for m in 0..n / 500 {
        let ids: Vec<uuid::Uuid> = (0..500).map(|_| stage.clock.id()).collect();
        let texts: Vec<&str> = vec![said; 500];
        let ext: Vec<String> = (0..500).map(|i| format!("R{}", m * 500 + i)).collect();
        sqlx::query("INSERT INTO raw (tenant_id, id, number, description, external_id, source, create_time, customer_id) SELECT 'acme', a.id, a.ext, a.t, a.ext, '', now(), a.id FROM unnest($1::uuid[], $2::text[], $3::text[]) AS a(id, t, ext)")
            .bind(ids).bind(texts).bind(ext).execute(&mut *x).await.unwrap();
    }
    println!("raw unnest: {:.0} rows/s", n as f64 / start.elapsed().as_secs_f64());
    for concurrency in [64usize] {
        let start = Instant::now();
        let pool = pool.clone();
        let counts = join_all((0..concurrency).map(|i| { let pool = pool.clone(); let clock = stage.clock.clone(); tokio::spawn(async move {
            let mut n = 0u64;
            while start.elapsed().as_secs_f64() < 4.0 {
                let mut tx = pool.begin().await.unwrap();
                let id = clock.id();
                sqlx::query("INSERT INTO raw (tenant_id, id, number, description, external_id, source, create_time, customer_id) VALUES ('acme', $1, 'x', $2, $3, '', now(), $1)").bind(id).bind(said).bind(format!("N{i}-{n}")).execute(&mut *tx).await.unwrap();
                sqlx::query("INSERT INTO raw_event (event) VALUES ($1)").bind(said.as_bytes()).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
                n += 1;
            }
            n
        })})).await;
        let n: u64 = counts.into_iter().map(|c| c.unwrap()).sum();
        println!(
            "floor without grpc {concurrency}: {:.0}/s",
            n as f64 / start.elapsed().as_secs_f64()
        );
    }
    let row = sqlx::query("SELECT count(*) FROM feedback")
        .fetch_one(&pool)
        .await
        .unwrap();
    println!("rows {}", row.get::<i64, _>(0));
    let _ = Duration::ZERO;
}
type IntakeServiceClientX = huiyin_proto::intake::v1::intake_service_client::IntakeServiceClient<Connection>;
