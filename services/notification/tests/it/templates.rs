//! Templates: checked when saved, versioned, nearest language, previews.

use huiyin_proto::notification::v1::{
    GetTemplateRequest, ListTemplatesRequest, PreviewTemplateRequest, Template, UpdateTemplateRequest,
};
use prost_types::FieldMask;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    access::{reason, violated},
    scene::{Client, Scene, messages, progressed, resolved, subject, unreachable},
};

fn template(id: &str, subject: &str, body: &str) -> Template {
    Template {
        name: format!("tenants/acme/templates/{id}"),
        subject: subject.to_owned(),
        body: body.to_owned(),
        ..Default::default()
    }
}

async fn save(client: &mut Client, template: Template) -> Result<Template, Status> {
    let request = UpdateTemplateRequest {
        template: Some(template),
        allow_missing: true,
        ..Default::default()
    };
    client.update_template(request).await.map(tonic::Response::into_inner)
}

async fn list(client: &mut Client, filter: &str, order_by: &str, page_size: i32) -> Vec<Template> {
    let mut request = ListTemplatesRequest {
        parent: "tenants/acme".to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        page_size,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let answer = client.list_templates(request.clone()).await.unwrap().into_inner();
        all.extend(answer.templates);
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            return all;
        }
    }
}

/// A variable that the purpose does not have is refused when saved, by name, and not when sent.
#[tokio::test]
async fn a_template_with_an_unknown_variable_is_refused_and_the_variable_is_named() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let refused = save(
        &mut client,
        template("progress-zh-cn", "{{ number }}", "{{ text }} {{ phone }} {{ link }}"),
    )
    .await
    .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let (name, metadata) = reason(&refused);
    assert_eq!(name, "TEMPLATE_VARIABLES_UNKNOWN");
    assert_eq!(metadata["unknown"], "link, phone");
    assert!(metadata["available"].contains("promise_time"), "{metadata:?}");

    let refused = save(&mut client, template("progress-zh-cn", "ok", "one\n{{ text"))
        .await
        .unwrap_err();
    let (name, metadata) = reason(&refused);
    assert_eq!(
        (name.as_str(), metadata["field"].as_str(), metadata["line"].as_str()),
        ("TEMPLATE_MALFORMED", "body", "2")
    );

    let refused = save(&mut client, template("progress-zh-cn", "two\nlines", "ok"))
        .await
        .unwrap_err();
    assert_eq!(violated(&refused), ["template.subject"]);
    let refused = save(&mut client, template("progress-fr", "", "ok")).await.unwrap_err();
    assert_eq!(violated(&refused), ["template.subject"]);
    assert_eq!(list(&mut client, "", "", 0).await.len(), 21, "nothing was saved");
}

#[tokio::test]
async fn a_saved_template_is_used_from_then_on_and_what_is_queued_keeps_its_words() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let first = scene
        .scheduler
        .publish("acme", &subject("w1"), resolved(unreachable("w1")));
    let before = scene.settled(&mut client, &first.id, 1).await.remove(0);
    let saved = save(
        &mut client,
        template("resolution-zh-cn", "{{ number }} 好了", "做了：{{ resolution }}"),
    )
    .await
    .unwrap();
    assert_eq!(
        (saved.version, saved.author.as_str(), saved.etag.as_str()),
        (1, "user:admin", "1")
    );
    assert_eq!(saved.variables, ["number", "resolution"]);

    let second = scene
        .scheduler
        .publish("acme", &subject("w1"), resolved(unreachable("w1")));
    let after = scene.settled(&mut client, &second.id, 1).await.remove(0);
    assert_eq!(
        (after.subject.as_str(), after.body.as_str(), after.template_version),
        ("WO20260302001 好了", "做了：已在 3.2.1 版本修复", 1)
    );
    let kept = messages(&mut client, &format!("event = \"{}\"", first.id)).await;
    assert_eq!(kept, [before]);
}

#[tokio::test]
async fn a_message_is_written_in_the_nearest_language() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    save(
        &mut client,
        template("progress-fr", "Des nouvelles de {{ number }}", "{{ text }}"),
    )
    .await
    .unwrap();
    for (language, locale, subject_line) in [
        ("en-GB", "en", "News about your feedback FB20260302001"),
        ("zh-HK", "zh-TW", "您的回饋 FB20260302001 有新進展"),
        ("fr-CA", "fr", "Des nouvelles de WO20260302001"),
        ("ja", "zh-CN", "您的反馈 FB20260302001 有新进展"),
    ] {
        let mut work_order = unreachable("w1");
        work_order.feedback.as_mut().unwrap().language = language.to_owned();
        let event = scene
            .scheduler
            .publish("acme", &subject("w1"), progressed(work_order, "正在处理"));
        let told = scene.settled(&mut client, &event.id, 1).await.remove(0);
        assert_eq!(
            (told.locale.as_str(), told.subject.as_str()),
            (locale, subject_line),
            "{language}"
        );
    }
}

#[tokio::test]
async fn a_template_is_guarded_by_its_etag_and_saved_once_per_request_id() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let name = "tenants/acme/templates/survey-zh-cn".to_owned();
    let mut request = UpdateTemplateRequest {
        template: Some(Template {
            name: name.clone(),
            subject: "请评价".to_owned(),
            etag: "0".to_owned(),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["subject".to_owned()],
        }),
        request_id: Uuid::from_u128(7).to_string(),
        ..Default::default()
    };
    let saved = client.update_template(request.clone()).await.unwrap().into_inner();
    assert_eq!(saved.version, 1);
    assert!(
        saved.body.contains("{{ link }}"),
        "the built-in text stays: {}",
        saved.body
    );
    assert_eq!(
        client.update_template(request.clone()).await.unwrap().into_inner(),
        saved,
        "the same answer again"
    );

    request.request_id = Uuid::from_u128(8).to_string();
    assert_eq!(
        client.update_template(request.clone()).await.unwrap_err().code(),
        Code::Aborted,
        "the etag is that of version 0"
    );
    request.request_id = Uuid::from_u128(7).to_string();
    request.validate_only = true;
    assert_eq!(
        reason(&client.update_template(request.clone()).await.unwrap_err()).0,
        "REQUEST_ID_REUSED"
    );

    (request.request_id, request.template.as_mut().unwrap().etag) = (String::new(), "1".to_owned());
    assert_eq!(
        client
            .update_template(request.clone())
            .await
            .unwrap()
            .into_inner()
            .version,
        2,
        "as if it were saved"
    );
    let get = |version| GetTemplateRequest {
        name: name.clone(),
        version,
    };
    assert_eq!(
        client.get_template(get(None)).await.unwrap().into_inner(),
        saved,
        "and it is not"
    );
    assert_eq!(client.get_template(get(Some(0))).await.unwrap().into_inner().version, 0);
    assert_eq!(
        client.get_template(get(Some(2))).await.unwrap_err().code(),
        Code::NotFound
    );

    request.update_mask = Some(FieldMask {
        paths: vec!["version".to_owned()],
    });
    assert_eq!(
        violated(&client.update_template(request.clone()).await.unwrap_err()),
        ["update_mask"]
    );
    let unknown = UpdateTemplateRequest {
        template: Some(template("survey-fr", "a", "b")),
        ..Default::default()
    };
    assert_eq!(
        client.update_template(unknown).await.unwrap_err().code(),
        Code::NotFound,
        "a language without a template"
    );
}

#[tokio::test]
async fn the_templates_in_force_are_listed_by_name_and_in_pages() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    save(&mut client, template("survey-en", "Please rate", "{{ link }}"))
        .await
        .unwrap();
    save(&mut client, template("survey-de-at", "Bitte", "{{ link }}"))
        .await
        .unwrap();
    let all = list(&mut client, "", "", 0).await;
    let names: Vec<&str> = all.iter().map(|template| template.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(
        (names.len(), &names),
        (22, &sorted),
        "7 purposes in 3 languages, and one more"
    );
    assert_eq!(list(&mut client, "", "", 4).await, all, "pages skip and repeat nothing");
    let mut reversed = list(&mut client, "", "name desc", 5).await;
    reversed.reverse();
    assert_eq!(reversed, all);

    let surveys = list(&mut client, "purpose = SURVEY AND version > 0", "", 0).await;
    assert_eq!(
        surveys
            .iter()
            .map(|template| template.locale.as_str())
            .collect::<Vec<_>>(),
        ["de-AT", "en"]
    );
    assert_eq!(list(&mut client, "locale = \"zh-TW\"", "", 0).await.len(), 7);
}

#[tokio::test]
async fn a_preview_shows_what_a_text_makes_of_values() {
    let scene = Scene::without_mail().await;
    let mut client = scene.admin().await;
    let mut request = PreviewTemplateRequest {
        template: Some(template("resolution-en", "{{ number }} done", "")),
        values: [("resolution".to_owned(), "A new battery".to_owned())].into(),
    };
    let shown = client.preview_template(request.clone()).await.unwrap().into_inner();
    assert_eq!(shown.subject, "WO20261121001 done");
    assert!(shown.body.contains("What was done: A new battery"), "{}", shown.body);
    assert!(shown.variables.contains(&"outcome".to_owned()));

    request.values.insert("colour".to_owned(), "red".to_owned());
    let refused = client.preview_template(request.clone()).await.unwrap_err();
    assert_eq!(reason(&refused).1["unknown"], "colour");
    request.values.clear();
    request.template = Some(template("resolution-fr", "{{ number }}", ""));
    assert_eq!(
        client.preview_template(request).await.unwrap_err().code(),
        Code::NotFound,
        "no text is saved in French"
    );
}
