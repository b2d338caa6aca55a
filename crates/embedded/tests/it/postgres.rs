//! Postgres: what is committed survives restarts and crashes, one user at a time, nothing left behind.

use std::{fs, os::unix::fs::PermissionsExt as _};

use huiyin_embedded::{Durability, Postgres, PostgresOptions, Process, Signal, is_alive};
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::{Scratch, until};

const FAST: Durability = Durability::None;

async fn start(scratch: &Scratch, durability: Durability) -> Postgres {
    Postgres::start(&scratch.join("postgres"), PostgresOptions::new(durability))
        .await
        .unwrap()
}

async fn connect(postgres: &Postgres) -> PgConnection {
    PgConnection::connect(&postgres.url("postgres")).await.unwrap()
}

async fn show(connection: &mut PgConnection, setting: &str) -> String {
    sqlx::query("SELECT current_setting($1)")
        .bind(setting)
        .fetch_one(connection)
        .await
        .unwrap()
        .get(0)
}

async fn write(postgres: &Postgres, text: &str) {
    let mut connection = connect(postgres).await;
    sqlx::query("CREATE TABLE IF NOT EXISTS note (text text)")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("INSERT INTO note VALUES ($1)")
        .bind(text)
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn read(postgres: &Postgres) -> Vec<String> {
    let mut connection = connect(postgres).await;
    let rows = sqlx::query("SELECT text FROM note")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn pid(postgres: &Postgres) -> i32 {
    postgres.pid().unwrap().try_into().unwrap()
}

#[tokio::test]
async fn a_restart_keeps_the_data_the_port_and_the_password() {
    let scratch = Scratch::new();
    let mut postgres = start(&scratch, FAST).await;
    let (url, first) = (postgres.url("postgres"), pid(&postgres));
    write(&postgres, "反馈").await;

    postgres.restart().await.unwrap();
    assert_eq!(postgres.url("postgres"), url);
    assert_ne!(pid(&postgres), first);
    assert_eq!(read(&postgres).await, ["反馈"]);

    postgres.stop().await;
    assert_eq!(postgres.pid(), None);
    assert!(PgConnection::connect(&url).await.is_err());
    drop(postgres);

    let postgres = start(&scratch, FAST).await;
    assert_eq!(postgres.url("postgres"), url);
    assert_eq!(read(&postgres).await, ["反馈"]);
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_committed() {
    let scratch = Scratch::new();
    let mut postgres = start(&scratch, Durability::Full).await;
    write(&postgres, "kept").await;
    // An open session makes it the hard case: its process outlives the server for a moment.
    let open = connect(&postgres).await;
    kill(&postgres);
    until("the server is gone", || postgres.pid().is_none()).await;
    postgres.start_again().await.unwrap();
    assert_eq!(read(&postgres).await, ["kept"]);
    drop(open);
}

fn kill(postgres: &Postgres) {
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("kill -9 {}", pid(postgres))])
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn the_settings_are_what_was_asked_for() {
    let scratch = Scratch::new();
    let postgres = start(&scratch, FAST).await;
    let mut connection = connect(&postgres).await;
    for (setting, value) in [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("max_connections", "300"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "127.0.0.1"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(show(&mut connection, setting).await, value, "{setting}");
    }
    drop((connection, postgres));

    let postgres = start(&scratch, Durability::Full).await;
    let mut connection = connect(&postgres).await;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(show(&mut connection, setting).await, "on", "{setting}");
    }
}

#[tokio::test]
async fn nobody_comes_in_without_the_password_and_nobody_else_reads_it() {
    let scratch = Scratch::new();
    let postgres = start(&scratch, FAST).await;
    let password = postgres.folder().join("password");
    assert_eq!(fs::metadata(&password).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(postgres.folder()).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let guess = format!("postgres://huiyin:guess@127.0.0.1:{}/postgres", postgres.port());
    let error = PgConnection::connect(&guess).await.unwrap_err();
    assert!(error.to_string().contains("password authentication failed"), "{error}");
}

#[tokio::test]
async fn a_folder_in_use_is_refused_with_the_reason() {
    let scratch = Scratch::new();
    let _first = start(&scratch, FAST).await;
    let error = Postgres::start(&scratch.join("postgres"), PostgresOptions::new(FAST))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another process is using"), "{error:#}");
}

#[tokio::test]
async fn dropping_ends_the_server() {
    let scratch = Scratch::new();
    let postgres = start(&scratch, FAST).await;
    let pid = pid(&postgres);
    drop(postgres);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_pid_file_whose_number_is_another_programs_by_now_does_not_block_the_start() {
    let scratch = Scratch::new();
    let mut postgres = start(&scratch, FAST).await;
    let file = postgres.folder().join("data/postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    postgres.stop().await;
    drop(postgres);

    let mut other = Process::command("sleep", Signal::TERM);
    other.arg("600");
    let other = Process::spawn(other, Signal::TERM).unwrap();
    let rest = text.split_once('\n').unwrap().1;
    fs::write(&file, format!("{}\n{rest}", other.pid())).unwrap();

    let postgres = start(&scratch, FAST).await;
    connect(&postgres).await;
    assert!(other.status().is_none(), "the other program must be left alone");
}

#[tokio::test]
async fn a_server_that_an_earlier_run_left_behind_is_ended_and_replaced() {
    let scratch = Scratch::new();
    let mut postgres = start(&scratch, FAST).await;
    write(&postgres, "kept").await;
    let data = postgres.folder().join("data");
    let port = postgres.port();
    postgres.stop().await;
    drop(postgres);

    // The server as a run that was killed outright leaves it: it serves the folder, and nobody holds the lock.
    let mut orphan = Process::command("setpriv", Signal::KILL);
    if is_root() {
        orphan.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    orphan
        .arg(Postgres::find().unwrap().folder().join("postgres"))
        .arg("-D")
        .arg(&data);
    orphan.args([
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-p",
        &port.to_string(),
    ]);
    orphan.current_dir(&data);
    let orphan = Process::spawn(orphan, Signal::KILL).unwrap();
    until("the orphan serves", || {
        fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.contains("ready"))
    })
    .await;

    let postgres = start(&scratch, FAST).await;
    assert!(orphan.status().is_some());
    assert_eq!(read(&postgres).await, ["kept"]);
}

fn is_root() -> bool {
    let answer = std::process::Command::new("id").arg("-u").output().unwrap();
    answer.stdout == b"0\n"
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_refused_with_both_versions() {
    let scratch = Scratch::new();
    let mut postgres = start(&scratch, FAST).await;
    let version = postgres.folder().join("data/PG_VERSION");
    postgres.stop().await;
    drop(postgres);
    fs::write(version, "9\n").unwrap();
    let error = Postgres::start(&scratch.join("postgres"), PostgresOptions::new(FAST))
        .await
        .unwrap_err();
    let installed = Postgres::find().unwrap().version().to_string();
    let text = error.to_string();
    assert!(
        text.contains("made by postgres 9") && text.contains(&installed),
        "{text}"
    );
}

#[tokio::test]
async fn a_folder_that_postgres_cannot_reach_gets_a_stand_in() {
    if !is_root() {
        // Only root runs Postgres as somebody else.
        return;
    }
    let scratch = Scratch::new();
    let closed = scratch.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let folder = closed.join("postgres");
    let mut postgres = Postgres::start(&folder, PostgresOptions::new(FAST)).await.unwrap();
    let used = postgres.folder().to_owned();
    assert_ne!(used, folder);
    write(&postgres, "elsewhere").await;
    postgres.stop().await;
    drop(postgres);

    // The same stand-in the next time, and gone with the folder.
    let postgres = Postgres::start(&folder, PostgresOptions::new(FAST)).await.unwrap();
    assert_eq!(read(&postgres).await, ["elsewhere"]);
    drop(postgres);
    huiyin_embedded::remove(&folder).unwrap();
    assert!(!used.exists() && !folder.exists());
}
