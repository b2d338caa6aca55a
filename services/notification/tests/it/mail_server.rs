//! A mail server that takes what it is given, or refuses it with the code that the test says.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::{StreamExt as _, stream::FuturesUnordered};
use huiyin_chassis::{Shutdown, Tasks};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// The server.
#[derive(Debug, Clone, Default)]
pub(crate) struct MailServer {
    mails: Arc<Mutex<Vec<Mail>>>,
    refusal: Arc<Mutex<Option<String>>>,
}

/// A mail as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    /// As in `RCPT TO`.
    pub(crate) to: String,
    lines: Vec<String>,
}

impl MailServer {
    /// Serves until the tasks end.
    pub(crate) async fn serve(&self, tasks: &mut Tasks, shutdown: Shutdown) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.clone();
        tasks.spawn("mail server", async move {
            let mut talks = FuturesUnordered::new();
            loop {
                tokio::select! {
                    () = shutdown.requested() => return Ok(()),
                    Ok((stream, _)) = listener.accept() => talks.push(server.talk(stream)),
                    Some(_) = talks.next() => {}
                }
            }
        });
        address
    }

    /// From now on every recipient is answered with this, e.g. `550 no such user`; `None` takes all.
    pub(crate) fn refuse(&self, answer: Option<&str>) {
        *self.refusal.lock().unwrap() = answer.map(str::to_owned);
    }

    /// What came in so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 sink\r\n").await?;
        let mut mail = Mail::default();
        while let Some(line) = lines.next_line().await? {
            let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let answer = match command.as_str() {
                "EHLO" => "250-sink\r\n250 8BITMIME".to_owned(),
                "RCPT" => match self.refusal.lock().unwrap().clone() {
                    Some(refusal) => refusal,
                    None => {
                        line.split(['<', '>'])
                            .nth(1)
                            .unwrap_or_default()
                            .clone_into(&mut mail.to);
                        "250 ok".to_owned()
                    }
                },
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        mail.lines.push(line);
                    }
                    self.mails.lock().unwrap().push(std::mem::take(&mut mail));
                    "250 taken".to_owned()
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }
}

impl Mail {
    /// A header, unfolded and decoded (RFC 2047).
    pub(crate) fn header(&self, name: &str) -> String {
        let mut value = String::new();
        let mut inside = false;
        for line in self.lines.iter().take_while(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                if inside {
                    value.push_str(line);
                }
                continue;
            }
            inside = line
                .to_ascii_lowercase()
                .starts_with(&format!("{}:", name.to_ascii_lowercase()));
            if inside {
                value.push_str(line.split_once(':').unwrap().1);
            }
        }
        decode_words(value.trim())
    }

    /// The text, decoded.
    pub(crate) fn body(&self) -> String {
        let text = self
            .lines
            .iter()
            .skip_while(|line| !line.is_empty())
            .skip(1)
            .map(String::as_str);
        match self.header("Content-Transfer-Encoding").as_str() {
            "base64" => String::from_utf8(BASE64_STANDARD.decode(text.collect::<String>()).unwrap())
                .unwrap()
                .replace("\r\n", "\n"),
            "quoted-printable" => decode_quoted(&text.collect::<Vec<_>>().join("\n")),
            _ => text.collect::<Vec<_>>().join("\n"),
        }
    }
}

/// Encoded words and plain ones; the space between two encoded ones does not count.
fn decode_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut was_encoded = true;
    for word in value.split_whitespace() {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        let apart = !(was_encoded && encoded.is_some());
        if apart && !decoded.is_empty() {
            decoded.push(' ');
        }
        match encoded {
            Some(encoded) => decoded.push_str(&String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()),
            None => decoded.push_str(word),
        }
        was_encoded = encoded.is_some();
    }
    decoded
}

fn decode_quoted(text: &str) -> String {
    let mut bytes = Vec::new();
    let text = text.replace("=\n", "");
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'=', [high, low, after @ ..]) => {
                let hex = String::from_utf8(vec![*high, *low]).unwrap();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
