//! The door of HTTP under pressure: who holds a connection keeps nobody out, and nothing is kept of what is refused.

use reqwest::{Client, RequestBuilder};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    attachment::eventually_stored,
    forms::{Door, answer, form, sign},
};

const ONE_PLACE: &str = "[http]\nlisten = \"127.0.0.1:0\"\nconcurrency = 1\n";

/// A signed form with a file of text.
fn with_file(door: &Door, id: &str, inputs: &[(&str, &str)], file: &str) -> RequestBuilder {
    let inputs: String = inputs
        .iter()
        .map(|(name, value)| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
        .collect();
    let body = format!(
        "{inputs}--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n{file}\r\n--x--\r\n"
    );
    let now = door.now();
    Client::new()
        .post(door.url())
        .header("content-type", "multipart/form-data; boundary=x")
        .header("webhook-id", id)
        .header("webhook-timestamp", now)
        .header("webhook-signature", sign(&door.source.secret, id, now, body.as_bytes()))
        .body(body)
}

#[tokio::test]
async fn whoever_is_silent_keeps_nobody_out() {
    let door = Door::with(ONE_PLACE, form()).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(door.stand.other("http")).await.unwrap();
        let head = "POST /v1/tenants/acme/forms/website HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    for number in 0..5 {
        let (status, answer) = door.send(&format!("m{number}"), &json!({"description": "坏了"})).await;
        assert_eq!(status, 201, "{answer}");
    }
}

/// 003-70, 000-24: what is refused leaves no file behind, and what comes again brings none.
#[tokio::test]
async fn files_are_kept_of_what_is_taken_alone() {
    let door = Door::with(&format!("day_bytes = 100\n{ONE_PLACE}"), form()).await;
    let entries = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM attachment")
            .fetch_one(&mut door.stand.database().await)
            .await
            .unwrap()
    };
    let send = async |id: &str, inputs: &[(&str, &str)], file: &str| {
        answer(with_file(&door, id, inputs, file).send().await.unwrap()).await
    };
    let said = [("description", "坏了，见附件")];
    let (status, problem) = send("m1", &[("title", "没有描述")], "一份说明").await;
    assert_eq!((status, entries().await), (400, 0), "{problem}");
    let (status, taken) = send("m2", &said, "一份说明").await;
    assert_eq!((status, entries().await), (201, 1), "{taken}");
    assert_eq!(send("m2", &said, "一份说明").await, (201, taken));
    assert_eq!(entries().await, 1);
    // The day has 100 bytes: the same again takes none of them, others do.
    for number in 3..20 {
        let (status, _) = send(&format!("m{number}"), &said, "一份说明").await;
        assert_eq!(status, 201);
    }
    let (status, problem) = send("m20", &said, &"另一份说明".repeat(10)).await;
    assert_eq!((status, &problem["title"]), (429, &json!("ATTACHMENT_QUOTA_EXCEEDED")));
    assert_eq!(entries().await, 18);
    eventually_stored(&door.stand, 1).await;
}
