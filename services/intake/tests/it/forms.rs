//! Forms and connectors over HTTP: signed, once, mapped, refused with everything that is wrong.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use huiyin_proto::{
    intake::v1::{ContactKind, DisableSourceRequest, FieldMapping, FixedField, RotateSourceSecretRequest, Source},
    r#type::v1::Channel,
};
use jiff::SignedDuration;
use reqwest::{RequestBuilder, Response, header::HeaderMap};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stand::Stand;

const HTTP: &str = "[http]\nlisten = \"127.0.0.1:0\"\nburst = 20\nper_second = 1\nbody_bytes = 20000\n";
const FORM: &str = "application/x-www-form-urlencoded";

/// A stand and one source on it.
pub(crate) struct Door {
    pub(crate) stand: Stand,
    pub(crate) source: Source,
}

impl Door {
    async fn new(source: Source) -> Self {
        Self::with(HTTP, source).await
    }

    /// With these settings.
    pub(crate) async fn with(settings: &str, source: Source) -> Self {
        let stand = Stand::with(settings).await;
        let source = stand.source("website", source).await;
        Self { stand, source }
    }

    pub(crate) fn now(&self) -> i64 {
        self.stand.stage.clock.now().as_second()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1/tenants/acme/forms/website", self.stand.other("http"))
    }

    /// A request signed with the secret of the source.
    fn signed(&self, id: &str, body: &str) -> RequestBuilder {
        let now = self.now();
        reqwest::Client::new()
            .post(self.url())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", sign(&self.source.secret, id, now, body.as_bytes()))
            .body(body.to_owned())
    }

    pub(crate) async fn send(&self, id: &str, body: &Value) -> (u16, Value) {
        answer(self.signed(id, &body.to_string()).send().await.unwrap()).await
    }
}

pub(crate) fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let key = BASE64_STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

pub(crate) async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) fn form() -> Source {
    Source {
        channel: Channel::WebForm.into(),
        ..Source::default()
    }
}

fn fields(problem: &Value) -> Vec<&str> {
    let violations = problem["violations"].as_array().unwrap_or_else(|| panic!("{problem}"));
    violations
        .iter()
        .map(|violation| violation["field"].as_str().unwrap())
        .collect()
}

/// 000-10, 003-10: a signed post becomes feedback of the form's channel; the answer carries its number and name.
#[tokio::test]
async fn a_signed_form_post_becomes_feedback() {
    let door = Door::new(form()).await;
    let body = json!({
        "title": "空调异响",
        "description": "开机就响，请回电 13800138000",
        "product": {"model": "KF-35", "order_number": 20261121001_i64, "device": "Mate 60"},
        "customer_reference": "u-4711",
        "contact.phone": "13800138000",
        "frequency": "often",
        "emotion_level": 4,
        "occur_time": "2026-03-01T20:00:00+08:00",
        "unknown": "is passed over",
    });
    let (status, taken) = door.send("m1", &body).await;
    assert_eq!((status, &taken["number"]), (201, &json!("FB20260302001")), "{taken}");
    let feedback = door.stand.feedbacks().await.pop().unwrap();
    assert_eq!(taken["name"], json!(feedback.name));
    assert!(taken["status_token"].as_str().is_some_and(|token| !token.is_empty()));
    assert_eq!(
        (feedback.channel(), feedback.source.as_str(), feedback.author.as_str()),
        (Channel::WebForm, "website", "source:website")
    );
    assert_eq!(feedback.description, "开机就响，请回电 [手机号]");
    assert_eq!(
        (feedback.contact_kind(), feedback.emotion_level),
        (ContactKind::Phone, 4)
    );
    let product = feedback.product.unwrap();
    assert_eq!(
        (
            product.model.as_str(),
            product.order_number.as_str(),
            product.device.as_str()
        ),
        ("KF-35", "20261121001", "Mate 60")
    );
    // 003-11: when it happened is not when it arrived.
    assert_eq!(
        feedback.create_time.unwrap().seconds - feedback.occur_time.unwrap().seconds,
        13 * 3600
    );
    assert_eq!(door.stand.events().await.len(), 1);
}

#[tokio::test]
async fn the_same_id_gets_the_same_answer_and_with_another_body_none() {
    let door = Door::new(form()).await;
    let body = json!({"description": "坏了"});
    let first = door.send("m1", &body).await;
    assert_eq!(door.send("m1", &body).await, first);
    let (status, problem) = door.send("m1", &json!({"description": "另一件"})).await;
    assert_eq!((status, &problem["title"]), (409, &json!("REQUEST_ID_REUSED")));
    assert_eq!(door.send("m2", &body).await.0, 201);
    assert_eq!(door.stand.stored().await, 2);
}

/// What somebody recorded on its way is of no use to them: not later, not with another body, id or time.
#[tokio::test]
async fn what_is_not_signed_or_no_longer_is_refused() {
    let door = Door::new(form()).await;
    let body = json!({"description": "坏了"}).to_string();
    let refused = async |request: RequestBuilder| {
        let (status, problem) = answer(request.send().await.unwrap()).await;
        assert_eq!(
            (status, &problem["title"]),
            (401, &json!("SIGNATURE_INVALID")),
            "{problem}"
        );
    };
    let client = reqwest::Client::new();
    let json_post = || client.post(door.url()).header("content-type", "application/json");
    refused(json_post().body(body.clone())).await;
    let signed = |id: &str, at: i64, signature: &str| {
        json_post()
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature)
            .body(body.clone())
    };
    let now = door.now();
    let good = sign(&door.source.secret, "m1", now, body.as_bytes());
    refused(signed("m2", now, &good)).await;
    refused(signed("m1", now + 1, &good)).await;
    refused(signed("m1", now, "v1,AAAA")).await;
    refused(signed("m1", now, "")).await;
    refused(signed("m1", now, &good).body("{}")).await;
    let foreign = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "m1", now, body.as_bytes());
    refused(signed("m1", now, &foreign)).await;
    for at in [now - 301, now + 301] {
        refused(signed("m1", at, &sign(&door.source.secret, "m1", at, body.as_bytes()))).await;
    }
    door.stand.stage.clock.advance(SignedDuration::from_secs(301));
    refused(signed("m1", now, &good)).await;
    assert_eq!(door.stand.stored().await, 0);
    let late = door.now() - 299;
    let in_time = signed("m1", late, &sign(&door.source.secret, "m1", late, body.as_bytes()));
    assert_eq!(answer(in_time.send().await.unwrap()).await.0, 201);
}

#[tokio::test]
async fn a_replaced_secret_counts_for_a_day_and_a_disabled_source_takes_nothing() {
    let door = Door::new(form()).await;
    let mut sources = door.stand.sources("user:admin", "acme", "admin").await;
    let name = door.source.name.clone();
    let rotate = RotateSourceSecretRequest {
        name: name.clone(),
        ..RotateSourceSecretRequest::default()
    };
    let rotated = sources.rotate_source_secret(rotate).await.unwrap().into_inner();
    let body = json!({"description": "坏了"});
    assert_eq!(door.send("m1", &body).await.0, 201);
    door.stand.stage.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(door.send("m2", &body).await.0, 401);
    let door = Door {
        source: rotated,
        ..door
    };
    assert_eq!(door.send("m2", &body).await.0, 201);
    let disable = DisableSourceRequest {
        name,
        ..DisableSourceRequest::default()
    };
    sources.disable_source(disable).await.unwrap();
    let (status, problem) = door.send("m3", &body).await;
    assert_eq!((status, &problem["title"]), (409, &json!("SOURCE_DISABLED")));
}

/// 000-10: what the page captured cannot be changed by whoever types: the server that rendered it has signed it.
#[tokio::test]
async fn a_ticket_carries_what_the_page_captured_once() {
    let door = Door::new(form()).await;
    let captured =
        json!({"customer_reference": "u-1", "product.device": "Mate 60", "product.order_number": "2026"}).to_string();
    let ticket_of = |captured: &str| {
        let (now, id) = (door.now(), "ticket-1");
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", now.to_string()),
            (
                "webhook-signature",
                sign(&door.source.secret, id, now, captured.as_bytes()),
            ),
            ("webhook-content", captured.to_owned()),
        ]
    };
    let encode = |pairs: &[(&str, String)], typed: &[(&str, &str)]| {
        let typed = typed.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let pairs = pairs.iter().cloned().chain(typed);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    };
    let post = async |kind: &str, body: String| {
        let request = reqwest::Client::new()
            .post(door.url())
            .header("content-type", kind)
            .body(body);
        answer(request.send().await.unwrap()).await
    };
    let ticket = ticket_of(&captured);
    let typed = [
        ("description", "屏幕闪烁"),
        ("customer_reference", "u-2"),
        ("product.order_number", "9"),
    ];
    // The page stays open for hours.
    door.stand.stage.clock.advance(SignedDuration::from_hours(11));
    let (status, taken) = post(FORM, encode(&ticket, &typed)).await;
    assert_eq!(status, 201, "{taken}");
    let feedback = door.stand.feedbacks().await.pop().unwrap();
    let product = feedback.product.unwrap();
    assert_eq!(
        (product.device.as_str(), product.order_number.as_str()),
        ("Mate 60", "2026")
    );

    // The same form sent again as multipart, as another browser would: the same answer. Another text: none.
    let parts: String = ticket
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain(typed)
        .map(|(name, value)| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
        .collect();
    assert_eq!(
        post("multipart/form-data; boundary=x", format!("{parts}--x--\r\n")).await,
        (201, taken)
    );
    let (status, problem) = post(FORM, encode(&ticket, &[("description", "又一件")])).await;
    assert_eq!((status, &problem["title"]), (409, &json!("REQUEST_ID_REUSED")));

    // Who captures somebody else into the ticket is refused, as is an old one.
    let mut forged = ticket.clone();
    forged[3].1 = captured.replace("u-1", "u-3");
    assert_eq!(post(FORM, encode(&forged, &typed)).await.0, 401);
    door.stand.stage.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(post(FORM, encode(&ticket, &typed)).await.0, 401);
    assert_eq!(door.stand.stored().await, 1);
}

/// 003-70: every violated field at once, named as it was sent, in the sender's language.
#[tokio::test]
async fn a_problem_names_every_field_and_where_it_stood() {
    let door = Door::new(Source {
        mappings: vec![
            FieldMapping {
                pointer: "/post/text".to_owned(),
                field: "description".to_owned(),
            },
            FieldMapping {
                pointer: "/post/mail".to_owned(),
                field: "contact.email".to_owned(),
            },
        ],
        ..form()
    })
    .await;
    let broken = json!({"post": {"text": "长".repeat(20_001), "mail": "x"}, "title": "长".repeat(201)}).to_string();
    let response = door.signed("m1", &"x".repeat(20_001)).send().await.unwrap();
    let (status, problem) = answer(response).await;
    assert_eq!((status, &problem["title"]), (413, &json!("BODY_UNREADABLE")));
    assert!(broken.len() > 20_000);

    let broken = json!({"post": {"mail": "li@nowhere at all"}, "title": "长".repeat(201), "language": "中文"});
    let request = door
        .signed("m1", &broken.to_string())
        .header("accept-language", "zh-CN");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["content-language"], "zh-CN");
    let (status, problem) = answer(response).await;
    assert_eq!(
        (status, &problem["title"], &problem["status"]),
        (400, &json!("FIELDS_INVALID"), &json!(400))
    );
    assert!(
        problem["detail"].as_str().unwrap().starts_with("部分字段不符合要求"),
        "{problem}"
    );
    let mut named = fields(&problem);
    named.sort_unstable();
    assert_eq!(named, ["description", "language", "title"]);
    let pointers: Vec<&Value> = problem["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["pointer"])
        .collect();
    assert!(
        pointers.contains(&&json!("/title")) && pointers.contains(&&Value::Null),
        "{problem}"
    );

    // What the room itself refuses is named so too.
    let broken = json!({"post": {"text": "坏了", "mail": "li@nowhere at all"}, "occur_time": "2027-01-01T00:00:00Z"});
    let (status, problem) = door.send("m2", &broken).await;
    let mut named = fields(&problem);
    named.sort_unstable();
    assert_eq!((status, named), (400, vec!["contact.email", "occur_time"]));
    let (_, problem) = door
        .send("m3", &json!({"post": {"text": {}}, "frequency": "never"}))
        .await;
    assert_eq!(fields(&problem), ["description"]);
    let (_, problem) = door
        .send(
            "m4",
            &json!({"post": {"text": "x"}, "frequency": "never", "emotion_level": "x"}),
        )
        .await;
    assert_eq!(fields(&problem), ["frequency", "emotion_level"]);
    for (kind, body) in [("application/json", "{"), ("text/plain", "x")] {
        let request = door.signed("m5", body).header("content-type", "application/json");
        let request = if kind == "text/plain" {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", kind.parse().unwrap());
            request.headers(headers)
        } else {
            request
        };
        let (status, problem) = answer(request.send().await.unwrap()).await;
        assert_eq!((status, &problem["title"]), (400, &json!("BODY_UNREADABLE")));
    }
    assert_eq!(door.stand.stored().await, 0);
}

#[tokio::test]
async fn a_source_that_is_not_there_looks_like_that_of_another_tenant() {
    let door = Door::new(form()).await;
    let client = reqwest::Client::new();
    let base = format!("http://{}/v1/tenants", door.stand.other("http"));
    for path in [
        "globex/forms/website",
        "acme/forms/none",
        "ACME/forms/website",
        "acme/forms/%00",
        "acme/connectors/-",
    ] {
        let (status, problem) = answer(client.post(format!("{base}/{path}")).body("{}").send().await.unwrap()).await;
        assert_eq!(
            (status, &problem["title"]),
            (404, &json!("RESOURCE_NOT_FOUND")),
            "{path}"
        );
    }
}

/// 000-12, 002-11, 002-12: a connector posts what it finds; only what says a keyword comes in, each once.
#[tokio::test]
async fn a_connector_takes_in_what_says_a_keyword_once() {
    let pairs = [
        ("/data/text", "description"),
        ("/data/id", "external_id"),
        ("/data/at", "occur_time"),
        ("/data/user/handle", "contact.im"),
    ];
    let mappings = pairs.map(|(pointer, field)| FieldMapping {
        pointer: pointer.to_owned(),
        field: field.to_owned(),
    });
    let door = Door::new(Source {
        channel: Channel::Weibo.into(),
        feedback_source: "weibo".to_owned(),
        mappings: mappings.to_vec(),
        fixed_fields: vec![FixedField {
            field: "urgency".to_owned(),
            value: "URGENT".to_owned(),
        }],
        keywords: vec!["回音".to_owned(), "ECHO".to_owned()],
        ..Source::default()
    })
    .await;
    let post = |id: &str, text: &str| json!({"data": {"id": id, "text": text, "at": 1_772_400_000, "user": {"handle": "@li"}}});
    assert_eq!(
        door.send("m1", &post("7", "天气不错")).await,
        (200, json!({"taken": false}))
    );
    // Our own post, sent on by somebody's relay.
    let own = door
        .signed("m1b", &post("9", "回音").to_string())
        .header("x-huiyin-hops", "1");
    assert_eq!(answer(own.send().await.unwrap()).await, (200, json!({"taken": false})));
    let (status, taken) = door.send("m2", &post("8", "我的Echo音箱坏了")).await;
    assert_eq!(status, 201, "{taken}");
    // The connector found it again: a request of its own, the same post.
    let (status, problem) = door.send("m3", &post("8", "我的Echo音箱坏了")).await;
    assert_eq!((status, &problem["title"]), (409, &json!("EXTERNAL_ID_TAKEN")));
    assert_eq!(problem["metadata"]["feedback"], taken["name"]);
    let feedback = door.stand.feedbacks().await.pop().unwrap();
    assert_eq!(
        (
            feedback.channel(),
            feedback.source.as_str(),
            feedback.external_id.as_str(),
            feedback.contact_kind()
        ),
        (Channel::Weibo, "weibo", "8", ContactKind::Im)
    );
    assert_eq!(feedback.occur_time.unwrap().seconds, 1_772_400_000);
    assert_eq!(door.stand.stored().await, 1);
}

#[tokio::test]
async fn a_source_that_sends_too_often_is_asked_to_wait_and_the_unsigned_take_none_of_its_share() {
    let door = Door::new(form()).await;
    for _ in 0..30 {
        let unsigned = reqwest::Client::new()
            .post(door.url())
            .header("content-type", "application/json")
            .body("{}");
        assert_eq!(unsigned.send().await.unwrap().status(), 401);
    }
    for number in 0..20 {
        let (status, _) = door.send(&format!("m{number}"), &json!({"description": "坏了"})).await;
        assert_eq!(status, 201);
    }
    let response = door.signed("m20", r#"{"description": "坏了"}"#).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    assert_eq!(answer(response).await.1["title"], json!("SOURCE_TOO_FAST"));
    door.stand.stage.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(door.send("m20", &json!({"description": "坏了"})).await.0, 201);
}

#[tokio::test]
async fn a_browser_may_send_from_the_origins_of_the_source_alone() {
    let door = Door::new(Source {
        origins: vec!["https://www.example.com".to_owned()],
        ..form()
    })
    .await;
    let preflight = async |origin: &str| {
        let request = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, door.url())
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        request.send().await.unwrap()
    };
    let allowed = preflight("https://www.example.com").await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://www.example.com"
    );
    assert_eq!(allowed.headers()["access-control-allow-methods"], "POST");
    let foreign = preflight("https://evil.example.com").await;
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));

    let body = r#"{"description": "坏了"}"#;
    let post = async |origin: &str, id: &str| door.signed(id, body).header("origin", origin).send().await.unwrap();
    let taken = post("https://www.example.com", "m1").await;
    assert_eq!(taken.status(), 201);
    assert_eq!(
        taken.headers()["access-control-allow-origin"],
        "https://www.example.com"
    );
    let (status, problem) = answer(post("https://evil.example.com", "m2").await).await;
    assert_eq!((status, &problem["title"]), (403, &json!("ORIGIN_FORBIDDEN")));
}

/// The drain: what is under way is answered, and the port is given back.
#[tokio::test]
async fn the_port_closes_with_the_service() {
    let door = Door::new(form()).await;
    let url = door.url();
    assert_eq!(door.send("m1", &json!({"description": "坏了"})).await.0, 201);
    let _stage = door.stand.stop().await;
    assert!(reqwest::Client::new().post(url).send().await.is_err());
}
