//! A subset of AIP-160: comparisons (`= != < > <= >= :`) over allowed fields, joined by AND, OR, NOT and brackets;
//! compiled to parameterised SQL.

mod grammar;
mod words;

use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::Field;
use crate::{error::Refusal, sql};

/// A filter that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Option<Node>);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Compare {
        column: &'static str,
        operator: &'static str,
        value: Value,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Contains(String),
    Below(String),
    Member(String),
    Id(uuid::Uuid),
    Integer(i64),
    Number(f64),
    Time(Timestamp),
    Bool(bool),
}

impl Filter {
    /// Understands a filter; an empty one lets everything pass.
    ///
    /// # Errors
    /// INVALID_ARGUMENT on `filter`, saying what was not understood and which fields there are.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, Refusal> {
        if text.contains('\0') {
            return Err(Refusal::invalid_field("filter", "must not hold the character U+0000")); // Postgres takes no such text
        }
        let understood = words::tokens(text).and_then(|tokens| grammar::node(&tokens, fields));
        understood
            .map(Self)
            .map_err(|problem| Refusal::invalid_field("filter", problem))
    }

    /// Appends ` AND (…)` to a statement that has a WHERE already.
    pub fn push(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(node) = &self.0 {
            query.push(" AND (");
            push(node, query);
            query.push(")");
        }
    }
}

fn push(node: &Node, query: &mut QueryBuilder<Postgres>) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => {
            let joint = if matches!(node, Node::And(_)) { " AND " } else { " OR " };
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    query.push(joint);
                }
                query.push("(");
                push(node, query);
                query.push(")");
            }
        }
        Node::Not(node) => {
            query.push("NOT (");
            push(node, query);
            query.push(")");
        }
        Node::Compare {
            column,
            value: Value::Below(text),
            ..
        } => {
            query.push("(").push(*column).push(" = ").push_bind(text.clone());
            query
                .push(" OR ")
                .push(*column)
                .push(" LIKE ")
                .push_bind(escape_like(text))
                .push(" || '.%')");
        }
        Node::Compare {
            column,
            value: Value::Member(text),
            ..
        } => {
            query
                .push(*column)
                .push(" @> ARRAY[")
                .push_bind(text.clone())
                .push("]::text[]");
        }
        Node::Compare {
            column,
            operator,
            value,
        } => {
            query.push(*column).push(" ").push(*operator).push(" ");
            match value {
                Value::Text(text) | Value::Below(text) | Value::Member(text) => query.push_bind(text.clone()),
                Value::Contains(text) => query.push("'%' || ").push_bind(escape_like(text)).push(" || '%'"),
                Value::Id(id) => query.push_bind(*id),
                Value::Integer(number) => query.push_bind(*number),
                Value::Number(number) => query.push_bind(*number),
                Value::Time(time) => query.push_bind(sql::time(*time)),
                Value::Bool(flag) => query.push_bind(*flag),
            };
        }
    }
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::{super::Kind, *};

    const FIELDS: &[Field] = &[
        Field {
            name: "number",
            column: "number",
            kind: Kind::Text,
        },
        Field {
            name: "product.model",
            column: "product_model",
            kind: Kind::Text,
        },
        Field {
            name: "episode",
            column: "episode",
            kind: Kind::Integer,
        },
        Field {
            name: "create_time",
            column: "create_time",
            kind: Kind::Time,
        },
        Field {
            name: "channel",
            column: "channel",
            kind: Kind::Enum("huiyin.type.v1.Channel"),
        },
        Field {
            name: "category",
            column: "category",
            kind: Kind::Path,
        },
        Field {
            name: "score",
            column: "score",
            kind: Kind::Number,
        },
        Field {
            name: "customer",
            column: "customer_id",
            kind: Kind::Name,
        },
        Field {
            name: "skills.key",
            column: "skill_keys",
            kind: Kind::Set,
        },
    ];

    fn compiled(text: &str) -> String {
        let mut query = QueryBuilder::new("SELECT 1 WHERE true");
        Filter::parse(text, FIELDS).unwrap().push(&mut query);
        query.sql().as_str().to_owned()
    }

    #[test]
    fn a_filter_becomes_parameterised_sql() {
        assert_eq!(compiled(""), "SELECT 1 WHERE true");
        assert_eq!(
            compiled(
                r#"channel = EMAIL AND (product.model : "X1" OR NOT episode >= 2) AND create_time > 2026-11-21T08:00:00Z"#
            ),
            "SELECT 1 WHERE true AND ((channel = $1) AND ((product_model LIKE '%' || $2 || '%') OR (NOT (episode >= $3))) AND (create_time > $4))"
        );
    }

    #[test]
    fn a_path_holds_what_lies_below_it_and_a_set_its_members() {
        assert_eq!(
            compiled("category : function AND skills.key = software AND category != other"),
            "SELECT 1 WHERE true AND (((category = $1 OR category LIKE $2 || '.%')) AND (skill_keys @> ARRAY[$3]::text[]) AND (category <> $4))"
        );
    }

    #[test]
    fn a_resource_is_found_by_its_name() {
        let name = "tenants/acme/customers/00000000-0000-8000-8000-000000000001";
        assert_eq!(
            compiled(&format!("customer = {name}")),
            "SELECT 1 WHERE true AND (customer_id = $1)"
        );
    }

    #[test]
    fn a_number_may_have_a_fraction() {
        assert_eq!(compiled("score < -0.5"), "SELECT 1 WHERE true AND (score < $1)");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (filter, said) in [
            ("colour = red", "not a field"),
            ("episode = two", "whole number"),
            ("channel = PIGEON", "one of CHANNEL_UNSPECIFIED, WEB_FORM, IN_APP"),
            ("channel < EMAIL", "cannot be used"),
            ("customer = li.wei", "the name of a resource"),
            ("skills.key != software", "holds many"),
            ("(number = 1", "not closed"),
            ("number = \"1", "not closed"),
            ("number =", "expected a value"),
            ("number = 1 2", "unexpected"),
        ] {
            let refusal = Filter::parse(filter, FIELDS).unwrap_err();
            assert!(
                refusal.violations()[0].1.contains(said),
                "{filter}: {:?}",
                refusal.violations()
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = Filter::parse(&text, FIELDS);
        }

        #[test]
        fn no_arrangement_of_its_words_makes_it_panic(words in proptest::collection::vec("(AND|OR|NOT|\\(|\\)|number|=|!=|:|\"a|'b'|episode|7)", 0..60)) {
            let _ = Filter::parse(&words.join(" "), FIELDS);
        }
    }
}
