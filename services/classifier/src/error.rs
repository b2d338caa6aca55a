//! What this room alone refuses; everything else is one of the chassis' refusals.

use huiyin_chassis::Refusal;
use huiyin_proto::classifier::v1::ErrorReason;
use tonic::Code;

const DOMAIN: &str = "huiyin.classifier";

/// A refusal of this room.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Error {
    /// The dimension that is asked for has no such category.
    #[error("version {version} of the taxonomy has no category {category}")]
    CategoryUnknown {
        version: i32,
        category: String,
        /// Where in the request it stands.
        field: String,
    },
    /// The model has no such level.
    #[error("there is no priority {priority}; there are {allowed}")]
    PriorityUnknown { priority: String, allowed: String },
    /// It gives nothing, or only what holds already.
    #[error("the correction changes nothing")]
    NothingCorrected,
    /// The model lets nobody set a priority.
    #[error("version {version} of the priority model does not let people set a priority")]
    PriorityNotByHand { version: i32 },
    /// There is no review to speak in.
    #[error("the review of the priority is {state}")]
    ReviewNotPending { state: &'static str },
    /// The reviewer holds no role that the review waits for.
    #[error("the review waits for other roles: {roles}")]
    ReviewerRoleMissing { roles: String },
    /// The person or the role has spoken.
    #[error("the review has a vote of this person or of the role {role} already")]
    ReviewedAlready { role: String },
    /// The built-in version is in effect, and was never replaced.
    #[error("there is no earlier version of the priority model to go back to")]
    NothingToRollBack,
    /// The examples of a task do not suffice.
    #[error("there is no model of {task}: {problem}")]
    Untrainable { task: String, problem: String },
    /// A version was never tried on a hold-out, or there is none.
    #[error("{model} has not been evaluated")]
    NotEvaluated { model: String },
    /// A version is right less often than the active one; shares of the hold-out.
    #[error("{model} is right in {accuracy:.4} of the hold-out, the active version in {active:.4}")]
    Worse { model: String, accuracy: f64, active: f64 },
    /// No version of a task decides.
    #[error("{task} has no active model")]
    NotActive { task: String },
    /// No version of a task decides, so there is nothing to go back from.
    #[error("{task} has no active model to roll back")]
    NothingToRollBackTo { task: String },
    /// Somebody else has a review item in work.
    #[error("somebody else has this item in work until {until}")]
    ReviewItemTaken { until: String },
    /// A review item waits for nobody any more.
    #[error("this item is {state}")]
    ReviewItemDone { state: &'static str },
    /// The other label of a text must come from another person.
    #[error("the caller has this text already; its other label must come from somebody else")]
    ReviewedByTheSame,
    /// The version decides, and cannot be compared with itself.
    #[error("{model} is the active version")]
    ModelActive { model: String },
    /// The labels of the task are the tenant's own.
    #[error("no feedback is read for {task}: its labels are the tenant's own")]
    TaskReadsNoFeedback { task: String },
    /// No publication of an article in a language is left to take back.
    #[error("{article} has no earlier publication in {locale}")]
    NoEarlierPublication { article: String, locale: String },
    /// A problem cannot become that.
    #[error("the problem is {state}; from there it can only become: {allowed}")]
    ProblemStateForbids { state: &'static str, allowed: String },
    /// A feedback belongs to one problem at most.
    #[error("{feedback} belongs to {problem}")]
    FeedbackInOtherProblem { feedback: String, problem: String },
    /// It is not classified, or not one of the problem's.
    #[error("{feedback} is not known here, or is not of this problem")]
    FeedbackNotOfProblem { feedback: String },
    /// Another version of the taxonomy came into effect while an operation applied this one.
    #[error("version {version} of the taxonomy is no longer in effect")]
    TaxonomyReplaced { version: i32 },
    /// A priority model goes by categories that a version of the taxonomy does not have; each with its field.
    #[error("rules of {priority_model} go by categories that version {version} of the taxonomy does not have")]
    CategoriesMissing {
        priority_model: String,
        version: i32,
        missing: Vec<(String, String)>,
    },
    /// A task holds as many examples, or as much text, as it may.
    #[error("{task} holds as many examples as it may")]
    TaskFull { task: String },
    /// The version gives examples of its own dictionary another category; each with its field and what is wrong about it.
    #[error("version {version} of the taxonomy does not keep {} of its own examples", examples.len())]
    ExamplesBroken {
        version: i32,
        examples: Vec<(String, String)>,
    },
}

/// So many bytes of fields travel in the trailers, which hold each more than once; CheckTaxonomy has all broken examples.
const SHOWN_BYTES: usize = 2048;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let with_code =
            |code: Code, reason: ErrorReason| Self::new(code, DOMAIN, reason.as_str_name(), error.to_string());
        let refusal = |reason| with_code(Code::InvalidArgument, reason);
        let unready = |reason| with_code(Code::FailedPrecondition, reason);
        match &error {
            Error::CategoryUnknown {
                version,
                category,
                field,
            } => refusal(ErrorReason::CategoryUnknown)
                .with("version", version.to_string())
                .with("category", category)
                .at_field(field, "is no category of this dimension"),
            Error::PriorityUnknown { priority, allowed } => refusal(ErrorReason::PriorityUnknown)
                .with("priority", priority)
                .with("allowed", allowed)
                .at_field("priority", "is no level of the priority model"),
            Error::NothingCorrected => refusal(ErrorReason::NothingCorrected),
            Error::PriorityNotByHand { version } => {
                unready(ErrorReason::PriorityNotByHand).with("version", version.to_string())
            }
            Error::ReviewNotPending { state } => unready(ErrorReason::ReviewNotPending).with("state", *state),
            Error::ReviewerRoleMissing { roles } => {
                with_code(Code::PermissionDenied, ErrorReason::ReviewerRoleMissing).with("roles", roles)
            }
            Error::ReviewedAlready { role } => unready(ErrorReason::ReviewedAlready).with("role", role),
            Error::NothingToRollBack => unready(ErrorReason::NothingToRollBack),
            Error::Untrainable { task, problem } => unready(ErrorReason::TaskUntrainable)
                .with("task", task)
                .with("problem", problem),
            Error::NotEvaluated { model } => unready(ErrorReason::ModelNotEvaluated).with("model", model),
            Error::Worse {
                model,
                accuracy,
                active,
            } => unready(ErrorReason::ModelWorse)
                .with("model", model)
                .with("accuracy", format!("{accuracy:.4}"))
                .with("active_accuracy", format!("{active:.4}")),
            Error::NotActive { task } => unready(ErrorReason::ModelNotActive).with("task", task),
            Error::NothingToRollBackTo { task } => unready(ErrorReason::NothingToRollBackTo).with("task", task),
            Error::ReviewItemTaken { until } => unready(ErrorReason::ReviewItemTaken).with("lease_expire_time", until),
            Error::ReviewItemDone { state } => unready(ErrorReason::ReviewItemDone).with("state", *state),
            Error::ReviewedByTheSame => unready(ErrorReason::ReviewedByTheSame),
            Error::ModelActive { model } => unready(ErrorReason::ModelActive).with("model", model),
            Error::TaskReadsNoFeedback { task } => unready(ErrorReason::TaskReadsNoFeedback).with("task", task),
            Error::NoEarlierPublication { article, locale } => unready(ErrorReason::NoEarlierPublication)
                .with("article", article)
                .with("locale", locale),
            Error::ProblemStateForbids { state, allowed } => unready(ErrorReason::ProblemStateForbids)
                .with("state", *state)
                .with("allowed", allowed),
            Error::FeedbackInOtherProblem { feedback, problem } => unready(ErrorReason::FeedbackInOtherProblem)
                .with("feedback", feedback)
                .with("problem", problem),
            Error::FeedbackNotOfProblem { feedback } => refusal(ErrorReason::FeedbackNotOfProblem)
                .with("feedback", feedback)
                .at_field("feedbacks", format!("{feedback} is not of this problem, or not known")),
            Error::CategoriesMissing {
                priority_model,
                version,
                missing,
            } => {
                let refused = unready(ErrorReason::CategoriesMissing)
                    .with("priority_model", priority_model)
                    .with("version", version.to_string());
                at_fields(refused, missing)
            }
            Error::TaskFull { task } => unready(ErrorReason::TaskFull).with("task", task),
            Error::TaxonomyReplaced { version } => {
                unready(ErrorReason::TaxonomyReplaced).with("version", version.to_string())
            }
            Error::ExamplesBroken { version, examples } => {
                let refused = unready(ErrorReason::ExamplesBroken)
                    .with("version", version.to_string())
                    .with("count", examples.len().to_string());
                at_fields(refused, examples)
            }
        }
    }
}

/// As many of the fields as fit, and how many more there are.
fn at_fields(refused: Refusal, fields: &[(String, String)]) -> Refusal {
    let mut bytes = 0;
    let fit = |(field, problem): &&(String, String)| {
        bytes += field.len() + problem.len();
        bytes <= SHOWN_BYTES
    };
    let shown: Vec<&(String, String)> = fields.iter().take_while(fit).collect();
    let more = fields.len() - shown.len();
    let refused = shown
        .into_iter()
        .fold(refused, |refused, (field, problem)| refused.at_field(field, problem));
    if more > 0 {
        refused.at_field("…", format!("and {more} more"))
    } else {
        refused
    }
}
