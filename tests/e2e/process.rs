//! A service's own process, as a platform team runs it: migrated by one account, serving with another, checked before, probed.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use huiyin::{
    link::Link,
    suite::{Files, SERVICES, Servers},
};
use huiyin_e2e::binary;
use huiyin_embedded::{Process, Signal};
use huiyin_proto::{
    intake::v1::{CreateFeedbackRequest, Feedback},
    r#type::v1::Channel,
};
use huiyin_testkit::{Database, database, eventually};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const SOON: Duration = Duration::from_secs(60);

/// Configuration files for a database of the test's.
pub(crate) struct Desk {
    pub(crate) files: Files,
    pub(crate) database: Database,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let folder = binary(&format!("e2e/{}", database.name()));
        let files = Files::open(&folder).unwrap();
        let servers = Servers {
            postgres_url: database.url(),
            redis_url: None,
            otlp_endpoint: None,
        };
        files.settle_addresses().unwrap();
        files.write_configs(&servers).unwrap();
        Self { files, database }
    }

    fn file(&self, service: &str) -> PathBuf {
        self.files.folder().join(format!("config/{service}.toml"))
    }

    /// The URL of the database for somebody who has no rights but those that the test gave them.
    fn url_of(&self, role: &str) -> String {
        let url = self.database.url();
        let (_, at) = url.split_once('@').unwrap();
        format!("postgres://{role}:{role}@{at}")
    }

    pub(crate) fn command(&self, service: &'static str, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Process::command(binary(service), Signal::KILL);
        command.args(arguments).arg("--config").arg(self.file(service));
        command.envs(environment.iter().copied());
        command
    }
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test]
async fn a_configuration_is_checked_without_connecting_to_anything() {
    let desk = Desk::new().await;
    for service in SERVICES {
        let nowhere = format!("HUIYIN_{}__SERVICE__DATABASE__URL", service.to_uppercase());
        let environment = [(nowhere.as_str(), "postgres://nobody@127.0.0.1:1/nothing")];
        let output = desk.command(service, &["check"], &environment).output().unwrap();
        assert!(output.status.success(), "{service}: {}", told(&output));

        let unknown = format!("HUIYIN_{}__SERVICE__LIMITS__DEADLINE", service.to_uppercase());
        let output = desk.command(service, &["check"], &[(&unknown, "5")]).output().unwrap();
        assert!(!output.status.success(), "{service}");
        assert!(told(&output).contains("deadline"), "{service}: {}", told(&output));
    }
}

#[tokio::test]
async fn every_key_of_a_configuration_is_in_its_schema_with_its_meaning() {
    let desk = Desk::new().await;
    for service in SERVICES {
        let output = desk.command(service, &["config-schema"], &[]).output().unwrap();
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        let objects = [&schema]
            .into_iter()
            .chain(schema["$defs"].as_object().unwrap().values());
        let objects = objects.filter(|object| object["type"] == "object" && object["properties"].is_object());
        for object in objects {
            assert_eq!(object["additionalProperties"], false, "{service}: {object}");
            for (key, about) in object["properties"].as_object().unwrap() {
                assert!(about["description"].is_string(), "{service}: {key} of {object}");
            }
        }
        let sections: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert!(sections.iter().any(|key| *key == "service"), "{service}: {sections:?}");
    }
}

/// ARCHITECTURE §9: migrations are a job with an account of its own; what serves owns nothing.
#[tokio::test]
async fn one_account_migrates_and_another_that_owns_nothing_serves() {
    let desk = Desk::new().await;
    let (owner, server) = (
        format!("{}_owner", desk.database.name()),
        format!("{}_server", desk.database.name()),
    );
    let mut postgres = PgConnection::connect(&desk.database.url()).await.unwrap();
    // What docs/operations.md asks of a database administrator.
    let prepare = format!(
        "DO $$ BEGIN CREATE ROLE huiyin_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         DO $$ BEGIN CREATE ROLE huiyin_worker NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{owner}' IN ROLE huiyin_app, huiyin_worker;
         CREATE ROLE {server} LOGIN PASSWORD '{server}' IN ROLE huiyin_app, huiyin_worker;
         ALTER DATABASE {database} OWNER TO {owner};
         ALTER SCHEMA public OWNER TO {owner}",
        database = desk.database.name(),
    );
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut postgres)
        .await
        .unwrap();

    let (as_owner, as_server) = (desk.url_of(&owner), desk.url_of(&server));
    let serving = [
        ("HUIYIN_INTAKE__SERVICE__DATABASE__URL", as_server.as_str()),
        ("HUIYIN_INTAKE__SERVICE__DATABASE__MIGRATE", "false"),
        ("HUIYIN_INTAKE__SERVICE__PROBE_LISTEN", "127.0.0.1:0"),
        // A secret that looks like a number is text all the same: as the number 7 it would be too short.
        ("HUIYIN_INTAKE__VAULT__KEY", "00000000000000000000000000000007"),
        ("HUIYIN_PROCESS__TELEMETRY__PROMETHEUS", "true"),
    ];
    let early = desk.command("intake", &[], &serving).output().unwrap();
    assert!(
        !early.status.success(),
        "it served from a database that nobody had migrated"
    );
    assert!(told(&early).contains("migrat"), "{}", told(&early));

    for attempt in ["first", "second"] {
        let migrating = [("HUIYIN_INTAKE__SERVICE__DATABASE__URL", as_owner.as_str())];
        let output = desk.command("intake", &["migrate"], &migrating).output().unwrap();
        assert!(output.status.success(), "{attempt}: {}", told(&output));
    }

    let log = desk.files.folder().join("intake.log");
    let mut command = desk.command("intake", &[], &serving);
    let file = std::fs::File::create(&log).unwrap();
    command
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .stdin(Stdio::null());
    let process = Process::spawn(command, Signal::KILL).unwrap();
    let lines = || std::fs::read_to_string(&log).unwrap_or_default();
    let url = format!("http://{}", desk.files.addresses().unwrap()["intake"]);
    let link = Link::new(&[("intake", url)].into(), &desk.files.admin_token().unwrap(), "demo").unwrap();
    let request = CreateFeedbackRequest {
        parent: link.parent.clone(),
        feedback: Some(Feedback {
            channel: Channel::InApp as i32,
            description: "支付的时候一直转圈，付不了款".to_owned(),
            ..Feedback::default()
        }),
        request_id: String::new(),
    };
    eventually("intake takes feedback in", SOON, async || {
        let answer = link.intake().create_feedback(request.clone()).await;
        answer.map_err(|status| format!("{status}\n{}", lines()))
    })
    .await;
    // The relay has moved it, and made the days to come: the account may do all that serving needs.
    eventually("the event is in the log", SOON, async || {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM events.entry")
            .fetch_one(&mut postgres)
            .await
            .unwrap();
        count > 0
    })
    .await;

    let probes = eventually("it says where its probes are", SOON, async || {
        let line = lines();
        let (_, after) = line.split_once("\"probes\":\"")?;
        Some(after.split('"').next()?.to_owned())
    })
    .await;
    huiyin_chassis::install_crypto();
    let metrics = reqwest::get(format!("http://{probes}/metrics")).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("intake_accepted_total") && metrics.contains("le=\"0.0025\""),
        "{metrics}"
    );
    process.signal(Signal::KILL);
    process.ended().await;
    let ends = format!(
        "ALTER DATABASE {database} OWNER TO CURRENT_USER; ALTER SCHEMA public OWNER TO CURRENT_USER",
        database = desk.database.name()
    );
    sqlx::raw_sql(AssertSqlSafe(ends)).execute(&mut postgres).await.unwrap();
}
