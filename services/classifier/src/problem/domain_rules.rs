//! What must hold of a problem, whatever people make of it.

use jiff::Timestamp;
use uuid::Uuid;

use super::domain::*;

fn problem(state: State) -> Problem {
    let about = About {
        category: "function.crash".to_owned(),
        product_model: "X1".to_owned(),
        ..About::default()
    };
    let now = Timestamp::UNIX_EPOCH;
    let mut problem = Problem::new(Uuid::nil(), number(20_260_302, 7), about, Origin::Group, "system", now);
    problem.state = state;
    problem
}

fn term(term: &str, score: f64) -> Term {
    Term {
        term: term.to_owned(),
        score,
        given: false,
    }
}

#[test]
fn a_number_is_a_date_and_a_sequence_that_widens() {
    assert_eq!(number(20_260_302, 7), "PB20260302007");
    assert_eq!(number(20_260_302, 1234), "PB202603021234");
}

#[test]
fn no_state_leads_to_itself_and_all_but_the_first_can_be_reached() {
    for state in State::ALL {
        assert!(!state.next().contains(&state));
        let reached = State::ALL.iter().any(|from| from.next().contains(&state));
        assert_eq!(reached, state != State::Proposed, "{state:?}");
        for to in State::ALL {
            let moved = problem(state).become_state(to);
            assert_eq!(moved.is_ok(), state.next().contains(&to), "{state:?} → {to:?}");
        }
    }
}

#[test]
fn a_merge_that_is_taken_back_leaves_everything_as_it_was() {
    for state in State::ALL {
        let target = problem(State::Accepted);
        let before = problem(state);
        let mut merged = before.clone();
        if state == State::Merged {
            assert!(merged.merge_into(&target).is_err());
            continue;
        }
        merged.merge_into(&target).unwrap();
        assert_eq!(merged.state, State::Merged);
        assert_eq!(merged.unmerge(), Ok(target.id));
        assert_eq!(merged, before);
        assert!(merged.unmerge().is_err());
    }
}

/// keep #4318: what people refused does not come back before it has become something else.
#[test]
fn a_rejected_problem_comes_back_when_it_has_grown_by_the_factor() {
    let mut problem = problem(State::Proposed);
    problem.counts.feedbacks = 10;
    problem.reject().unwrap();
    assert!(!problem.grows_back(2.0));
    problem.counts.feedbacks = 19;
    assert!(!problem.grows_back(2.0));
    problem.counts.feedbacks = 20;
    assert!(problem.grows_back(2.0));
    assert_eq!(problem.state, State::Proposed);
    assert!(!problem.grows_back(2.0), "once");
}

#[test]
fn a_title_is_what_the_problem_is_about_until_a_person_gives_one() {
    let mut problem = problem(State::Proposed);
    assert_eq!(problem.title, "function.crash · X1");
    problem.terms = ["相册", "闪退", "打开", "升级"].map(|word| term(word, 3.0)).to_vec();
    problem.entitle();
    assert_eq!(problem.title, "function.crash · X1 · 相册、闪退、打开");
    assert!(problem.keep_terms(|term| term == "闪退"));
    assert_eq!(problem.title, "function.crash · X1 · 闪退");
    problem.title_given = true;
    problem.title = "相册闪退".to_owned();
    problem.terms[0].given = true;
    assert!(!problem.keep_terms(|_| false), "what people gave stays");
    assert_eq!(problem.title, "相册闪退");
}

#[test]
fn feedback_fits_by_what_it_is_about_and_what_it_says() {
    let mut problem = problem(State::Accepted);
    let about = ("function.crash", "X1", "B7");
    assert_eq!(problem.fits(about, |_| true, 0.1), None, "without terms nothing fits");
    problem.terms = vec![term("相册", 3.0), term("闪退", 1.0)];
    assert_eq!(problem.fits(about, |said| said == "相册", 0.5), Some(0.75));
    assert_eq!(problem.fits(about, |said| said == "闪退", 0.5), None);
    assert_eq!(problem.fits(("function.crash", "X2", ""), |_| true, 0.5), None);
    assert_eq!(problem.fits(("function", "X1", ""), |_| true, 0.5), None);
    problem.about.of_batch = true;
    assert_eq!(
        problem.fits(about, |_| true, 0.5),
        None,
        "of feedback without a batch alone"
    );
    problem.whole_group = true;
    assert_eq!(problem.fits(("function.crash", "X1", ""), |_| false, 0.5), Some(0.0));
}
