//! What a template may say: values, filters, conditions and loops; nothing that builds values, because no limit of the
//! engine's holds for how large those grow.

/// What a statement may begin with.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// Refuses a template that says more, with the line and what it is.
pub(super) fn check(text: &str) -> Result<(), (usize, String)> {
    let mut rest = text;
    while let Some(start) = ["{{", "{%"].iter().filter_map(|open| rest.find(open)).min() {
        let line = 1 + text[..text.len() - rest.len() + start].matches('\n').count();
        let is_statement = rest[start..].starts_with("{%");
        let inside = &rest[start + 2..];
        let (code, length) = code(inside, if is_statement { "%}" } else { "}}" });
        if let Some(sign) = code.chars().find(|sign| !is_allowed(*sign)) {
            return Err((line, format!("{sign:?} has no place in a template")));
        }
        let first = code.trim_matches(|c: char| c == '-' || c.is_whitespace());
        let first = first.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if is_statement && !STATEMENTS.contains(&first) {
            return Err((line, format!("{first:?} is none of {}", STATEMENTS.join(", "))));
        }
        rest = &inside[length..];
    }
    Ok(())
}

fn is_allowed(sign: char) -> bool {
    sign.is_alphanumeric() || sign.is_whitespace() || "_.|(),=!<>-".contains(sign)
}

/// What stands before `close`, without what stands in quotes; and how long it is. Where it is not closed the engine says so.
fn code(inside: &str, close: &str) -> (String, usize) {
    let mut code = String::new();
    let mut quote = None;
    let mut escaped = false;
    for (index, sign) in inside.char_indices() {
        match quote {
            Some(open) if sign == open && !escaped => quote = None,
            Some(_) => escaped = sign == '\\' && !escaped,
            None if inside[index..].starts_with(close) => return (code, index + close.len()),
            None if sign == '"' || sign == '\'' => quote = Some(sign),
            None => code.push(sign),
        }
    }
    (code, inside.len())
}
