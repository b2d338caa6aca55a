//! `with-servers`: the command sees the servers, its exit code comes through, and nothing is left behind.

use std::{
    fs,
    process::{Command, Stdio},
};

use huiyin_embedded::{Process, Signal, is_alive};

use crate::{Scratch, until};

fn with_servers(scratch: &Scratch) -> Command {
    prepared(Command::new(env!("CARGO_BIN_EXE_with-servers")), scratch)
}

/// In a folder of its own, and with servers of its own even where this test runs beside some already.
fn prepared(mut command: Command, scratch: &Scratch) -> Command {
    command
        .current_dir(scratch.path())
        .env_remove("HUIYIN_TEST_POSTGRES_URL")
        .env_remove("HUIYIN_TEST_REDIS_URL")
        .stdin(Stdio::null());
    command
}

/// A shell line that notes both servers' process ids, through the ports that it was told.
const NOTE: &str = r#"echo "$HUIYIN_TEST_POSTGRES_URL" > urls; echo "$HUIYIN_TEST_REDIS_URL" >> urls
cat .huiyin/test-*/postgres/data/postmaster.pid | head -1 > pid; echo done > noted"#;

fn leftovers(scratch: &Scratch) -> usize {
    fs::read_dir(scratch.join(".huiyin")).map_or(0, Iterator::count)
}

fn postgres_pid(scratch: &Scratch) -> i32 {
    fs::read_to_string(scratch.join("pid")).unwrap().trim().parse().unwrap()
}

#[test]
fn the_command_sees_both_servers_and_its_exit_code_comes_through() {
    let scratch = Scratch::new();
    let status = with_servers(&scratch)
        .args(["--", "sh", "-c"])
        .arg(format!("{NOTE}; exit 7"))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(7));
    let urls = fs::read_to_string(scratch.join("urls")).unwrap();
    assert!(
        urls.starts_with("postgres://huiyin:") && urls.contains("\nredis://:"),
        "{urls}"
    );
    assert!(!is_alive(postgres_pid(&scratch)));
    assert_eq!(leftovers(&scratch), 0);
}

#[test]
fn a_folder_that_was_named_is_kept() {
    let scratch = Scratch::new();
    let status = with_servers(&scratch)
        .args(["--folder", "mine", "--", "true"])
        .status()
        .unwrap();
    assert!(status.success());
    assert!(scratch.join("mine/postgres/password").exists());
}

#[test]
fn a_wrong_command_line_is_answered_with_the_usage() {
    let scratch = Scratch::new();
    for arguments in [&["--nothing"][..], &["--"], &[], &["--folder"]] {
        let output = with_servers(&scratch).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage:"));
    }
}

#[tokio::test]
async fn a_signal_ends_the_command_and_both_servers() {
    for signal in [Signal::INT, Signal::TERM] {
        let scratch = Scratch::new();
        let run = run(&scratch).await;
        run.signal(signal);
        run.ended().await;
        assert!(!is_alive(postgres_pid(&scratch)), "{signal:?}");
        assert_eq!(leftovers(&scratch), 0, "{signal:?}");
    }
}

#[tokio::test]
async fn sudden_death_leaves_no_server_and_the_next_run_clears_up() {
    let scratch = Scratch::new();
    let run = run(&scratch).await;
    run.signal(Signal::KILL);
    run.ended().await;
    let pid = postgres_pid(&scratch);
    until("the server noticed", || !is_alive(pid)).await;
    assert_eq!(leftovers(&scratch), 1);

    let status = with_servers(&scratch).args(["--", "true"]).status().unwrap();
    assert!(status.success());
    assert_eq!(leftovers(&scratch), 0);
}

/// A run whose command has noted its servers and goes on.
async fn run(scratch: &Scratch) -> Process {
    let command = Process::command(env!("CARGO_BIN_EXE_with-servers"), Signal::TERM);
    let mut command = prepared(command, scratch);
    command.args(["--", "sh", "-c"]).arg(format!("{NOTE}; exec sleep 600"));
    let run = Process::spawn(command, Signal::TERM).unwrap();
    until("the command runs", || scratch.join("noted").exists()).await;
    run
}
