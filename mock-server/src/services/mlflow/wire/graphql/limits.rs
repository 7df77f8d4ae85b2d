//! How much one document may ask for.

use std::collections::HashMap;

use graphql_parser::query::{Definition, Document, OperationDefinition, SelectionSet};

use super::document::{Fragments, level};

const MOST_ROOT_FIELDS: usize = 10;
const MOST_ALIASES: usize = 10;
const DEEPEST: usize = 10;
const MOST_SELECTIONS: usize = 1000;

/// Refuses a document that asks for too much, in the words of the server.
pub(super) fn check<'d>(document: &'d Document<'static, String>) -> Result<(), String> {
    let mut fragments: Fragments<'d> = HashMap::new();
    for it in &document.definitions {
        if let Definition::Fragment(it) = it {
            fragments.insert(&it.name, it);
        }
    }
    let (mut roots, mut aliases, mut selections) = (0, 0, 0);
    for it in &document.definitions {
        let Definition::Operation(operation) = it else { continue };
        let mut waiting: Vec<(&'d SelectionSet<'static, String>, usize)> =
            vec![(set(operation), 1)];
        while let Some((set, depth)) = waiting.pop() {
            if DEEPEST < depth {
                return Err(format!("Query exceeds maximum depth of {DEEPEST}"));
            }
            let fields = level(set, &fragments);
            aliases = aliases.max(fields.iter().filter(|it| it.alias.is_some()).count());
            for field in fields {
                roots += usize::from(depth == 1);
                if !field.selection_set.items.is_empty() {
                    waiting.push((&field.selection_set, depth + 1));
                }
                selections += 1;
                if MOST_SELECTIONS < selections {
                    return Err(format!(
                        "Query exceeds maximum total selections of {MOST_SELECTIONS}"
                    ));
                }
            }
        }
    }
    let too_many = |limit: usize, what: &str, count: usize, variable: &str| {
        format!(
            "GraphQL queries should have at most {limit} {what}, got {count} {what}. To increase the limit, set the {variable} environment variable."
        )
    };
    if MOST_ROOT_FIELDS < roots {
        let variable = "MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS";
        return Err(too_many(MOST_ROOT_FIELDS, "root fields", roots, variable));
    }
    if MOST_ALIASES < aliases {
        let variable = "MLFLOW_SERVER_GRAPHQL_MAX_ALIASES";
        return Err(too_many(MOST_ALIASES, "aliases", aliases, variable));
    }
    Ok(())
}

fn set<'d>(
    operation: &'d OperationDefinition<'static, String>,
) -> &'d SelectionSet<'static, String> {
    match operation {
        OperationDefinition::SelectionSet(it) => it,
        OperationDefinition::Query(it) => &it.selection_set,
        OperationDefinition::Mutation(it) => &it.selection_set,
        OperationDefinition::Subscription(it) => &it.selection_set,
    }
}
