//! A subset of AIP-160: comparisons (`= != < > <= >= :`) over allowed fields, joined by AND, OR, NOT and brackets;
//! compiled to parameterised SQL.

use huiyin_proto::enums;
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder};

use super::{Field, Kind};
use crate::{error::Refusal, sql};

/// Deeper brackets than this are refused.
const MAX_DEPTH: usize = 16;

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
        let tokens = tokens(text).map_err(|problem| Refusal::invalid_field("filter", problem))?;
        if tokens.is_empty() {
            return Ok(Self(None));
        }
        let mut parser = Parser {
            tokens: &tokens,
            at: 0,
            fields,
            depth: 0,
        };
        let node = parser
            .any()
            .map_err(|problem| Refusal::invalid_field("filter", problem))?;
        match parser.peek() {
            None => Ok(Self(Some(node))),
            Some(token) => Err(Refusal::invalid_field("filter", format!("unexpected {token:?}"))),
        }
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

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Operator(&'static str),
    Open,
    Close,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const OPERATORS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", ":"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '(' || first == ')' {
            tokens.push(if first == '(' { Token::Open } else { Token::Close });
            rest = &rest[1..];
        } else if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            tokens.push(Token::Operator(operator));
            rest = &rest[operator.len()..];
        } else if first == '"' || first == '\'' {
            let (value, length) = quoted(rest, first)?;
            tokens.push(Token::Quoted(value));
            rest = &rest[length..];
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "()=!<>:\"'".contains(c))
                .unwrap_or(rest.len());
            // A time such as 2026-11-21T08:00:00Z holds the colon that is also an operator.
            let end = time_end(rest).unwrap_or(end);
            if end == 0 {
                return Err(format!("unexpected {first:?}"));
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn time_end(text: &str) -> Option<usize> {
    let end = text
        .find(|c: char| c.is_whitespace() || "()".contains(c))
        .unwrap_or(text.len());
    text[..end].parse::<Timestamp>().ok().map(|_| end)
}

fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        if escaped {
            value.push(character);
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            return Ok((value, index + character.len_utf8()));
        } else {
            value.push(character);
        }
    }
    Err("a quote is not closed".to_owned())
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    fields: &'t [Field],
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        if found {
            self.at += 1;
        }
        found
    }

    /// `all OR all OR …`
    fn any(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("brackets are nested deeper than {MAX_DEPTH}"));
        }
        let mut nodes = vec![self.all()?];
        while self.take_word("OR") {
            nodes.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::Or(nodes)
        })
    }

    /// `one AND one AND …`
    fn all(&mut self) -> Result<Node, String> {
        let mut nodes = vec![self.one()?];
        while self.take_word("AND") {
            nodes.push(self.one()?);
        }
        Ok(if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::And(nodes)
        })
    }

    /// `NOT one`, `(any)` or a comparison.
    fn one(&mut self) -> Result<Node, String> {
        let mut negated = false;
        while self.take_word("NOT") {
            negated = !negated;
        }
        let node = if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let node = self.any()?;
            if self.next() != Some(Token::Close) {
                return Err("a bracket is not closed".to_owned());
            }
            node
        } else {
            self.comparison()?
        };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn comparison(&mut self) -> Result<Node, String> {
        let name = match self.next() {
            Some(Token::Word(name)) => name,
            Some(token) => return Err(format!("expected a field, found {token:?}")),
            None => return Err("the filter ends where a field is expected".to_owned()),
        };
        let Some(field) = self.fields.iter().find(|field| field.name == name) else {
            let known: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
            return Err(format!(
                "{name:?} is not a field of this list; it has {}",
                known.join(", ")
            ));
        };
        let Some(Token::Operator(operator)) = self.next() else {
            return Err(format!("expected one of = != < > <= >= : after {name}"));
        };
        let text = match self.next() {
            Some(Token::Word(text) | Token::Quoted(text)) => text,
            _ => return Err(format!("expected a value after {name} {operator}")),
        };
        compare(field, operator, text)
    }
}

/// The UUID at the end of a resource name.
fn named_id(name: &str) -> Option<uuid::Uuid> {
    name.rsplit('/').next().and_then(|id| uuid::Uuid::try_parse(id).ok())
}

fn compare(field: &Field, operator: &'static str, text: String) -> Result<Node, String> {
    let name = field.name;
    let value = match field.kind {
        Kind::Text if operator == ":" => Value::Contains(text),
        Kind::Path if operator == ":" => Value::Below(text),
        Kind::Text | Kind::Path => Value::Text(text),
        Kind::Set if matches!(operator, "=" | ":") => Value::Member(text),
        Kind::Set => {
            return Err(format!(
                "{name} holds many: only = and : can be used, with NOT before them"
            ));
        }
        Kind::Name => {
            Value::Id(named_id(&text).ok_or_else(|| format!("{name} is compared with the name of a resource"))?)
        }
        Kind::Integer => Value::Integer(
            text.parse()
                .map_err(|_| format!("{name} is compared with a whole number"))?,
        ),
        Kind::Number => Value::Number(text.parse().map_err(|_| format!("{name} is compared with a number"))?),
        Kind::Time => Value::Time(
            text.parse()
                .map_err(|_| format!("{name} is compared with a time such as 2026-11-21T08:00:00Z"))?,
        ),
        Kind::Bool => Value::Bool(text.parse().map_err(|_| format!("{name} is true or false"))?),
        Kind::Enum(enum_name) => Value::Integer(
            enums::number(enum_name, &text)
                .ok_or_else(|| {
                    let known: Vec<&str> = enums::values(enum_name).iter().map(|(name, _)| name.as_str()).collect();
                    format!("{name} is one of {}", known.join(", "))
                })?
                .into(),
        ),
    };
    let ordered = matches!(
        field.kind,
        Kind::Integer | Kind::Number | Kind::Time | Kind::Text | Kind::Path
    );
    let operator = match operator {
        ":" if matches!(value, Value::Contains(_)) => "LIKE",
        ":" => "=",
        "!=" => "<>",
        "=" => "=",
        other if ordered => other,
        other => return Err(format!("{other} cannot be used with {name}")),
    };
    Ok(Node::Compare {
        column: field.column,
        operator,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
