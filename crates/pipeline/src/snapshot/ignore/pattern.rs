//! From a pattern of an ignore file to a regular expression on whole paths.
//!
//! As the package that the official SDK uses reads patterns (pathspec 0.12, measured),
//! which differs from git and from the crates that follow git.

use std::{iter::Peekable, str::Chars};

/// The expression for `pattern`, which has no `!` in front.
///
/// # Errors
///
/// The reason why it is no pattern.
pub(super) fn to_regex(pattern: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = pattern.split('/').collect();
    parts.dedup_by(|a, b| *a == "**" && *b == "**");
    if parts == ["**", ""] {
        return Ok("^.+/.*$".to_owned());
    }
    let is_below = parts.last() == Some(&"");
    if parts[0].is_empty() {
        parts.remove(0);
    } else if (parts.len() == 1 || (parts.len() == 2 && is_below)) && parts[0] != "**" {
        parts.insert(0, "**");
    }
    if parts.is_empty() {
        return Err("the rule has no pattern".to_owned());
    }
    if 1 < parts.len() && is_below {
        parts.pop();
        parts.push("**");
    }

    let mut regex = "^".to_owned();
    let mut slash = "";
    let last = parts.len() - 1;
    for (number, part) in parts.iter().enumerate() {
        let (is_first, is_last) = (number == 0, number == last);
        if *part == "**" {
            let (any, next) = match (is_first, is_last) {
                (true, true) => ("[^/]+(?:/.*)?", ""),
                (true, false) => ("(?:.+/)?", ""),
                (false, true) => ("/.*", ""),
                (false, false) => ("(?:/.+)?", "/"),
            };
            regex.push_str(any);
            slash = next;
        } else {
            regex.push_str(slash);
            slash = "/";
            if *part == "*" {
                regex.push_str("[^/]+");
            } else {
                push_part(part, &mut regex)?;
            }
            if is_last {
                regex.push_str("(?:/.*)?");
            }
        }
    }
    regex.push('$');
    Ok(regex)
}

/// Appends what stands between two slashes.
fn push_part(part: &str, regex: &mut String) -> Result<(), String> {
    let mut rest = part.chars().peekable();
    while let Some(it) = rest.next() {
        match it {
            '\\' => match rest.next() {
                Some(escaped) => push_literal(escaped, regex),
                None => return Err("nothing follows the backslash at the end".to_owned()),
            },
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => match class(&rest) {
                Some((negated, members, after)) => {
                    push_class(negated, &members, regex)?;
                    rest = after;
                }
                None => push_literal('[', regex),
            },
            other => push_literal(other, regex),
        }
    }
    Ok(())
}

type Class<'a> = (bool, Vec<char>, Peekable<Chars<'a>>);

/// A class whose `[` has been read: whether it is negated, its members, and what follows.
/// A `]` that comes first is a member. `None` if the class has no end.
fn class<'a>(rest: &Peekable<Chars<'a>>) -> Option<Class<'a>> {
    let mut rest = rest.clone();
    let negated = rest.next_if(|it| matches!(it, '!' | '^')).is_some();
    let mut members = vec![rest.next()?];
    loop {
        match rest.next()? {
            ']' => return Some((negated, members, rest)),
            other => members.push(other),
        }
    }
}

fn push_class(negated: bool, members: &[char], regex: &mut String) -> Result<(), String> {
    regex.push_str(if negated { "[^" } else { "[" });
    let mut at = 0;
    while at < members.len() {
        if let [from, '-', to, ..] = members[at..] {
            if to < from {
                return Err(format!("the range {from}-{to} is the wrong way round"));
            }
            push_literal(from, regex);
            regex.push('-');
            push_literal(to, regex);
            at += 3;
        } else {
            push_literal(members[at], regex);
            at += 1;
        }
    }
    regex.push(']');
    Ok(())
}

fn push_literal(it: char, regex: &mut String) {
    regex.push_str(&regex::escape(it.encode_utf8(&mut [0; 4])));
}
