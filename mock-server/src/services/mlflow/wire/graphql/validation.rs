//! Whether a document asks for what there is.

use graphql_parser::query::SelectionSet;

use super::{
    document::{Fragments, grouped},
    schema::Type,
};

/// Everything that is wrong with `selections`. The depth is limited already.
pub(super) fn errors<'d>(
    of: &'static Type,
    selections: &'d SelectionSet<'static, String>,
    fragments: &Fragments<'d>,
) -> Vec<String> {
    let mut errors = Vec::new();
    let mut waiting = vec![(of, vec![selections])];
    while let Some((of, sets)) = waiting.pop() {
        for it in grouped(sets.into_iter(), fragments) {
            let (name, type_name) = (it.name, of.name);
            if name == "__typename" {
                continue;
            }
            let Some(kind) = of.field(name) else {
                errors.push(format!("Cannot query field '{name}' on type '{type_name}'."));
                continue;
            };
            let below: Vec<_> = it.fields.iter().map(|it| &it.selection_set).collect();
            let is_empty = below.iter().all(|it| it.items.is_empty());
            match kind.object() {
                Some(object) if is_empty => errors.push(format!(
                    "Field '{name}' of type '{}' must have a selection of subfields. Did you mean '{name} {{ ... }}'?",
                    object.name
                )),
                Some(object) => waiting.push((object, below)),
                None if !is_empty => errors.push(format!(
                    "Field '{name}' must not have a selection since type '{}' has no subfields.",
                    kind.name()
                )),
                None => (),
            }
        }
    }
    errors
}
