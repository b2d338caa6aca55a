//! What is telling of a problem: words that its feedback says and other feedback does not. A word that was worked out is never one
//! customer's own: three say it at least, and when one of them is erased it goes unless three others do.

use std::collections::{BTreeSet, HashSet};

use huiyin_chassis::{Refusal, Tenant, Transaction};
use uuid::Uuid;

use super::{
    domain::{Problem, Term},
    domain_topics::{Said, telling},
    service::{self, Change},
    store, store_texts,
    words::words_of,
};
use crate::{domain::SYSTEM, model::judging::aside, room::Room};

/// So many of a problem's own feedbacks are read, the newest.
const OWN: i64 = 1_000;
/// They are held against so many of all, the newest.
pub(super) const OTHERS: i64 = 2_000;
/// A problem has so many terms at most, as far as they are worked out.
const MOST: usize = 10;
/// A word is telling from this z-score on.
const LEAST_SCORE: f64 = 2.0;
/// So many customers at least say a word that was worked out; of feedback of nobody known each counts.
const LEAST_CUSTOMERS: usize = 3;

/// A feedback that says something: its customer, empty where nobody is known, and its words.
pub(super) type Saying<'s> = (&'s str, &'s BTreeSet<String>);

/// Whether enough customers say a word.
pub(super) fn is_said_by_enough(word: &str, said: &[Saying<'_>]) -> bool {
    let saying = said.iter().filter(|(_, words)| words.contains(word));
    let mut known = HashSet::new();
    let counted = saying.filter(|(customer, _)| customer.is_empty() || known.insert(*customer));
    counted.take(LEAST_CUSTOMERS).count() == LEAST_CUSTOMERS
}

/// The most telling words of some feedback against other feedback, the most telling first. Where the other says the same, or there is
/// none, they are those that half of it says.
pub(super) fn of(said: &[Saying<'_>], others: &Said) -> Vec<Term> {
    let own = Said::by(said.iter().map(|(_, words)| *words));
    let enough = |word: &String| is_said_by_enough(word, said);
    let mut scored: Vec<(String, f64)> = telling(&own, others)
        .into_iter()
        .take_while(|(_, score)| *score >= LEAST_SCORE)
        .filter(|(word, _)| enough(word))
        .take(MOST)
        .collect();
    if scored.is_empty() {
        scored = telling(&own, &Said::default())
            .into_iter()
            .map(|(word, _)| (share(own.saying(&word), own.texts()), word))
            .filter(|(share, word)| *share >= 0.5 && enough(word))
            .map(|(share, word)| (word, share))
            .collect();
        scored.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        scored.truncate(MOST);
    }
    let term = |(term, score)| Term {
        term,
        score,
        given: false,
    };
    scored.into_iter().map(term).collect()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of texts are far below 2⁵²")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The words of some texts, in their order, taken apart beside the tasks.
pub(super) async fn words_of_all(texts: Vec<String>) -> Result<Vec<BTreeSet<String>>, Refusal> {
    aside(move || texts.iter().map(|text| words_of(text)).collect()).await
}

/// Works the terms of a problem out of its own feedback, where no person gave any, and makes its title of them.
pub(super) async fn work_out(tx: &mut Transaction, tenant: &Tenant, problem: &mut Problem) -> Result<(), Refusal> {
    if problem.terms.iter().any(|term| term.given) {
        return Ok(());
    }
    let own = store_texts::own(tx, tenant, problem.id, OWN).await?;
    let ids: HashSet<Uuid> = own.iter().map(|(id, _, _)| *id).collect();
    let (customers, texts): (Vec<String>, Vec<String>) =
        own.into_iter().map(|(_, customer, text)| (customer, text)).unzip();
    let others = store_texts::newest(tx, tenant, OTHERS).await?;
    let others = others
        .into_iter()
        .filter(|(id, _)| !ids.contains(id))
        .map(|(_, text)| text);
    let others = words_of_all(others.collect()).await?;
    let words = words_of_all(texts).await?;
    let said: Vec<Saying<'_>> = customers.iter().map(String::as_str).zip(&words).collect();
    problem.terms = of(&said, &Said::by(&others));
    problem.entitle();
    Ok(())
}

/// A customer was erased from these problems: terms that not enough others say go, and with them titles that were made of them.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn narrow(
    room: &Room,
    tx: &mut Transaction,
    tenant: &Tenant,
    problems: &[Uuid],
) -> Result<(), Refusal> {
    for mut problem in store::find_all(tx, tenant, problems).await? {
        let own = store_texts::own(tx, tenant, problem.id, OWN).await?;
        let (customers, texts): (Vec<String>, Vec<String>) =
            own.into_iter().map(|(_, customer, text)| (customer, text)).unzip();
        let words = words_of_all(texts).await?;
        let said: Vec<Saying<'_>> = customers.iter().map(String::as_str).zip(&words).collect();
        if problem.keep_terms(|term| is_said_by_enough(term, &said)) {
            let change = Change {
                from: Some(problem.state),
                actor: SYSTEM,
                ..Change::default()
            };
            service::settle(room, tx, tenant, &mut problem, change).await?;
        }
    }
    Ok(())
}

/// Holds the tenant's problems: an erasure changes what belongs to them.
///
/// # Errors
/// UNAVAILABLE where the database is gone.
pub(crate) async fn hold(tx: &mut Transaction, tenant: &Tenant) -> Result<(), Refusal> {
    store::hold(tx, tenant).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> BTreeSet<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_word_of_fewer_than_three_customers_is_no_term() {
        let texts = [words("闪退 独角兽"), words("闪退 独角兽"), words("闪退"), words("闪退")];
        let said = |customers: [&'static str; 4]| -> Vec<String> {
            let said: Vec<Saying<'_>> = customers.into_iter().zip(&texts).collect();
            of(&said, &Said::default()).into_iter().map(|term| term.term).collect()
        };
        assert_eq!(said(["a", "b", "c", "d"]), ["闪退"]);
        assert_eq!(said(["a", "a", "a", "b"]), [""; 0], "four times by two customers");
        assert_eq!(said(["", "", "a", "a"]), ["闪退"], "of nobody known each counts");
    }

    #[test]
    fn what_others_say_too_tells_nothing() {
        let texts: Vec<BTreeSet<String>> = (0..12).map(|_| words("手机 打开 相册 闪退")).collect();
        let customers: Vec<String> = (0..12).map(|at| at.to_string()).collect();
        let said: Vec<Saying<'_>> = customers.iter().map(String::as_str).zip(&texts).collect();
        let others: Vec<BTreeSet<String>> = (0..80).map(|_| words("手机 打开 屏幕 发热")).collect();
        let terms: Vec<String> = of(&said, &Said::by(&others))
            .into_iter()
            .map(|term| term.term)
            .collect();
        assert_eq!(terms, ["相册", "闪退"]);
    }
}
