//! Articles: written in versions, published, archived, taken back.

use huiyin_proto::classifier::v1::{
    self, Article, ArticleAudience, ArticleKind, ArticleOutcome, ArticleState,
    knowledge_service_client::KnowledgeServiceClient,
};
use huiyin_testkit::Connection;
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::play::{PARENT, Play, TENANT, refused, violated};

pub(crate) type Knowledge = KnowledgeServiceClient<Connection>;

impl Play {
    pub(crate) async fn knowledge(&self, subject: &str, tenant: &str, role: &str) -> Knowledge {
        let token = self.stage.token(subject, tenant, &[role]);
        KnowledgeServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    /// A supervisor at the knowledge base.
    pub(crate) async fn librarian(&self) -> Knowledge {
        self.knowledge("user:boss", TENANT, "supervisor").await
    }

    /// An article that is published.
    pub(crate) async fn published(&self, article: Article) -> Article {
        let mut boss = self.librarian().await;
        let made = boss.create_article(creation(article)).await.unwrap().into_inner();
        boss.publish_article(publication(&made)).await.unwrap().into_inner()
    }
}

pub(crate) fn article(title: &str, body: &str) -> Article {
    Article {
        kind: ArticleKind::Faq.into(),
        locale: "zh-CN".to_owned(),
        title: title.to_owned(),
        body: body.to_owned(),
        audience: ArticleAudience::Agents.into(),
        ..Default::default()
    }
}

pub(crate) fn creation(article: Article) -> v1::CreateArticleRequest {
    v1::CreateArticleRequest {
        parent: PARENT.to_owned(),
        article: Some(article),
        ..Default::default()
    }
}

/// Publishes the version that an article is shown as.
pub(crate) fn publication(article: &Article) -> v1::PublishArticleRequest {
    v1::PublishArticleRequest {
        name: article.name.clone(),
        version: article.version,
        ..Default::default()
    }
}

pub(crate) fn archival(article: &Article) -> v1::ArchiveArticleRequest {
    v1::ArchiveArticleRequest {
        name: article.name.clone(),
        version: article.version,
        ..Default::default()
    }
}

pub(crate) fn next_version(of: &Article, content: Article) -> v1::UpdateArticleRequest {
    v1::UpdateArticleRequest {
        name: of.name.clone(),
        article: Some(content),
        ..Default::default()
    }
}

fn rollback(of: &Article, locale: &str) -> v1::RollbackArticleRequest {
    v1::RollbackArticleRequest {
        name: of.name.clone(),
        locale: locale.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn reading(of: &Article, version: i32, locale: &str) -> v1::GetArticleRequest {
    v1::GetArticleRequest {
        name: of.name.clone(),
        version,
        locale: locale.to_owned(),
    }
}

pub(crate) fn use_of(article: &Article, outcome: ArticleOutcome, feedback: &str) -> v1::RecordArticleUseRequest {
    v1::RecordArticleUseRequest {
        name: article.name.clone(),
        version: article.version,
        outcome: outcome.into(),
        feedback: feedback.to_owned(),
        ..Default::default()
    }
}

/// 003-06: what is edited is the next version; one of each language is published; a rollback takes the last publication back.
#[tokio::test(flavor = "multi_thread")]
async fn of_each_language_one_version_is_published_and_the_last_publication_can_be_taken_back() {
    let play = Play::begin().await;
    let mut boss = play.librarian().await;
    let first = Article {
        categories: vec!["function.crash".to_owned()],
        product_models: vec!["X1".to_owned()],
        keywords: vec!["重启".to_owned()],
        change_reason: "新建".to_owned(),
        ..article("应用闪退怎么办", "# 步骤\n1. 重启手机")
    };
    let made = boss.create_article(creation(first.clone())).await.unwrap().into_inner();
    assert_eq!((made.version, made.state()), (1, ArticleState::Draft));
    assert_eq!((made.author.as_str(), made.publisher.as_str()), ("user:boss", ""));
    assert_eq!((made.body.as_str(), made.categories.len()), ("# 步骤\n1. 重启手机", 1));
    let published = boss.publish_article(publication(&made)).await.unwrap().into_inner();
    assert_eq!(published.state(), ArticleState::Published);
    assert_eq!(
        (published.publisher.as_str(), published.publish_time.is_some()),
        ("user:boss", true)
    );

    // An edit is a draft; what is published stays.
    play.stage.clock.advance(SignedDuration::from_mins(1));
    let second = boss
        .update_article(next_version(
            &made,
            Article {
                body: "重装应用".to_owned(),
                ..first.clone()
            },
        ))
        .await;
    let second = second.unwrap().into_inner();
    assert_eq!((second.version, second.state()), (2, ArticleState::Draft));
    assert_eq!(second.published_versions["zh-CN"], 1);
    let shown = boss.get_article(reading(&made, 0, "")).await.unwrap().into_inner();
    assert_eq!((shown.version, shown.body.as_str()), (1, "# 步骤\n1. 重启手机"));
    let second = boss.publish_article(publication(&second)).await.unwrap().into_inner();
    assert_eq!(second.published_versions["zh-CN"], 2);
    let replaced = boss.get_article(reading(&made, 1, "")).await.unwrap().into_inner();
    assert_eq!(replaced.state(), ArticleState::Archived);

    // A translation stands beside it.
    let english = Article {
        locale: "en".to_owned(),
        title: "App crashes".to_owned(),
        ..first
    };
    let english = boss
        .update_article(next_version(&made, english))
        .await
        .unwrap()
        .into_inner();
    let english = boss.publish_article(publication(&english)).await.unwrap().into_inner();
    assert_eq!((english.version, english.published_versions.len()), (3, 2));
    assert_eq!(
        boss.get_article(reading(&made, 0, "en"))
            .await
            .unwrap()
            .into_inner()
            .version,
        3
    );
    assert_eq!(
        boss.get_article(reading(&made, 0, ""))
            .await
            .unwrap()
            .into_inner()
            .version,
        2
    );
    assert_eq!(
        refused(boss.get_article(reading(&made, 0, "ja")).await).0,
        Code::NotFound
    );

    // Withdrawn, and taken back step by step.
    let withdrawn = boss.archive_article(archival(&second)).await.unwrap().into_inner();
    assert_eq!(withdrawn.state(), ArticleState::Archived);
    assert!(!withdrawn.published_versions.contains_key("zh-CN"));
    let mut back = async |locale: &str| {
        boss.rollback_article(rollback(&made, locale))
            .await
            .map(|answer| answer.into_inner().version)
    };
    assert_eq!(back("").await.unwrap(), 2);
    assert_eq!(back("zh-CN").await.unwrap(), 1);
    let nothing = (Code::FailedPrecondition, "NO_EARLIER_PUBLICATION".to_owned());
    assert_eq!(refused(back("").await), nothing);
    assert_eq!(refused(back("en").await), nothing);

    let versions = v1::ListArticleVersionsRequest {
        parent: made.name.clone(),
        page_size: 2,
        ..Default::default()
    };
    let page = boss.list_article_versions(versions.clone()).await.unwrap().into_inner();
    let listed: Vec<(i32, ArticleState)> = page
        .versions
        .iter()
        .map(|version| (version.version, version.state()))
        .collect();
    assert_eq!(listed, [(3, ArticleState::Published), (2, ArticleState::Archived)]);
    assert!(page.versions[0].body.is_empty());
    let rest = v1::ListArticleVersionsRequest {
        page_token: page.next_page_token,
        ..versions
    };
    let page = boss.list_article_versions(rest).await.unwrap().into_inner();
    assert_eq!(
        (page.versions[0].version, page.versions[0].state()),
        (1, ArticleState::Published)
    );
    assert!(page.next_page_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_is_not_overwritten_and_a_request_that_comes_again_does_nothing() {
    let play = Play::begin().await;
    let mut boss = play.librarian().await;
    let request = v1::CreateArticleRequest {
        request_id: Uuid::from_u128(1 << 76).to_string(),
        ..creation(article("充电慢", "换线"))
    };
    let made = boss.create_article(request.clone()).await.unwrap().into_inner();
    let again = boss.create_article(request).await.unwrap().into_inner();
    assert_eq!(made, again);
    let edit = v1::UpdateArticleRequest {
        etag: made.etag.clone(),
        ..next_version(&made, article("充电慢", "换头"))
    };
    let edited = boss.update_article(edit.clone()).await.unwrap().into_inner();
    let late = (Code::Aborted, "ETAG_MISMATCH".to_owned());
    assert_eq!(refused(boss.update_article(edit).await), late);
    let stale = v1::PublishArticleRequest {
        etag: made.etag.clone(),
        ..publication(&edited)
    };
    assert_eq!(refused(boss.publish_article(stale).await), late);
    let unknown = v1::PublishArticleRequest {
        version: 9,
        ..publication(&made)
    };
    assert_eq!(refused(boss.publish_article(unknown).await).0, Code::NotFound);
    // Published twice, it is published once.
    let published = boss.publish_article(publication(&edited)).await.unwrap().into_inner();
    assert_eq!(
        boss.publish_article(publication(&edited)).await.unwrap().into_inner(),
        published
    );
    // A draft is given up; nothing was published by that.
    let draft = boss.archive_article(archival(&made)).await.unwrap().into_inner();
    assert_eq!(
        (draft.state(), draft.published_versions["zh-CN"]),
        (ArticleState::Archived, 2)
    );
    assert_eq!(
        refused(boss.rollback_article(rollback(&made, "")).await).1,
        "NO_EARLIER_PUBLICATION"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_keeps_to_the_taxonomy_in_effect_and_names_what_is_wrong() {
    let play = Play::begin().await;
    let mut boss = play.librarian().await;
    let foreign = Article {
        categories: vec!["function".to_owned(), "no.such.category".to_owned()],
        ..article("标题", "正文")
    };
    assert_eq!(
        violated(boss.create_article(creation(foreign)).await),
        ["article.categories[1]"]
    );
    let empty = Article {
        locale: "Chinese".to_owned(),
        ..article("", "正文")
    };
    let mut fields = violated(boss.create_article(creation(empty)).await);
    fields.sort();
    assert_eq!(fields, ["article.locale", "article.title"]);
    let nul = boss.create_article(creation(article("标题\0", "正文"))).await;
    assert_eq!(refused(nul).0, Code::InvalidArgument);
}

/// 003-03, 003-06: who works on feedback writes; a supervisor publishes; a customer's system sees what is for customers.
#[tokio::test(flavor = "multi_thread")]
async fn agents_write_supervisors_publish_and_customers_are_shown_what_is_for_them() {
    let play = Play::begin().await;
    let mut agent = play.knowledge("user:agent", TENANT, "agent").await;
    let mut system = play.knowledge("key:shop", TENANT, "integration").await;
    let internal = agent
        .create_article(creation(article("退款内部流程", "退款找财务")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(internal.author, "user:agent");
    let forbidden = (Code::PermissionDenied, "PERMISSION_MISSING".to_owned());
    assert_eq!(refused(agent.publish_article(publication(&internal)).await), forbidden);
    assert_eq!(
        refused(system.create_article(creation(article("a", "b"))).await),
        forbidden
    );
    play.librarian()
        .await
        .publish_article(publication(&internal))
        .await
        .unwrap();
    let open = Article {
        audience: ArticleAudience::Customers.into(),
        ..article("如何退款", "退款七天内到账")
    };
    let open = play.published(open).await;

    assert_eq!(
        refused(system.get_article(reading(&internal, 0, "")).await).0,
        Code::NotFound
    );
    assert_eq!(
        system
            .get_article(reading(&open, 0, ""))
            .await
            .unwrap()
            .into_inner()
            .body,
        "退款七天内到账"
    );
    // An edit for customers is not for them before it is published.
    let edit = Article {
        audience: ArticleAudience::Customers.into(),
        ..article("如何退款", "退款三天内到账")
    };
    agent.update_article(next_version(&open, edit)).await.unwrap();
    assert_eq!(
        refused(system.get_article(reading(&open, 2, "")).await).0,
        Code::NotFound
    );
    let search = |audience: ArticleAudience| v1::SearchArticlesRequest {
        parent: PARENT.to_owned(),
        query: "退款".to_owned(),
        audience: audience.into(),
        ..Default::default()
    };
    let found = |answer: v1::SearchArticlesResponse| answer.hits.len();
    assert_eq!(
        found(
            agent
                .search_articles(search(ArticleAudience::Agents))
                .await
                .unwrap()
                .into_inner()
        ),
        2
    );
    assert_eq!(
        found(
            agent
                .search_articles(search(ArticleAudience::Customers))
                .await
                .unwrap()
                .into_inner()
        ),
        1
    );
    assert_eq!(
        found(
            system
                .search_articles(search(ArticleAudience::Agents))
                .await
                .unwrap()
                .into_inner()
        ),
        1
    );
    assert_eq!(
        refused(
            system
                .record_article_use(use_of(&internal, ArticleOutcome::Used, ""))
                .await
        )
        .0,
        Code::NotFound
    );
    system
        .record_article_use(use_of(&open, ArticleOutcome::Helped, ""))
        .await
        .unwrap();

    let mut stranger = play.knowledge("user:other", "other", "supervisor").await;
    assert_eq!(
        refused(stranger.get_article(reading(&open, 0, "")).await).0,
        Code::NotFound
    );
}
