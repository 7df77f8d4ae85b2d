//! Filters: `userName eq "a" and (active eq true or displayName co b)`. Values
//! may stand without quotes, as official clients write them.

use serde_json::Value;

use crate::kernel::Refusal;

#[derive(Debug)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Present(String),
    Compare(String, Verb, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Equal,
    Unequal,
    Contains,
    Starts,
    Ends,
}

fn unsupported() -> Refusal {
    Refusal::invalid("Given filter operator is not supported.").with_code("invalidFilter")
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Quoted(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            it if it.is_whitespace() => drop(rest.next()),
            '(' | ')' => {
                rest.next();
                tokens.push(if next == '(' { Token::Open } else { Token::Close });
            }
            '"' => {
                rest.next();
                let mut quoted = String::new();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => quoted.extend(rest.next()),
                        Some(it) => quoted.push(it),
                        None => return Err(unsupported()),
                    }
                }
                tokens.push(Token::Quoted(quoted));
            }
            _ => {
                let mut word = String::new();
                while let Some(it) =
                    rest.next_if(|it| !it.is_whitespace() && !matches!(it, '(' | ')'))
                {
                    word.push(it);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut tokens = tokens(text)?;
        tokens.reverse();
        let filter = Self::any(&mut tokens)?;
        if tokens.is_empty() { Ok(filter) } else { Err(unsupported()) }
    }

    fn any(rest: &mut Vec<Token>) -> Result<Self, Refusal> {
        let mut parts = vec![Self::all(rest)?];
        while is_word(rest, "or") {
            rest.pop();
            parts.push(Self::all(rest)?);
        }
        Ok(Self::Or(parts))
    }

    fn all(rest: &mut Vec<Token>) -> Result<Self, Refusal> {
        let mut parts = vec![Self::one(rest)?];
        while is_word(rest, "and") {
            rest.pop();
            parts.push(Self::one(rest)?);
        }
        Ok(Self::And(parts))
    }

    fn one(rest: &mut Vec<Token>) -> Result<Self, Refusal> {
        match rest.pop() {
            Some(Token::Open) => {
                let inner = Self::any(rest)?;
                if rest.pop() == Some(Token::Close) { Ok(inner) } else { Err(unsupported()) }
            }
            Some(Token::Word(it)) if it.eq_ignore_ascii_case("not") => {
                Ok(Self::Not(Box::new(Self::one(rest)?)))
            }
            Some(Token::Word(attribute)) => {
                let Some(Token::Word(verb)) = rest.pop() else { return Err(unsupported()) };
                let verb = match verb.to_ascii_lowercase().as_str() {
                    "pr" => return Ok(Self::Present(attribute)),
                    "eq" => Verb::Equal,
                    "ne" => Verb::Unequal,
                    "co" => Verb::Contains,
                    "sw" => Verb::Starts,
                    "ew" => Verb::Ends,
                    _ => return Err(unsupported()),
                };
                match rest.pop() {
                    Some(Token::Word(value) | Token::Quoted(value)) => {
                        Ok(Self::Compare(attribute, verb, value.to_lowercase()))
                    }
                    _ => Err(unsupported()),
                }
            }
            _ => Err(unsupported()),
        }
    }

    pub(crate) fn matches(&self, it: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(it)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(it)),
            Self::Not(part) => !part.matches(it),
            Self::Present(attribute) => !texts(it, attribute).is_empty(),
            Self::Compare(attribute, verb, wanted) => {
                let values = texts(it, attribute);
                let mut values = values.iter().map(|it| it.to_lowercase());
                match verb {
                    Verb::Equal => values.any(|it| it == *wanted),
                    Verb::Unequal => values.all(|it| it != *wanted),
                    Verb::Contains => values.any(|it| it.contains(wanted.as_str())),
                    Verb::Starts => values.any(|it| it.starts_with(wanted.as_str())),
                    Verb::Ends => values.any(|it| it.ends_with(wanted.as_str())),
                }
            }
        }
    }
}

fn is_word(rest: &[Token], wanted: &str) -> bool {
    matches!(rest.last(), Some(Token::Word(it)) if it.eq_ignore_ascii_case(wanted))
}

/// All values of `a.b`, whatever the case of the names. What has many values
/// stands for the `value` of each.
pub(super) fn texts(it: &Value, path: &str) -> Vec<String> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Value::Array(them) = it {
        let path = if path.is_empty() { "value" } else { path };
        return them.iter().flat_map(|it| texts(it, path)).collect();
    }
    match it {
        Value::Object(fields) if !name.is_empty() => fields
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| texts(value, rest))
            .collect(),
        Value::String(it) => vec![it.clone()],
        Value::Bool(_) | Value::Number(_) => vec![it.to_string()],
        _ => Vec::new(),
    }
}
