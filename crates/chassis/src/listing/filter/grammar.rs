//! What the words of a filter say, and of which fields.

use huiyin_proto::enums;

use super::{Node, Value, words::Token};
use crate::listing::{Field, Kind};

/// Deeper brackets than this are refused.
const MAX_DEPTH: usize = 16;

/// What the words say; nothing where there are none.
pub(super) fn node(tokens: &[Token], fields: &[Field]) -> Result<Option<Node>, String> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        tokens,
        at: 0,
        fields,
        depth: 0,
    };
    let node = parser.any()?;
    match parser.peek() {
        None => Ok(Some(node)),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
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
