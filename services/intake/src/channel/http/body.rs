//! The body of a request as JSON, whatever it was sent as, and the files that came with it.

use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart},
    http::{HeaderValue, Request, header::CONTENT_TYPE},
};
use serde_json::Value;

use crate::channel::{evidence::File, fields};
use crate::error::Error;

/// A form has at most so many inputs; more than this nobody fills in.
const MOST_INPUTS: usize = 500;

/// What came.
pub(super) struct Read {
    pub(super) body: Value,
    pub(super) files: Vec<File>,
}

/// Reads a body that is all there.
///
/// # Errors
/// BODY_UNREADABLE where it is not what its content type says, or of a type that is not taken.
pub(super) async fn read(content_type: Option<&HeaderValue>, bytes: Bytes) -> Result<Read, Error> {
    let declared = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let unreadable = |problem: String| Error::BodyUnreadable(problem);
    match essence.as_str() {
        "application/json" => Ok(Read {
            // No data in the sentence: serde says where, not what.
            body: serde_json::from_slice(&bytes)
                .map_err(|error| unreadable(format!("not JSON (line {}, column {})", error.line(), error.column())))?,
            files: Vec::new(),
        }),
        "application/x-www-form-urlencoded" => {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(&bytes)
                .take(MOST_INPUTS + 1)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            Ok(Read {
                body: form(pairs)?,
                files: Vec::new(),
            })
        }
        "multipart/form-data" => multipart(declared, bytes).await,
        _ => Err(unreadable(
            "its content type is none of application/json, application/x-www-form-urlencoded, multipart/form-data"
                .to_owned(),
        )),
    }
}

fn form(pairs: Vec<(String, String)>) -> Result<Value, Error> {
    if pairs.len() > MOST_INPUTS {
        return Err(Error::BodyUnreadable(format!("more than {MOST_INPUTS} inputs")));
    }
    Ok(fields::of_form(pairs))
}

async fn multipart(content_type: &str, bytes: Bytes) -> Result<Read, Error> {
    let unreadable = |_| Error::BodyUnreadable("not a multipart form".to_owned());
    let request = Request::builder()
        .header(CONTENT_TYPE, content_type)
        .body(axum::body::Body::from(bytes))
        .map_err(|_| Error::BodyUnreadable("its content type is malformed".to_owned()))?;
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| Error::BodyUnreadable("it has no boundary".to_owned()))?;
    let (mut pairs, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        if pairs.len() + files.len() >= MOST_INPUTS {
            return Err(Error::BodyUnreadable(format!("more than {MOST_INPUTS} inputs")));
        }
        let name = part.name().unwrap_or_default().to_owned();
        match part.file_name().map(str::to_owned) {
            Some(file) => {
                let media_type = part.content_type().unwrap_or_default().to_owned();
                let bytes = part.bytes().await.map_err(unreadable)?;
                // What a browser sends for an input of files where none was chosen.
                if !(file.is_empty() && bytes.is_empty()) {
                    files.push(File {
                        name: file,
                        media_type,
                        bytes,
                    });
                }
            }
            None => pairs.push((name, part.text().await.map_err(unreadable)?)),
        }
    }
    Ok(Read {
        body: form(pairs)?,
        files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(content_type: &str, bytes: impl Into<Bytes>) -> Result<Read, Error> {
        read(Some(&HeaderValue::from_str(content_type).unwrap()), bytes.into()).await
    }

    #[tokio::test]
    async fn three_kinds_of_body_say_the_same() {
        let expected = serde_json::json!({"description": "坏了 & more", "title": "t"});
        let json = body("application/json; charset=utf-8", expected.to_string())
            .await
            .unwrap();
        let form = body(
            "application/x-www-form-urlencoded",
            "description=%E5%9D%8F%E4%BA%86+%26+more&title=t",
        );
        let parts = "--x\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n坏了 & more\r\n--x\r\n\
             Content-Disposition: form-data; name=\"title\"\r\n\r\nt\r\n--x\r\n\
             Content-Disposition: form-data; name=\"shot\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}2\r\n--x\r\n\
             Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
        let parts = body("multipart/form-data; boundary=x", parts).await.unwrap();
        assert_eq!(json.body, expected);
        assert_eq!(form.await.unwrap().body, expected);
        assert_eq!(parts.body, expected);
        let files: Vec<(&str, &str, &[u8])> = parts
            .files
            .iter()
            .map(|file| (file.name.as_str(), file.media_type.as_str(), &*file.bytes))
            .collect();
        assert_eq!(files, [("a.png", "image/png", b"\x012".as_slice())]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_refused_without_a_word_of_it() {
        let many = (0..=MOST_INPUTS)
            .map(|n| format!("a{n}=1"))
            .collect::<Vec<_>>()
            .join("&");
        for (kind, bytes) in [
            ("application/json", "{\"phone\": 13800138000"),
            ("text/plain", "13800138000"),
            ("multipart/form-data", "13800138000"),
            ("multipart/form-data; boundary=x", "13800138000"),
            ("application/x-www-form-urlencoded", many.as_str()),
        ] {
            let problem = body(kind, bytes.to_owned()).await.err().unwrap().to_string();
            assert!(!problem.contains("13800138000"), "{problem}");
        }
        assert!(read(None, Bytes::new()).await.is_err());
    }

    mod hostile {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(64))]
            /// Over a million characters in all: read or refused, never a panic.
            #[test]
            fn any_bytes_are_read_or_refused(
                kind in proptest::sample::select(vec![
                    "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                ]),
                bytes in proptest::collection::vec(
                    prop_oneof![any::<u8>(), proptest::sample::select(b"--x\r\n\r\n:;=&%{}[]\"\\".to_vec())], 16_000..24_000,
                ),
                opening in proptest::sample::select(vec![
                    "", "[[[[[[", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", "{\"a\":",
                ]),
            ) {
                let bytes = [opening.as_bytes(), &bytes].concat();
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let length = bytes.len();
                if let Ok(read) = runtime.block_on(body(kind, bytes)) {
                    prop_assert!(read.body.to_string().len() <= 8 * length + 16);
                }
            }
        }

        #[tokio::test]
        async fn deep_json_is_refused_and_not_followed() {
            let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
            assert!(body("application/json", deep).await.is_err());
        }
    }
}
