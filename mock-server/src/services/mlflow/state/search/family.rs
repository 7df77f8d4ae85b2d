//! What the words of a filter mean: one description for each kind of thing
//! that is searched for, one way from the words to tests.

use super::{
    grammar::{self, Clause, Right},
    matching::{NumberTest, TextTest},
};
use crate::kernel::Refusal;

/// What stands before the dot of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    Attribute,
    Metric,
    Param,
    Tag,
    Dataset,
}

impl Entity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Metric => "metric",
            Self::Param => "parameter",
            Self::Tag => "tag",
            Self::Dataset => "dataset",
        }
    }
}

/// A field of the thing itself.
pub(super) struct Attribute<A: 'static> {
    pub(super) key: &'static str,
    pub(super) id: A,
    pub(super) is_numeric: bool,
    pub(super) takes_lists: bool,
}

/// How one kind of thing is searched for.
pub(super) struct Family<A: 'static> {
    /// What may stand before the dot.
    pub(super) words: &'static [(&'static str, Entity)],
    pub(super) unknown_word: fn(&str) -> String,
    pub(super) attributes: &'static [Attribute<A>],
    /// Fields of a dataset, if there are any.
    pub(super) datasets: &'static [Attribute<A>],
    /// Of what one may ask whether it is there.
    pub(super) nullable: &'static [Entity],
    pub(super) not_nullable: fn(Entity, &str) -> String,
    pub(super) bad_comparator: fn(Entity, &str, &str) -> String,
    /// What is said of tokens that are part of no comparison.
    pub(super) stray: fn(&str, &[&str]) -> String,
}

/// One comparison, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Term<A> {
    pub(super) subject: Subject<A>,
    pub(super) test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject<A> {
    Attribute(A),
    Metric(String),
    Param(String),
    Tag(String),
    Dataset(A),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Text(TextTest),
    Number(NumberTest),
    IsThere(bool),
}

impl Test {
    /// Asks of a text that may not be there. What is not there is not compared.
    pub(super) fn holds_for(&self, text: Option<&str>) -> bool {
        match self {
            Self::Text(wanted) => text.is_some_and(|it| wanted.holds(it)),
            Self::IsThere(wanted) => text.is_some() == *wanted,
            Self::Number(_) => false,
        }
    }

    /// Asks of a number that may not be there.
    pub(super) fn holds_for_number(&self, number: Option<f64>) -> bool {
        match self {
            Self::Number(test) => number.is_some_and(|it| test.holds(it)),
            Self::IsThere(wanted) => number.is_some() == *wanted,
            Self::Text(_) => false,
        }
    }
}

/// Tokens that are part of no comparison, as most kinds report them.
pub(super) fn listed(_: &str, stray: &[&str]) -> String {
    let stray: Vec<String> = stray.iter().map(|it| format!("'{it}'")).collect();
    format!("Invalid clause(s) in filter string: {}", stray.join(", "))
}

/// Keys as a Python set shows them.
pub(super) fn set<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<String> = keys.map(|it| format!("'{it}'")).collect();
    format!("{{{}}}", keys.join(", "))
}

fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"', '`'] {
        let inner = text.strip_prefix(quote).and_then(|it| it.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    text
}

impl<A: Copy> Family<A> {
    /// The tests that a filter consists of. All of them have to hold.
    pub(super) fn compile(&self, filter: &str) -> Result<Vec<Term<A>>, Refusal> {
        if grammar::has_statements(filter) {
            let text = format!(
                "Search filter contained multiple expression '{filter}'. Provide AND-ed expression list."
            );
            return Err(Refusal::invalid(text));
        }
        let clauses = grammar::clauses(filter)
            .map_err(|stray| Refusal::invalid((self.stray)(filter, &stray)))?;
        clauses.into_iter().map(|it| self.term(&it)).collect()
    }

    /// What a name names, with the key as it was written.
    pub(super) fn name(&self, name: &str) -> Result<(Subject<A>, String, bool, bool), Refusal> {
        let (word, key) = match name.split_once('.') {
            Some((word, key)) => (Some(unquoted(word)), key),
            None => (None, name),
        };
        let key = unquoted(key);
        let entity = match word {
            None => Entity::Attribute,
            Some(word) => {
                let known = self.words.iter().find(|(it, _)| *it == word);
                let unknown = || Refusal::invalid((self.unknown_word)(word));
                known.ok_or_else(unknown)?.1
            }
        };
        let owned = key.to_owned();
        match entity {
            Entity::Metric => Ok((Subject::Metric(owned.clone()), owned, true, false)),
            Entity::Param => Ok((Subject::Param(owned.clone()), owned, false, false)),
            Entity::Tag => Ok((Subject::Tag(owned.clone()), owned, false, false)),
            Entity::Attribute => {
                let it = attribute(self.attributes, "attribute", key)?;
                Ok((Subject::Attribute(it.id), owned, it.is_numeric, it.takes_lists))
            }
            Entity::Dataset => {
                let it = attribute(self.datasets, "dataset", key)?;
                Ok((Subject::Dataset(it.id), owned, it.is_numeric, it.takes_lists))
            }
        }
    }

    fn term(&self, clause: &Clause<'_>) -> Result<Term<A>, Refusal> {
        let (subject, key, is_numeric, takes_lists) = self.name(clause.left)?;
        let entity = match subject {
            Subject::Attribute(_) => Entity::Attribute,
            Subject::Metric(_) => Entity::Metric,
            Subject::Param(_) => Entity::Param,
            Subject::Tag(_) => Entity::Tag,
            Subject::Dataset(_) => Entity::Dataset,
        };
        let comparator = clause.comparator.as_str();
        let bad_comparator = || Refusal::invalid((self.bad_comparator)(entity, &key, comparator));
        let test = match &clause.right {
            Right::Nothing if !self.nullable.contains(&entity) => {
                return Err(Refusal::invalid((self.not_nullable)(entity, &key)));
            }
            Right::Nothing => Test::IsThere(comparator == "IS NOT NULL"),
            Right::Number(text) if is_numeric => {
                let value = text.parse().unwrap_or(f64::NAN);
                Test::Number(NumberTest::new(comparator, value).ok_or_else(bad_comparator)?)
            }
            right if is_numeric => {
                let of = match entity {
                    Entity::Metric => "metric".to_owned(),
                    _ => format!("numeric attribute: {key}"),
                };
                let text = format!("Expected numeric value type for {of}. Found {}", right.shown());
                return Err(Refusal::invalid(text));
            }
            Right::Text(text) => {
                let value = unquoted(text).to_owned();
                Test::Text(TextTest::new(comparator, value).ok_or_else(bad_comparator)?)
            }
            Right::Word(text) => {
                let text = format!(
                    "Parameter value is either not quoted or unidentified quote types used for string value {text}. Use either single or double quotes."
                );
                return Err(Refusal::invalid(text));
            }
            Right::List(shown, items) if takes_lists => {
                let items = list(shown, items.clone())?;
                Test::Text(TextTest::of_list(comparator, items).ok_or_else(bad_comparator)?)
            }
            Right::List(..) if entity == Entity::Attribute => {
                let lists = self.attributes.iter().filter(|it| it.takes_lists);
                let lists: Vec<String> = lists.map(|it| format!("'{}'", it.key)).collect();
                let text = format!(
                    "Only [{}] attributes support comparison with a list of quoted string values.",
                    lists.join(", ")
                );
                return Err(Refusal::invalid(text));
            }
            right => {
                let (right, of) = (right.shown(), entity.as_str());
                return Err(Refusal::invalid(match entity {
                    Entity::Attribute => {
                        format!("Expected a quoted string value for attributes. Got value {right}")
                    }
                    Entity::Dataset => format!(
                        "Expected a quoted string value for dataset attributes. Got value {right}"
                    ),
                    _ => format!(
                        "Expected a quoted string value for {of} (e.g. 'my-value'). Got value {right}"
                    ),
                }));
            }
        };
        Ok(Term { subject, test })
    }

    /// What a clause of an order names, and whether it ascends.
    pub(super) fn order(&self, clause: &str) -> Result<(Subject<A>, bool), Refusal> {
        let (name, is_ascending) = grammar::order(clause)?;
        Ok((self.name(&name)?.0, is_ascending))
    }
}

fn attribute<'a, A>(
    known: &'a [Attribute<A>],
    kind: &str,
    key: &str,
) -> Result<&'a Attribute<A>, Refusal> {
    known.iter().find(|it| it.key == key).ok_or_else(|| {
        let keys = set(known.iter().map(|it| it.key));
        Refusal::invalid(format!("Invalid {kind} key '{key}' specified. Valid keys are '{keys}'"))
    })
}

fn list(shown: &str, items: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let begin = "While parsing a list in the query, expected";
    match items {
        None => Err(Refusal::invalid(format!(
            "{begin} string value, punctuation, or whitespace, but got different type in list: {shown}"
        ))),
        Some(items) if items.is_empty() => Err(Refusal::invalid(format!(
            "{begin} a non-empty list of string values, but got empty list"
        ))),
        Some(items) => Ok(items),
    }
}
