//! The scanner of malware stands between a file and whoever wants it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use huiyin_chassis::{Shutdown, Tasks};
use huiyin_proto::intake::v1::ScanState;
use huiyin_testkit::eventually;
use jiff::SignedDuration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tonic::Code;

use super::{PATIENCE, client, download, get, png, upload};
use crate::stand::{Stand, create, feedback, metadata, reason};

/// A scanner as clamd is: finds EICAR; hangs up while it is ill.
struct Clamd {
    address: String,
    ill: Arc<AtomicBool>,
    shutdown: Shutdown,
    _tasks: Tasks,
}

impl Clamd {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let (ill, shutdown) = (Arc::new(AtomicBool::new(false)), Shutdown::new());
        let mut tasks = Tasks::new(shutdown.clone(), Duration::from_secs(30));
        let (sick, stop) = (Arc::clone(&ill), shutdown.clone());
        tasks.spawn("clamd", async move {
            loop {
                tokio::select! {
                    () = stop.requested() => return Ok(()),
                    socket = listener.accept() => {
                        if !sick.load(Ordering::SeqCst) {
                            // What comes is answered one after the other; a broken conversation is the scanner's matter.
                            let _ = converse(socket?.0).await;
                        }
                    }
                }
            }
        });
        Self {
            address,
            ill,
            shutdown,
            _tasks: tasks,
        }
    }

    fn settings(&self) -> String {
        format!("[attachments.scanner]\naddress = \"{}\"\n", self.address)
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

async fn converse(mut socket: TcpStream) -> std::io::Result<()> {
    let mut command = [0; 10];
    socket.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut bytes = Vec::new();
    loop {
        let length = socket.read_u32().await?;
        if length == 0 {
            break;
        }
        let mut part = vec![0; usize::try_from(length).unwrap()];
        socket.read_exact(&mut part).await?;
        bytes.extend(part);
    }
    let infected = bytes.windows(5).any(|window| window == b"EICAR");
    let reply: &[u8] = if infected {
        b"stream: Eicar-Signature FOUND\0"
    } else {
        b"stream: OK\0"
    };
    socket.write_all(reply).await
}

/// A scanner that takes what comes and never answers holds up nothing else that is due.
#[tokio::test]
async fn a_scanner_that_hangs_holds_up_its_own_alone() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let stand = Stand::with(&format!("[attachments.scanner]\naddress = \"tcp://{address}\"\n")).await;
    upload(&mut client(&stand).await, "a.png", &png(10)).await;
    let _held = silent.accept().await.unwrap();
    stand
        .client()
        .await
        .create_feedback(create(feedback("空调开机后一直漏水，滴到地板上")))
        .await
        .unwrap();
    eventually("it is compared", PATIENCE, async || {
        let bands: i64 = sqlx::query_scalar("SELECT count(*) FROM feedback_band")
            .fetch_one(&mut stand.database().await)
            .await
            .unwrap();
        (bands > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_a_file_before_the_scanner_has_passed_it() {
    let clamd = Clamd::start().await;
    clamd.ill.store(true, Ordering::SeqCst);
    let stand = Stand::with(&clamd.settings()).await;
    let mut files = client(&stand).await;
    let clean = upload(&mut files, "a.png", &png(3 << 20)).await;
    let infected = upload(&mut files, "b.txt", b"X5O!P%@AP EICAR").await;
    assert_eq!(clean.scan_state(), ScanState::Pending);
    let waits = download(&mut files, &clean.name, 0, 0).await.unwrap_err();
    assert_eq!(
        (waits.code(), reason(&waits)),
        (Code::FailedPrecondition, "ATTACHMENT_NOT_SCANNED".to_owned())
    );
    // The scanner is ill: it is asked again later, and until then nothing is handed out.
    eventually("both scans were tried", PATIENCE, async || {
        let tried: i64 =
            sqlx::query_scalar("SELECT count(*) FROM chassis.timer WHERE kind = 'attachment.scan' AND attempts > 0")
                .fetch_one(&mut stand.database().await)
                .await
                .unwrap();
        tried == 2
    })
    .await;
    assert_eq!(
        get(&mut files, &clean.name).await.unwrap().scan_state(),
        ScanState::Pending
    );

    clamd.ill.store(false, Ordering::SeqCst);
    eventually("both are scanned", PATIENCE, async || {
        stand.stage.clock.advance(SignedDuration::from_secs(60));
        let mut files = client(&stand).await;
        let (clean, infected) = (
            get(&mut files, &clean.name).await.unwrap(),
            get(&mut files, &infected.name).await.unwrap(),
        );
        let states = (clean.scan_state(), infected.scan_state());
        if states == (ScanState::Clean, ScanState::Infected) {
            Ok(())
        } else {
            Err(format!("{states:?}"))
        }
    })
    .await;
    assert!(download(&mut files, &clean.name, 0, 0).await.unwrap().1 == png(3 << 20));
    let refused = download(&mut files, &infected.name, 0, 0).await.unwrap_err();
    assert_eq!(
        (reason(&refused), metadata(&refused, "signature")),
        ("ATTACHMENT_INFECTED".to_owned(), "Eicar-Signature".to_owned())
    );
    // The same bytes under another name are as infected.
    let renamed = upload(&mut files, "c.txt", b"X5O!P%@AP EICAR").await;
    assert_eq!(renamed.scan_state(), ScanState::Infected);
}
