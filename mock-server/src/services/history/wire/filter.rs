//! The filter language of queries: `((Tags/stage eq "test") and (ParentRunId eq null))`.

use crate::{
    kernel::Refusal,
    store::{Experiment, Point, Run},
};

/// A filter, read.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Filter {
    Everything,
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare { field: String, operator: Operator, value: Value },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Value {
    Null,
    Text(String),
    Number(f64),
}

/// How deep parentheses may stand in each other.
const DEPTH: usize = 64;

pub(in super::super) fn parse(text: &str) -> Result<Filter, Refusal> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Filter::Everything);
    }
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let filter = parser.any_of(0)?;
    match parser.peek() {
        None => Ok(filter),
        Some(it) => Err(Refusal::invalid(format!("the filter goes on after its end: {it:?}"))),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' => {
                tokens.push(Token::Open);
                1
            }
            ')' => {
                tokens.push(Token::Close);
                1
            }
            '"' | '\'' => {
                let end = rest[1..].find(first);
                let end = end.ok_or_else(|| Refusal::invalid("a text in the filter has no end"))?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            _ => {
                let end = rest.find(|it: char| it.is_whitespace() || matches!(it, '(' | ')'));
                let end = end.unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Whether the next token is the word `wanted`; if so, it is taken.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(it)) if it.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is_it);
        is_it
    }

    fn any_of(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut filter = self.all_of(depth)?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all_of(depth)?));
        }
        Ok(filter)
    }

    fn all_of(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut filter = self.one(depth)?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one(depth)?));
        }
        Ok(filter)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Refusal> {
        if DEPTH < depth {
            return Err(Refusal::invalid("the filter is nested too deeply"));
        }
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let filter = self.any_of(depth + 1)?;
                match self.next() {
                    Some(Token::Close) => Ok(filter),
                    _ => Err(Refusal::invalid("a parenthesis in the filter is not closed")),
                }
            }
            Some(Token::Word(field)) => self.comparison(field),
            other => Err(Refusal::invalid(format!("the filter needs a field, not {other:?}"))),
        }
    }

    fn comparison(&mut self, field: &str) -> Result<Filter, Refusal> {
        let Some(Token::Word(operator)) = self.next() else {
            return Err(Refusal::invalid(format!("{field} in the filter is not compared")));
        };
        let operator = match operator.to_ascii_lowercase().as_str() {
            "eq" | "=" => Operator::Equal,
            "ne" | "!=" => Operator::NotEqual,
            "lt" | "<" => Operator::Less,
            "le" | "<=" => Operator::LessOrEqual,
            "gt" | ">" => Operator::Greater,
            "ge" | ">=" => Operator::GreaterOrEqual,
            other => {
                return Err(Refusal::invalid(format!("{other:?} in the filter compares nothing")));
            }
        };
        let value = match self.next() {
            Some(Token::Text(text)) => Value::Text(text.clone()),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Value::Null,
            Some(Token::Word(word)) => {
                word.parse().map_or_else(|_| Value::Text(word.clone()), Value::Number)
            }
            other => {
                return Err(Refusal::invalid(format!("the filter needs a value, not {other:?}")));
            }
        };
        Ok(Filter::Compare { field: field.to_owned(), operator, value })
    }
}

impl Filter {
    /// Whether the filter holds; `field` tells what a name stands for.
    pub(in super::super) fn holds(&self, field: &impl Fn(&str) -> Value) -> bool {
        match self {
            Self::Everything => true,
            Self::And(one, other) => one.holds(field) && other.holds(field),
            Self::Or(one, other) => one.holds(field) || other.holds(field),
            Self::Not(it) => !it.holds(field),
            Self::Compare { field: name, operator, value } => {
                compare(&field(name), *operator, value)
            }
        }
    }
}

fn compare(found: &Value, operator: Operator, wanted: &Value) -> bool {
    use std::cmp::Ordering;
    let order = match (found, wanted) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => one.partial_cmp(other),
        (Value::Text(one), Value::Number(other)) => {
            one.parse::<f64>().ok().and_then(|it| it.partial_cmp(other))
        }
        _ => None,
    };
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

/// What a field's name stands for in a run. Names are compared without regard to case.
pub(in super::super) fn field_of(run: &Run, name: &str) -> Value {
    let text = |it: Option<&str>| it.map_or(Value::Null, |it| Value::Text(it.to_owned()));
    let time = |it: Option<time::OffsetDateTime>| {
        it.map_or(Value::Null, |it| Value::Text(super::instant(it)))
    };
    if let Some((kind, key)) = name.split_once('/') {
        return match kind.to_ascii_lowercase().as_str() {
            "tags" => run.tags.get(key).map_or(Value::Null, |it| text(it.as_deref())),
            "properties" => run.properties.get(key).map_or(Value::Null, |it| text(it.as_deref())),
            "metrics" => {
                let latest: Option<Point> =
                    run.metrics.get(key).and_then(crate::store::Series::latest);
                latest.map_or(Value::Null, |it| Value::Number(it.value))
            }
            _ => Value::Null,
        };
    }
    match name.to_ascii_lowercase().as_str() {
        "runid" => text(Some(&run.id)),
        "parentrunid" => text(run.parent_id.as_deref()),
        "rootrunid" => text(Some(&run.root_id)),
        "status" => text(Some(run.status.as_str())),
        "runtype" => text(run.run_type.as_deref()),
        "name" => text(run.name.as_deref()),
        "displayname" => text(run.display_name.as_deref()),
        "target" => text(run.target.as_deref()),
        "userid" => text(Some(&run.user)),
        "starttimeutc" => time(run.started_at),
        "endtimeutc" => time(run.ended_at),
        "createdutc" => time(Some(run.created_at)),
        _ => Value::Null,
    }
}

/// What a field's name stands for in an experiment.
pub(in super::super) fn field_of_experiment(it: &Experiment, name: &str) -> Value {
    if let Some((kind, key)) = name.split_once('/') {
        let tag = it.tags.get(key).filter(|_| kind.eq_ignore_ascii_case("tags"));
        return tag.map_or(Value::Null, |it| Value::Text(it.clone()));
    }
    match name.to_ascii_lowercase().as_str() {
        "name" => Value::Text(it.name.clone()),
        "experimentid" => Value::Text(it.id.clone()),
        "createdutc" => Value::Text(super::instant(it.created_at)),
        "archivedtime" if it.is_deleted => Value::Text(super::instant(it.modified_at)),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(filter: &str) -> bool {
        let field = |name: &str| match name {
            "Status" => Value::Text("Completed".into()),
            "Tags/stage" => Value::Text("test".into()),
            "Number" => Value::Number(3.0),
            _ => Value::Null,
        };
        parse(filter).unwrap().holds(&field)
    }

    #[test]
    fn the_filters_of_the_official_sdk_are_understood() {
        assert!(holds(r#"((Tags/stage eq "test") and (ParentRunId eq null))"#));
        assert!(!holds(r#"((Tags/stage eq "other") and (ParentRunId eq null))"#));
        assert!(holds("(ParentRunId eq null)"));
        assert!(holds(""));
        assert!(holds("Status eq 'Failed' or not (Number lt 3)"));
        assert!(!holds("Number gt 3"));
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        for text in ["(a eq 1", "a eq", "a is 1", "a eq 'x", "a eq 1 b"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
