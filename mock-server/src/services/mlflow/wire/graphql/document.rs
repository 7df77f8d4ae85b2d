//! From the text of a document to the root fields that it asks for.

use std::collections::HashMap;

use graphql_parser::query::{
    self, Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection,
    SelectionSet, Type as VariableType, Value as Literal,
};
use serde_json::{Map, Value};

use super::{
    limits,
    schema::{MUTATION, QUERY, Type},
    validation,
};
use crate::services::mlflow::wire::Fields;

pub(super) type Fragments<'d> = HashMap<&'d str, &'d FragmentDefinition<'static, String>>;

/// What a document asks for.
#[derive(Debug)]
pub(in crate::services::mlflow) struct Asked<'d> {
    pub(super) root: &'static Type,
    pub(super) fields: Vec<Grouped<'d>>,
    pub(super) fragments: Fragments<'d>,
    variables: Map<String, Value>,
}

/// The fields that are shown under one name: they are merged.
#[derive(Clone, Debug)]
pub(super) struct Grouped<'d> {
    pub(super) shown_as: &'d str,
    pub(super) name: &'d str,
    pub(super) fields: Vec<&'d Field<'static, String>>,
}

/// Reads `document`, or says what is wrong with it.
///
/// # Errors
///
/// The texts that go out as `errors`, without any data.
pub(in crate::services::mlflow) fn asked<'d>(
    document: &'d Document<'static, String>,
    operation: Option<&str>,
    variables: Map<String, Value>,
) -> Result<Asked<'d>, Vec<String>> {
    limits::check(document).map_err(|it| vec![it])?;
    let fragments: Fragments<'d> = document
        .definitions
        .iter()
        .filter_map(|it| match it {
            Definition::Fragment(it) => Some((it.name.as_str(), it)),
            Definition::Operation(_) => None,
        })
        .collect();
    let (root, selections, declared) = chosen(document, operation).map_err(|it| vec![it])?;
    let errors = validation::errors(root, selections, &fragments);
    if !errors.is_empty() {
        return Err(errors);
    }
    let lacking = declared.iter().filter(|it| {
        matches!(it.var_type, VariableType::NonNullType(_))
            && it.default_value.is_none()
            && variables.get(&it.name).is_none_or(Value::is_null)
    });
    let lacking: Vec<String> = lacking
        .map(|it| {
            let (name, kind) = (&it.name, &it.var_type);
            format!("Variable '${name}' of required type '{kind}' was not provided.")
        })
        .collect();
    if !lacking.is_empty() {
        return Err(lacking);
    }
    let mut all = variables;
    for it in declared {
        if let (None, Some(default)) = (all.get(&it.name), &it.default_value) {
            let value = literal(default, &Map::new());
            all.insert(it.name.clone(), value);
        }
    }
    let fields = grouped([selections].into_iter(), &fragments);
    Ok(Asked { root, fields, fragments, variables: all })
}

type Chosen<'d> = (
    &'static Type,
    &'d SelectionSet<'static, String>,
    &'d [query::VariableDefinition<'static, String>],
);

/// The operation that is meant.
fn chosen<'d>(
    document: &'d Document<'static, String>,
    name: Option<&str>,
) -> Result<Chosen<'d>, String> {
    let operations = document.definitions.iter().filter_map(|it| match it {
        Definition::Operation(it) => Some(it),
        Definition::Fragment(_) => None,
    });
    let mut named = operations.filter(|it| {
        name.is_none_or(|name| match it {
            OperationDefinition::SelectionSet(_) => false,
            OperationDefinition::Query(it) => it.name.as_deref() == Some(name),
            OperationDefinition::Mutation(it) => it.name.as_deref() == Some(name),
            OperationDefinition::Subscription(it) => it.name.as_deref() == Some(name),
        })
    });
    let first = named.next().ok_or_else(|| match name {
        Some(name) => format!("Unknown operation named '{name}'."),
        None => "Must provide an operation.".to_owned(),
    })?;
    if named.next().is_some() {
        let text = "Must provide operation name if query contains multiple operations.";
        return Err(text.to_owned());
    }
    match first {
        OperationDefinition::SelectionSet(it) => Ok((&QUERY, it, &[])),
        OperationDefinition::Query(it) => Ok((&QUERY, &it.selection_set, &it.variable_definitions)),
        OperationDefinition::Mutation(it) => {
            Ok((&MUTATION, &it.selection_set, &it.variable_definitions))
        }
        OperationDefinition::Subscription(_) => {
            Err("Schema is not configured to execute subscription operation.".to_owned())
        }
    }
}

/// The fields of one level, those of its fragments among them.
pub(super) fn level<'d>(
    set: &'d SelectionSet<'static, String>,
    fragments: &Fragments<'d>,
) -> Vec<&'d Field<'static, String>> {
    let (mut found, mut visited) = (Vec::new(), Vec::new());
    let mut waiting: Vec<&'d Selection<'static, String>> = set.items.iter().rev().collect();
    while let Some(selection) = waiting.pop() {
        let below = match selection {
            Selection::Field(it) => {
                found.push(it);
                continue;
            }
            Selection::InlineFragment(it) => &it.selection_set,
            Selection::FragmentSpread(it) => {
                // A fragment may hold itself.
                let is_new = !visited.contains(&&it.fragment_name);
                let Some(fragment) = fragments.get(it.fragment_name.as_str()).filter(|_| is_new)
                else {
                    continue;
                };
                visited.push(&it.fragment_name);
                &fragment.selection_set
            }
        };
        waiting.extend(below.items.iter().rev());
    }
    found
}

/// The fields of `sets` by the names under which they are shown.
pub(super) fn grouped<'d>(
    sets: impl Iterator<Item = &'d SelectionSet<'static, String>>,
    fragments: &Fragments<'d>,
) -> Vec<Grouped<'d>> {
    let mut found: Vec<Grouped<'d>> = Vec::new();
    for it in sets.flat_map(|it| level(it, fragments)) {
        let shown_as = it.alias.as_deref().unwrap_or(&it.name);
        match found.iter_mut().find(|known| known.shown_as == shown_as) {
            Some(known) => known.fields.push(it),
            None => found.push(Grouped { shown_as, name: &it.name, fields: vec![it] }),
        }
    }
    found
}

impl<'d> Asked<'d> {
    /// The root fields: under which name each is shown, and what it is called.
    pub(in crate::services::mlflow) fn roots(&self) -> impl Iterator<Item = (&'d str, &'d str)> {
        self.fields.iter().map(|it| (it.shown_as, it.name))
    }

    /// The argument `name` of a root field as text.
    pub(in crate::services::mlflow) fn text(&self, shown_as: &str, name: &str) -> Option<String> {
        self.argument(shown_as, name)?.as_str().map(str::to_owned)
    }

    /// The argument `input` of a root field, as REST would have it.
    pub(in crate::services::mlflow) fn input(&self, shown_as: &str) -> Option<Fields> {
        let input = self.argument(shown_as, "input")?;
        let fields = input.as_object()?.iter().map(|(key, it)| (snake(key), it.clone()));
        Some(Fields::of_map(fields.collect()))
    }

    fn argument(&self, shown_as: &str, name: &str) -> Option<Value> {
        let field = self.fields.iter().find(|it| it.shown_as == shown_as)?.fields.first()?;
        let (_, value) = field.arguments.iter().find(|(it, _)| it == name)?;
        Some(literal(value, &self.variables))
    }
}

/// A value of a document as JSON.
fn literal(value: &Literal<'static, String>, variables: &Map<String, Value>) -> Value {
    match value {
        Literal::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
        Literal::Int(it) => it.as_i64().into(),
        Literal::Float(it) => (*it).into(),
        Literal::Boolean(it) => (*it).into(),
        Literal::Null => Value::Null,
        Literal::String(it) | Literal::Enum(it) => it.as_str().into(),
        Literal::List(it) => it.iter().map(|it| literal(it, variables)).collect(),
        Literal::Object(it) => it
            .iter()
            .map(|(key, it)| (key.clone(), literal(it, variables)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// `runId` as `run_id`.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for it in name.chars() {
        if it.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(it.to_ascii_lowercase());
    }
    snake
}
