//! From tokens to comparisons and orders. What the words mean is not known here.

use super::lexer::{Kind, Token, tokens};
use crate::kernel::Refusal;

/// One comparison as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause<'a> {
    /// For example `` tags.`a b` ``.
    pub(super) left: &'a str,
    /// In capitals: `=`, `LIKE`, `NOT IN`, `IS NULL`.
    pub(super) comparator: String,
    pub(super) right: Right<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Right<'a> {
    /// `IS NULL` and `IS NOT NULL` have nothing on the right.
    Nothing,
    Number(&'a str),
    /// In single or double quotes, which are still there.
    Text(&'a str),
    /// A bare word.
    Word(&'a str),
    /// With its parentheses, and its items if each is a text.
    List(&'a str, Option<Vec<String>>),
}

impl Right<'_> {
    /// As it was written.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Number(it) | Self::Text(it) | Self::Word(it) | Self::List(it, _) => it,
        }
    }
}

/// The comparisons of a filter, or the tokens that are part of none.
pub(super) fn clauses(filter: &str) -> Result<Vec<Clause<'_>>, Vec<&str>> {
    let tokens = tokens(filter);
    let mut rest = tokens.as_slice();
    let (mut found, mut stray) = (Vec::new(), Vec::new());
    while let Some((first, tail)) = rest.split_first() {
        if let Some((clause, used)) = clause(filter, rest) {
            found.push(clause);
            rest = &rest[used..];
            continue;
        }
        if !first.is("AND") {
            stray.push(first.text);
        }
        rest = tail;
    }
    if stray.is_empty() { Ok(found) } else { Err(stray) }
}

/// Whether the filter consists of several statements.
pub(super) fn has_statements(filter: &str) -> bool {
    let tokens = tokens(filter);
    let end = tokens.iter().position(|it| it.kind == Kind::Semicolon);
    end.is_some_and(|it| it + 1 < tokens.len())
}

/// The comparison at the beginning of `tokens` and how many of them it takes.
fn clause<'a>(filter: &'a str, tokens: &[Token<'a>]) -> Option<(Clause<'a>, usize)> {
    let (left, rest) = tokens.split_first()?;
    if !matches!(left.kind, Kind::Name | Kind::Quoted) || left.is("AND") {
        return None;
    }
    let words = |count: usize| {
        let words = rest.get(..count)?.iter().map(|it| it.text.to_ascii_uppercase());
        Some(words.collect::<Vec<_>>().join(" "))
    };
    for (comparator, count) in [("IS NULL", 2), ("IS NOT NULL", 3)] {
        if words(count).as_deref() == Some(comparator) {
            let comparator = comparator.to_owned();
            let clause = Clause { left: left.text, comparator, right: Right::Nothing };
            return Some((clause, 1 + count));
        }
    }
    for (comparator, count) in [("IN", 1), ("NOT IN", 2)] {
        if words(count).as_deref() == Some(comparator) {
            let (right, used) = list(filter, &rest[count..])?;
            let clause = Clause { left: left.text, comparator: comparator.to_owned(), right };
            return Some((clause, 1 + count + used));
        }
    }
    let likes = ["LIKE", "ILIKE", "RLIKE"];
    let count = match rest.first()? {
        it if it.kind == Kind::Comparator || likes.iter().any(|like| it.is(like)) => 1,
        it if it.is("NOT")
            && likes.iter().any(|like| rest.get(1).is_some_and(|it| it.is(like))) =>
        {
            2
        }
        _ => return None,
    };
    let right = rest.get(count)?;
    let (right, used) = match right.kind {
        Kind::Number => (Right::Number(right.text), 1),
        Kind::Text | Kind::Quoted => (Right::Text(right.text), 1),
        Kind::Name => (Right::Word(right.text), 1),
        Kind::Open => list(filter, &rest[count..])?,
        _ => return None,
    };
    Some((Clause { left: left.text, comparator: words(count)?, right }, 1 + count + used))
}

/// A list in parentheses and how many tokens it takes.
fn list<'a>(filter: &'a str, tokens: &[Token<'a>]) -> Option<(Right<'a>, usize)> {
    let open = tokens.first().filter(|it| it.kind == Kind::Open)?;
    let close = tokens.iter().position(|it| it.kind == Kind::Close)?;
    let items = &tokens[1..close];
    let texts = items.iter().filter(|it| it.kind != Kind::Comma).map(|it| match it.kind {
        Kind::Text | Kind::Quoted => Some(it.text[1..it.text.len() - 1].to_owned()),
        _ => None,
    });
    let shown = &filter[open.at..tokens[close].end()];
    Some((Right::List(shown, texts.collect()), close + 1))
}

/// A key and the direction in which to order by it.
pub(super) fn order(clause: &str) -> Result<(String, bool), Refusal> {
    let unreadable =
        || Refusal::invalid(format!("Invalid order_by clause '{clause}'. Could not be parsed."));
    let tokens = tokens(clause);
    let (key, direction) = match tokens.as_slice() {
        [key] => (key, None),
        [key, direction] => (key, Some(direction)),
        _ => return Err(unreadable()),
    };
    if !matches!(key.kind, Kind::Name | Kind::Quoted) {
        return Err(unreadable());
    }
    let is_ascending = match direction {
        None => true,
        Some(it) if it.is("ASC") => true,
        Some(it) if it.is("DESC") => false,
        Some(_) => {
            let text = format!("Invalid ordering key in order_by clause '{clause}'.");
            return Err(Refusal::invalid(text));
        }
    };
    Ok((key.text.to_owned(), is_ascending))
}
