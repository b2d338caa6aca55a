//! Articles that are found: by words in Chinese, traditional and simplified, and in Latin letters; by a feedback's classification.

use huiyin_proto::classifier::v1::{self, Article, ArticleHit, ArticleOutcome};
use tonic::Code;

use crate::{
    knowledge::{Knowledge, article},
    play::{PARENT, Play, refused, violated},
};

fn query(words: &str) -> v1::SearchArticlesRequest {
    v1::SearchArticlesRequest {
        parent: PARENT.to_owned(),
        query: words.to_owned(),
        ..Default::default()
    }
}

async fn search(client: &mut Knowledge, request: v1::SearchArticlesRequest) -> Vec<ArticleHit> {
    let hits = client.search_articles(request).await.unwrap().into_inner().hits;
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score) && hits.iter().all(|hit| hit.score > 0.0));
    hits
}

fn titles(hits: &[ArticleHit]) -> Vec<&str> {
    hits.iter()
        .map(|hit| hit.article.as_ref().unwrap().title.as_str())
        .collect()
}

async fn found(client: &mut Knowledge, words: &str) -> String {
    titles(&search(client, query(words)).await).join(" | ")
}

/// What a range says.
fn piece(text: &str, range: &v1::TextRange) -> String {
    let (start, end) = (
        usize::try_from(range.start).unwrap(),
        usize::try_from(range.end).unwrap(),
    );
    text.chars().skip(start).take(end - start).collect()
}

/// 003-06 "quick call by agents" (快速调用): what a person types finds what the person means.
#[tokio::test(flavor = "multi_thread")]
async fn words_find_what_a_person_expects_in_either_script_and_in_latin_letters() {
    let play = Play::begin().await;
    for (title, body) in [
        ("应用闪退的处理办法", "打开相册就闪退时，先重启手机，再清理缓存。"),
        ("手机充不进电怎么办", "请更换充电器和数据线；充电口进水时不要充电。"),
        ("保修期与保修政策", "整机保修一年，电池保修半年。"),
        ("Wi-Fi 連線中斷", "請重新啟動路由器，再連接無線網路。"),
        (
            "How to reset the X1 Pro",
            "Hold the power button. If the app crashes, reinstall the App.",
        ),
        ("物流太慢", "联系快递公司查询包裹。"),
    ] {
        play.published(article(title, body)).await;
    }
    let mut agent = play.knowledge("user:agent", "acme", "agent").await;
    for (words, wanted) in [
        ("闪退", "应用闪退的处理办法"),
        ("閃退怎麼辦", "应用闪退的处理办法"),
        ("打开相册闪退", "应用闪退的处理办法"),
        // Words within words, and single characters.
        ("充电", "手机充不进电怎么办"),
        ("电器", "手机充不进电怎么办"),
        ("保修", "保修期与保修政策"),
        ("慢", "物流太慢"),
        // The article is in traditional characters.
        ("连线中断", "Wi-Fi 連線中斷"),
        ("無線網路", "Wi-Fi 連線中斷"),
        ("wifi 路由器", "Wi-Fi 連線中斷"),
        // Case, width, beginnings of words, and both languages at once.
        ("RESET x1", "How to reset the X1 Pro"),
        ("ｒｅｓｅｔ", "How to reset the X1 Pro"),
        ("crash", "How to reset the X1 Pro"),
        ("rash", ""),
        ("X1 闪退", "How to reset the X1 Pro | 应用闪退的处理办法"),
        // Nothing.
        ("量子纠缠", ""),
        ("zzz", ""),
        ("？！", ""),
        ("' & | ! :* \\ %_", ""),
    ] {
        let mut hits = found(&mut agent, words)
            .await
            .split(" | ")
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>();
        hits.sort();
        assert_eq!(hits.join(" | "), wanted, "{words}");
    }
    // The more of it an article holds, the earlier it comes.
    assert!(
        found(&mut agent, "手机怎么充电")
            .await
            .starts_with("手机充不进电怎么办")
    );
    assert!(
        found(&mut agent, "重启手机清理缓存")
            .await
            .starts_with("应用闪退的处理办法")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_title_comes_first_and_then_the_keywords_and_then_the_body() {
    let play = Play::begin().await;
    play.published(article("其他", "屏幕花屏时请拍照")).await;
    play.published(Article {
        keywords: vec!["花屏".to_owned()],
        ..article("显示异常", "请拍照")
    })
    .await;
    play.published(article("屏幕花屏", "请拍照")).await;
    let mut agent = play.knowledge("user:agent", "acme", "agent").await;
    assert_eq!(found(&mut agent, "花屏").await, "屏幕花屏 | 显示异常 | 其他");
    // What holds little of it is left out where something holds most of it.
    assert_eq!(found(&mut agent, "显示异常请拍照").await, "显示异常");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_product_and_category_come_first_and_a_language_is_kept_to() {
    let play = Play::begin().await;
    let of = |title: &str, product: &str, category: &str| Article {
        product_models: Vec::from_iter((!product.is_empty()).then(|| product.to_owned())),
        categories: Vec::from_iter((!category.is_empty()).then(|| category.to_owned())),
        ..article(title, "应用闪退时请更新。")
    };
    play.published(of("闪退 甲", "X1", "")).await;
    play.published(of("闪退 乙", "Ｙ2", "")).await;
    play.published(of("闪退 丙", "", "function.crash")).await;
    let tw = Article {
        locale: "zh-TW".to_owned(),
        ..of("閃退 丁", "", "")
    };
    play.published(tw).await;
    let mut agent = play.knowledge("user:agent", "acme", "agent").await;
    let about = |product_model: &str, category: &str| v1::SearchArticlesRequest {
        product_model: product_model.to_owned(),
        category: category.to_owned(),
        locale: "zh-CN".to_owned(),
        ..query("闪退")
    };
    for (product, category, first, last) in [
        ("x1", "", "闪退 甲", "闪退 乙"),
        ("y2", "", "闪退 乙", "闪退 甲"),
        ("", "function", "闪退 丙", ""),
        ("", "function.crash", "闪退 丙", ""),
    ] {
        let hits = search(&mut agent, about(product, category)).await;
        let titles = titles(&hits);
        assert_eq!(
            (titles.len(), titles[0]),
            (3, first),
            "{product} {category}: {titles:?}"
        );
        assert!(last.is_empty() || titles[2] == last, "{titles:?}");
    }
    for (locale, wanted) in [("", 4), ("zh", 4), ("zh-TW", 1), ("en", 0)] {
        let request = v1::SearchArticlesRequest {
            locale: locale.to_owned(),
            ..query("闪退")
        };
        assert_eq!(search(&mut agent, request).await.len(), wanted, "{locale}");
    }
    let few = v1::SearchArticlesRequest {
        max_results: 2,
        ..query("闪退")
    };
    assert_eq!(search(&mut agent, few).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_what_is_published_and_it_shows_where() {
    let play = Play::begin().await;
    let body = format!(
        "{}\n## 閃退\n請重新啟動，App Crash 時也一樣。{}",
        "前言。".repeat(80),
        "后记。".repeat(80)
    );
    let first = play.published(article("相机", &body)).await;
    let mut boss = play.librarian().await;
    let hits = search(&mut boss, query("闪退 crash")).await;
    let [hit] = hits.as_slice() else { panic!("{hits:?}") };
    assert!(hit.article.as_ref().unwrap().body.is_empty() && hit.title_highlights.is_empty());
    let shown: Vec<String> = hit
        .excerpt_highlights
        .iter()
        .map(|range| piece(&hit.excerpt, range))
        .collect();
    assert_eq!(shown, ["閃退", "Crash"]);
    let whole = v1::TextRange {
        start: hit.excerpt_start,
        end: hit.excerpt_start + 120,
    };
    assert_eq!(piece(&body, &whole), hit.excerpt);
    let in_title = search(&mut boss, query("相機")).await;
    assert_eq!(piece("相机", &in_title[0].title_highlights[0]), "相机");
    assert!(in_title[0].excerpt.starts_with("前言") && in_title[0].excerpt_highlights.is_empty());

    // An edit is found once it is published, and what it replaced no longer.
    let edit = v1::UpdateArticleRequest {
        name: first.name.clone(),
        article: Some(article("相机", "对焦失败")),
        ..Default::default()
    };
    let edited = boss.update_article(edit).await.unwrap().into_inner();
    assert_eq!(found(&mut boss, "对焦").await, "");
    let publish = v1::PublishArticleRequest {
        name: edited.name.clone(),
        version: 2,
        ..Default::default()
    };
    boss.publish_article(publish).await.unwrap();
    assert_eq!(
        (
            found(&mut boss, "对焦").await.as_str(),
            found(&mut boss, "闪退").await.as_str()
        ),
        ("相机", "")
    );
    let rollback = v1::RollbackArticleRequest {
        name: edited.name.clone(),
        ..Default::default()
    };
    boss.rollback_article(rollback).await.unwrap();
    assert_eq!(
        (
            found(&mut boss, "对焦").await.as_str(),
            found(&mut boss, "闪退").await.as_str()
        ),
        ("", "相机")
    );
    let archive = v1::ArchiveArticleRequest {
        name: edited.name,
        version: 1,
        ..Default::default()
    };
    boss.archive_article(archive).await.unwrap();
    assert_eq!(found(&mut boss, "闪退").await, "");
}

/// FEATURES 40: suggestions by category and text, for a feedback that is classified.
#[tokio::test(flavor = "multi_thread")]
async fn a_feedback_is_suggested_what_is_about_its_category_its_product_and_its_words() {
    let play = Play::begin().await;
    let of = |title: &str, category: &str, products: &[&str]| Article {
        categories: vec![category.to_owned()],
        product_models: products.iter().map(|model| (*model).to_owned()).collect(),
        ..article(title, "请联系客服。")
    };
    let by_category = play.published(of("稳定性说明", "function.crash", &[])).await;
    play.published(of("相册闪退", "function.crash", &["X1"])).await;
    play.published(of("旧机型稳定性", "function.crash", &["Z9"])).await;
    play.published(of("快递延误", "logistics", &[])).await;
    let known = play.classified("新版本一打开相册就闪退").await;
    assert_eq!(known.category, "function.crash");
    let mut agent = play.knowledge("user:agent", "acme", "agent").await;
    let ask = |feedback: &str, text: &str, category: &str| v1::SuggestArticlesRequest {
        parent: PARENT.to_owned(),
        feedback: feedback.to_owned(),
        text: text.to_owned(),
        category: category.to_owned(),
        ..Default::default()
    };
    let feedback = known.feedback.unwrap().feedback;
    let suggested = async |agent: &mut Knowledge, request: v1::SuggestArticlesRequest| {
        let hits = agent.suggest_articles(request).await.unwrap().into_inner().hits;
        titles(&hits).join(" | ")
    };
    assert_eq!(
        suggested(&mut agent, ask(&feedback, "", "")).await,
        "相册闪退 | 稳定性说明"
    );
    assert_eq!(suggested(&mut agent, ask("", "包裹延誤", "")).await, "快递延误");
    assert_eq!(suggested(&mut agent, ask("", "", "logistics.delay")).await, "快递延误");
    assert_eq!(suggested(&mut agent, ask("", "毫不相干", "")).await, "");
    assert_eq!(violated(agent.suggest_articles(ask("", "", "")).await), ["text"]);
    let unknown = format!("{PARENT}/feedbacks/{}", uuid::Uuid::nil());
    assert_eq!(
        refused(agent.suggest_articles(ask(&unknown, "", "")).await).0,
        Code::NotFound
    );

    // Of two that fit alike, what helped comes before what did not.
    play.published(of("稳定性须知", "function.crash", &[])).await;
    for outcome in [ArticleOutcome::NotHelped, ArticleOutcome::NotHelped] {
        let not_helped = v1::RecordArticleUseRequest {
            name: by_category.name.clone(),
            version: 1,
            outcome: outcome.into(),
            ..Default::default()
        };
        agent.record_article_use(not_helped).await.unwrap();
    }
    let request = ask("", "", "function.crash");
    let answer = suggested(&mut agent, request).await;
    assert!(answer.ends_with("稳定性说明"), "{answer}");
}
