//! A filter as words, operators and brackets.

use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Operator(&'static str),
    Open,
    Close,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
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
