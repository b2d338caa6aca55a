//! A child ends with us.

use std::{os::unix::process::ExitStatusExt as _, time::Duration};

use huiyin_embedded::{Process, Signal, is_alive};

use crate::{Scratch, until};

#[tokio::test]
async fn dropping_a_process_ends_it() {
    let mut command = Process::command("sleep", Signal::TERM);
    command.arg("600");
    let process = Process::spawn(command, Signal::TERM).unwrap();
    let pid = i32::try_from(process.pid()).unwrap();
    assert!(is_alive(pid));
    drop(process);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_process_that_ignores_every_signal_is_killed_in_the_end() {
    let scratch = Scratch::new();
    let mut command = Process::command("sh", Signal::TERM);
    command
        .args(["-c", "trap '' TERM INT; touch ready; while :; do sleep 0.05; done"])
        .current_dir(scratch.path());
    let process = Process::spawn(command, Signal::KILL).unwrap();
    until("it ignores signals", || scratch.join("ready").exists()).await;
    let patience = Duration::from_millis(100);
    process.stop(&[(Signal::TERM, patience), (Signal::INT, patience)]).await;
    let signal = process.status().and_then(|status| status.signal());
    assert_eq!(signal, Some(Signal::KILL.as_raw()));
}

#[tokio::test]
async fn the_exit_code_is_kept() {
    let mut command = Process::command("sh", Signal::TERM);
    command.args(["-c", "exit 7"]);
    let process = Process::spawn(command, Signal::TERM).unwrap();
    assert_eq!(process.ended().await.code(), Some(7));
    assert_eq!(process.status().and_then(|status| status.code()), Some(7));
}

#[test]
fn a_program_that_is_not_there_is_an_error_or_an_exit_code() {
    // Through setpriv it is setpriv that says so.
    if let Ok(process) = Process::spawn(Process::command("/no/such/program", Signal::TERM), Signal::TERM) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(!runtime.block_on(process.ended()).success());
    }
}
