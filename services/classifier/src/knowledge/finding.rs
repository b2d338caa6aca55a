//! Use cases of finding: search by words, suggest for a feedback.

use huiyin_chassis::{Refusal, Tenant, name};
use uuid::Uuid;

use super::{
    domain::{Article, Sees, Wanted, at_most},
    excerpt::{Excerpt, excerpt, highlights},
    store_search,
    terms::asked,
};
use crate::{classification, domain::UNCLASSIFIED, reading::fold::fold_term, room::Room};

/// An article that was found, with what is shown of it.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) article: Article,
    pub(super) score: f64,
    pub(super) title: Vec<std::ops::Range<u32>>,
    pub(super) excerpt: Excerpt,
}

/// What a caller says of what is looked for.
#[derive(Debug)]
pub(super) struct Said<'r> {
    pub(super) text: &'r str,
    pub(super) category: &'r str,
    pub(super) product_model: &'r str,
    pub(super) locale: &'r str,
    pub(super) sees: Sees,
    pub(super) max_results: i32,
}

/// What holds the words, the best first.
pub(super) async fn search(room: &Room, tenant: &Tenant, said: Said<'_>) -> Result<Vec<Hit>, Refusal> {
    let categories = if said.category.is_empty() {
        Vec::new()
    } else {
        vec![said.category.to_owned()]
    };
    find(
        room,
        tenant,
        wanted(&said, said.text, categories, said.product_model, false),
    )
    .await
}

/// What holds the words or is about the category; what is not said is taken from a feedback.
pub(super) async fn suggest(
    room: &Room,
    tenant: &Tenant,
    feedback: Option<Uuid>,
    said: Said<'_>,
) -> Result<Vec<Hit>, Refusal> {
    let Some(feedback) = feedback else {
        if said.text.is_empty() && said.category.is_empty() {
            return Err(Refusal::invalid_field(
                "text",
                "must be said where neither feedback nor category is",
            ));
        }
        let categories = Vec::from_iter((!said.category.is_empty()).then(|| said.category.to_owned()));
        return find(
            room,
            tenant,
            wanted(&said, said.text, categories, said.product_model, true),
        )
        .await;
    };
    let name = tenant.child("feedbacks", feedback);
    let known = classification::get(room, tenant, feedback, &name).await?;
    let or = |said: &'_ str, known: &str| {
        if said.is_empty() {
            known.to_owned()
        } else {
            said.to_owned()
        }
    };
    let categories = if said.category.is_empty() {
        let labels = known.labels.into_iter().map(|label| label.category);
        let all = std::iter::once(known.category).chain(labels);
        all.filter(|key| key != UNCLASSIFIED).collect()
    } else {
        vec![said.category.to_owned()]
    };
    let text = or(said.text, &known.excerpt);
    let product_model = or(said.product_model, &known.feedback.product_model);
    find(room, tenant, wanted(&said, &text, categories, &product_model, true)).await
}

/// The feedback of a name; none for an empty one.
pub(super) fn feedback(
    caller: &huiyin_chassis::Caller,
    tenant: &Tenant,
    feedback: &str,
) -> Result<Option<Uuid>, Refusal> {
    if feedback.is_empty() {
        return Ok(None);
    }
    let (of, id) = name::child_uuid(caller, feedback, "feedbacks")?;
    if of == *tenant {
        Ok(Some(id))
    } else {
        Err(Refusal::not_found(feedback))
    }
}

fn wanted(said: &Said<'_>, text: &str, categories: Vec<String>, product_model: &str, by_category: bool) -> Wanted {
    Wanted {
        asked: asked(text),
        locale: said.locale.to_owned(),
        categories,
        product_key: fold_term(product_model),
        sees: said.sees,
        by_category,
        at_most: at_most(said.max_results),
    }
}

async fn find(room: &Room, tenant: &Tenant, wanted: Wanted) -> Result<Vec<Hit>, Refusal> {
    let mut tx = room.database.tenant(tenant).await?;
    let found = store_search::find(&mut tx, tenant, &wanted).await?;
    tx.rollback().await;
    // Up to 50 bodies are read: work for a thread of its own.
    let shown = move || {
        let shown = found.into_iter().map(|(mut article, score)| {
            let content = &mut article.version.content;
            let body = std::mem::take(&mut content.body);
            Hit {
                score,
                title: highlights(&content.title, &wanted.asked),
                excerpt: excerpt(&body, &wanted.asked),
                article,
            }
        });
        shown.collect()
    };
    tokio::task::spawn_blocking(shown).await.map_err(Refusal::fault)
}
