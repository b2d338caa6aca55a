//! Problems that are proposed by themselves: above a threshold, once, and what comes of them (000-04, 002-21, FEATURES 39).

use huiyin_proto::{
    classifier::v1::{self, MembershipSource, ProblemOrigin, problem_service_client::ProblemServiceClient},
    event::v1::{FeedbackSubmitted, ProblemChanged, ProblemState, event::Payload},
};
use huiyin_testkit::{Connection, eventually};
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::play::{LIMIT, PARENT, Play, TENANT, refused};

pub(crate) type Problems = ProblemServiceClient<Connection>;

impl Play {
    /// Somebody at the problems of the tenant.
    pub(crate) async fn problems(&self, subject: &str, roles: &[&str]) -> Problems {
        let token = self.stage.token(subject, TENANT, roles);
        ProblemServiceClient::new(self.stage.connect(self.running.address, &token).await)
    }

    /// A customer says something of a product; 0 is nobody known.
    pub(crate) fn says(&self, customer: u128, product: &str, text: &str) -> FeedbackSubmitted {
        let mut submitted = self.submitted(text);
        let feedback = submitted.feedback.as_mut().unwrap();
        feedback.product_model = product.to_owned();
        feedback.customer = match customer {
            0 => String::new(),
            known => format!("{PARENT}/customers/{}", Uuid::from_u128(known)),
        };
        self.submit(TENANT, &submitted);
        submitted
    }

    /// So many crashes of the album, of so many customers in turns; names of the feedbacks.
    pub(crate) fn crashes(&self, product: &str, feedbacks: u128, customers: u128) -> Vec<String> {
        let say = |at: u128| {
            let text = [
                "打开相册就闪退",
                "相册闪退，打不开",
                "一进相册就闪退了",
                "升级以后相册闪退",
            ][(at % 4) as usize];
            self.says(1 + at % customers, product, text).feedback.unwrap().feedback
        };
        (0..feedbacks).map(say).collect()
    }

    /// All that was said is classified, and a minute goes by.
    pub(crate) async fn a_minute_later(&self) {
        self.all_consumed().await;
        self.stage.clock.advance(SignedDuration::from_mins(1));
    }

    /// The problem of a product, as soon as it is so.
    pub(crate) async fn problem_of(&self, product: &str, is_so: impl Fn(&v1::Problem) -> bool) -> v1::Problem {
        let mut boss = self.problems("user:boss", &["supervisor"]).await;
        eventually("the problem is so", LIMIT, async || {
            let found = listed(&mut boss, &format!("product_model = \"{product}\"")).await;
            found
                .iter()
                .find(|problem| is_so(problem))
                .cloned()
                .ok_or_else(|| format!("{found:?}"))
        })
        .await
    }

    /// What was told of a problem, oldest first, up to the revision that was answered.
    pub(crate) async fn told_of_problem(&self, problem: &v1::Problem) -> Vec<ProblemChanged> {
        eventually("it is told", LIMIT, async || {
            let mut told = Vec::new();
            for event in self.all_told().await {
                match event.payload {
                    Some(Payload::ProblemChanged(changed)) if event.subject == problem.name => told.push(changed),
                    _ => {}
                }
            }
            let last: i32 = told.last().map_or(0, |told: &ProblemChanged| told.revision);
            (last >= problem.revision).then_some(told)
        })
        .await
    }
}

pub(crate) async fn listed(client: &mut Problems, filter: &str) -> Vec<v1::Problem> {
    let request = v1::ListProblemsRequest {
        parent: PARENT.to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    client.list_problems(request).await.unwrap().into_inner().problems
}

pub(crate) async fn got(client: &mut Problems, name: &str) -> v1::Problem {
    let request = v1::GetProblemRequest { name: name.to_owned() };
    client.get_problem(request).await.unwrap().into_inner()
}

pub(crate) async fn feedbacks_of(client: &mut Problems, name: &str) -> Vec<v1::ProblemFeedback> {
    let request = v1::ListProblemFeedbacksRequest {
        parent: name.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    client
        .list_problem_feedbacks(request)
        .await
        .unwrap()
        .into_inner()
        .feedbacks
}

pub(crate) fn accept(name: &str) -> v1::AcceptProblemRequest {
    v1::AcceptProblemRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

/// keep #4318: what passes neither threshold is no problem; 002-21: many customers are.
#[tokio::test]
async fn a_group_is_proposed_above_the_thresholds_alone() {
    let play = Play::begin().await;
    play.crashes("A-few", 9, 9);
    play.crashes("B-of-few", 12, 4);
    for at in 0..12 {
        play.says(1 + at, "C-praise", "相册很好用，非常喜欢，从不闪退");
    }
    play.crashes("D-enough", 10, 5);
    play.says(0, "D-enough", "相册闪退，打不开");
    play.a_minute_later().await;
    let found = play.problem_of("D-enough", |_| true).await;
    assert_eq!(
        (
            found.state(),
            found.origin(),
            found.feedback_count,
            found.customer_count
        ),
        (ProblemState::Proposed, ProblemOrigin::Group, 11, 5)
    );
    assert_eq!(found.unknown_customer_count, 1, "said by nobody known");
    assert_eq!(
        (found.number.as_str(), found.category.as_str()),
        ("PB20260302001", "function.crash")
    );
    assert!(
        found.title.starts_with("function.crash · D-enough · "),
        "{}",
        found.title
    );
    let terms: Vec<&str> = found.terms.iter().map(|term| term.term.as_str()).collect();
    assert!(terms.contains(&"相册") && terms.contains(&"闪退"), "{terms:?}");
    let mut agent = play.problems("user:li", &["agent"]).await;
    // All groups were looked at in the same transaction.
    assert_eq!(listed(&mut agent, "").await.len(), 1);
    let whole = got(&mut agent, &found.name).await;
    assert_eq!(whole.samples.len(), 10);
    assert!(whole.samples[0].excerpt.contains("闪退"));
    let [first] = whole.transitions.as_slice() else {
        panic!("{whole:?}")
    };
    assert_eq!(
        (first.from(), first.to(), first.actor.as_str(), first.reason.as_str()),
        (
            ProblemState::Unspecified,
            ProblemState::Proposed,
            "system",
            "11 feedbacks of 5 known customers in 30 days"
        )
    );
    let members = feedbacks_of(&mut agent, &found.name).await;
    assert!(
        members
            .iter()
            .all(|member| member.source() == MembershipSource::Proposal)
    );
    let told = play.told_of_problem(&found).await;
    assert_eq!(
        (told.len(), told[0].added_feedbacks.len(), told[0].revision),
        (1, 11, 1)
    );

    // One more, and the first group has passed as well.
    play.crashes("A-few", 1, 1);
    play.a_minute_later().await;
    assert_eq!(play.problem_of("A-few", |_| true).await.feedback_count, 10);
}

/// keep #4318: never a second proposal for the same group; a rejected one comes back when it has grown.
#[tokio::test]
async fn what_is_like_a_problem_joins_it_and_is_not_proposed_again() {
    let play = Play::begin().await;
    play.crashes("X1", 10, 5);
    play.a_minute_later().await;
    let proposed = play.problem_of("X1", |_| true).await;
    play.crashes("X1", 12, 6);
    play.a_minute_later().await;
    let grown = play.problem_of("X1", |problem| problem.feedback_count == 22).await;
    assert_eq!((grown.name.as_str(), grown.customer_count), (proposed.name.as_str(), 6));

    let mut lead = play.problems("user:lead", &["product_lead"]).await;
    let reject = v1::RejectProblemRequest {
        name: grown.name.clone(),
        reason: "只有 13912345678 一人".to_owned(),
        etag: grown.etag.clone(),
        ..Default::default()
    };
    let rejected = lead.reject_problem(reject.clone()).await.unwrap().into_inner();
    assert_eq!(rejected.state(), ProblemState::Rejected);
    assert_eq!(
        refused(lead.reject_problem(reject).await).0,
        Code::Aborted,
        "its etag is old"
    );
    play.crashes("X1", 21, 6);
    play.a_minute_later().await;
    let collected = play.problem_of("X1", |problem| problem.feedback_count == 43).await;
    assert_eq!(collected.state(), ProblemState::Rejected, "not twice as large");
    play.crashes("X1", 1, 1);
    play.a_minute_later().await;
    let back = play.problem_of("X1", |problem| problem.feedback_count == 44).await;
    assert_eq!(back.state(), ProblemState::Proposed);
    assert_eq!(listed(&mut lead, "").await.len(), 1);
    let moves = got(&mut lead, &back.name).await.transitions;
    let reasons: Vec<&str> = moves.iter().map(|moved| moved.reason.as_str()).collect();
    assert_eq!(reasons[1..], ["只有 [手机号] 一人", "grown from 22 feedbacks to 44"]);

    let accepted = lead.accept_problem(accept(&back.name)).await.unwrap().into_inner();
    play.crashes("X1", 5, 5);
    play.a_minute_later().await;
    let last = play.problem_of("X1", |problem| problem.feedback_count == 49).await;
    assert_eq!((last.state(), &last.name), (ProblemState::Accepted, &accepted.name));
    let told = play.told_of_problem(&last).await;
    assert_eq!(
        told.iter().map(|told| told.added_feedbacks.len()).sum::<usize>(),
        49,
        "each once"
    );
    let revisions: Vec<i32> = told.iter().map(|told| told.revision).collect();
    assert_eq!(revisions, (1..=last.revision).collect::<Vec<_>>());
}

/// 000-04: near texts of one category are problems of their own; without them the category is.
#[tokio::test]
async fn near_texts_stand_together_unless_the_policy_takes_whole_groups() {
    let play = Play::begin().await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let read = v1::GetProblemPolicyRequest {
        name: format!("{PARENT}/problemPolicy"),
    };
    let builtin = boss.get_problem_policy(read).await.unwrap().into_inner();
    assert_eq!(
        (builtin.etag.as_str(), builtin.min_feedbacks, builtin.author.as_str()),
        ("0", 10, "system")
    );
    let nearer = v1::UpdateProblemPolicyRequest {
        policy: Some(v1::ProblemPolicy {
            near_text_similarity: 0.2,
            ..builtin.clone()
        }),
        ..Default::default()
    };
    boss.update_problem_policy(nearer).await.unwrap();
    for at in 0..10 {
        play.says(1 + at, "X1", "打开相册页面就闪退");
        play.says(1 + at, "X1", "付款闪退");
    }
    play.a_minute_later().await;
    let found = eventually("both are proposed", LIMIT, async || {
        let found = listed(&mut boss, "").await;
        if found.len() == 2 {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    assert!(found.iter().all(|problem| problem.feedback_count == 10), "{found:?}");

    let policy = v1::ProblemPolicy {
        near_text_similarity: 0.0,
        min_feedbacks: 4,
        min_customers: 2,
        etag: "1".to_owned(),
        ..builtin
    };
    let update = v1::UpdateProblemPolicyRequest {
        policy: Some(policy.clone()),
        request_id: Uuid::from_u128(7).to_string(),
    };
    let updated = boss.update_problem_policy(update.clone()).await.unwrap().into_inner();
    assert_eq!((updated.etag.as_str(), updated.author.as_str()), ("2", "user:boss"));
    assert_eq!(boss.update_problem_policy(update).await.unwrap().into_inner(), updated);
    let stale = v1::UpdateProblemPolicyRequest {
        policy: Some(policy),
        ..Default::default()
    };
    assert_eq!(refused(boss.update_problem_policy(stale).await).1, "ETAG_MISMATCH");
    play.says(1, "X2", "打开相册页面就闪退");
    play.says(2, "X2", "软件崩溃");
    play.says(3, "X2", "闪退太频繁");
    play.says(4, "X2", "新版本总是闪退");
    play.a_minute_later().await;
    assert_eq!(play.problem_of("X2", |_| true).await.feedback_count, 4);
    play.says(5, "X2", "崩溃退出");
    play.a_minute_later().await;
    play.problem_of("X2", |problem| problem.feedback_count == 5).await;
}

/// 001-77: what came about after the fix was released is a recurrence; what was only told later is none.
#[tokio::test]
async fn what_happens_after_the_fix_recurs() {
    let play = Play::begin().await;
    play.crashes("X1", 10, 5);
    play.a_minute_later().await;
    let proposed = play.problem_of("X1", |_| true).await;
    let mut boss = play.problems("user:boss", &["supervisor"]).await;
    let resolve = v1::ResolveProblemRequest {
        name: proposed.name.clone(),
        fix_version: "2.4.1".to_owned(),
        reason: "已发布".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        refused(boss.resolve_problem(resolve.clone()).await).1,
        "PROBLEM_STATE_FORBIDS"
    );
    boss.accept_problem(accept(&proposed.name)).await.unwrap();
    let resolved = boss.resolve_problem(resolve).await.unwrap().into_inner();
    assert_eq!((resolved.fix_version.as_str(), resolved.recurrence_count), ("2.4.1", 0));
    let fixed = resolved.fix_time.unwrap();

    let at = |hours: i64| {
        let mut submitted = play.submitted("打开相册就闪退");
        let feedback = submitted.feedback.as_mut().unwrap();
        feedback.occur_time = Some(prost_types::Timestamp {
            seconds: fixed.seconds + hours * 3600,
            nanos: 0,
        });
        play.submit(TENANT, &submitted);
    };
    at(-5);
    at(5);
    at(6);
    play.a_minute_later().await;
    let recurred = play.problem_of("X1", |problem| problem.feedback_count == 13).await;
    assert_eq!(
        (recurred.state(), recurred.recurrence_count),
        (ProblemState::Resolved, 2)
    );
    let reopen = v1::ReopenProblemRequest {
        name: recurred.name.clone(),
        reason: "又出现了".to_owned(),
        ..Default::default()
    };
    let reopened = boss.reopen_problem(reopen.clone()).await.unwrap().into_inner();
    assert_eq!(
        (reopened.state(), reopened.recurrence_count),
        (ProblemState::Reopened, 2)
    );
    assert_eq!(refused(boss.reopen_problem(reopen).await).1, "PROBLEM_STATE_FORBIDS");
    let again = v1::ListProblemFeedbacksRequest {
        parent: recurred.name.clone(),
        filter: "recurrence = true AND source = FIT".to_owned(),
        order_by: "create_time".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let page = boss.list_problem_feedbacks(again.clone()).await.unwrap().into_inner();
    let next = v1::ListProblemFeedbacksRequest {
        page_token: page.next_page_token.clone(),
        ..again
    };
    let last = boss.list_problem_feedbacks(next).await.unwrap().into_inner();
    assert_eq!(
        (
            page.feedbacks.len(),
            last.feedbacks.len(),
            last.next_page_token.as_str()
        ),
        (1, 1, "")
    );
    assert_ne!(page.feedbacks, last.feedbacks);
}
