//! Rule on the clients' calls: each has a fixture, and the mock cloud has it too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Findings, TextFile, Tree};

const DECLARATION: &str = "const NAME: &'static str";

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let operations = operations(tree);
    let shown = shown(tree, &operations);
    let mocked = mocked(tree);
    for (name, place) in &operations {
        if !shown.contains(name.as_str()) {
            findings.error(
                place,
                format_args!("{name} has no fixture (\"operation\": \"{name}\" in fixtures/)"),
            );
        }
        if !mocked.contains(name.as_str()) {
            findings.error(place, format_args!("{name} is no operation of the mock cloud"));
        }
    }
}

/// The name of each operation of the clients, and where it is declared.
fn operations(tree: &Tree) -> BTreeMap<String, String> {
    let mut operations = BTreeMap::new();
    // How the tests sign in is no call of a client.
    let of_clients = |file: &&TextFile| file.is("rs") && !file.path.starts_with("crates/testkit/");
    for file in tree.below("crates/").filter(of_clients) {
        let source = file.source();
        for (at, _) in source.code.match_indices(DECLARATION) {
            let Some(name) = literal(&source.text[at + DECLARATION.len()..]) else { continue };
            // Unit tests of the seam make up calls of their own.
            if name.starts_with("test.") {
                continue;
            }
            let place = format!("{}:{}", file.path, source.line_of(at));
            operations.insert(name.to_owned(), place);
        }
    }
    operations
}

/// The text in ` = "text"`.
fn literal(text: &str) -> Option<&str> {
    let text = text.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    text.split('"').next()
}

/// The operations that some fixture shows: by its key `operation`, or by its
/// path (`databricks/clusters/get-missing` shows `databricks.clusters.get`).
fn shown<'a>(tree: &Tree, operations: &'a BTreeMap<String, String>) -> BTreeSet<&'a str> {
    let mut shown = BTreeSet::new();
    for file in tree.below("fixtures/").filter(|file| file.is("json")) {
        let fixture: Value = serde_json::from_str(&file.text).unwrap_or_default();
        if let Some(named) = fixture["operation"].as_str() {
            shown.extend(operations.keys().map(String::as_str).filter(|name| *name == named));
            continue;
        }
        let path = dotted(file.path["fixtures/".len()..].trim_end_matches(".json"));
        // The longest name, because `get` begins `get-output` too.
        let by_path =
            operations.keys().filter(|name| is_shown_by(name, &path)).max_by_key(|it| it.len());
        shown.extend(by_path.map(String::as_str));
    }
    shown
}

fn is_shown_by(name: &str, path: &str) -> bool {
    path.strip_prefix(&dotted(name)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn dotted(text: &str) -> String {
    text.replace(['/', '-', '_'], ".")
}

/// All words in quotes in the route tables of the mock cloud.
fn mocked(tree: &Tree) -> BTreeSet<&str> {
    let tables = tree
        .below("mock-server/src/")
        .filter(|file| file.path.ends_with("/routes.rs") || file.path.contains("/routes/"));
    tables
        .flat_map(|file| file.text.split('"'))
        .filter(|it| !it.contains(char::is_whitespace))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::tree, *};

    const OPS: &str = r#"
        impl Operation for Get { const NAME: &'static str = "databricks.jobs.runs.get"; }
        impl Operation for GetOutput { const NAME: &'static str =
            "databricks.jobs.runs.get_output"; }
        impl Operation for Ping { const NAME: &'static str = "test.ping"; }
        // const NAME: &'static str = "in.a.comment";
    "#;
    const ROUTES: &str = r#"Route::get("databricks.jobs.runs.get", "/api/2.1/jobs/runs/get")"#;

    #[test]
    fn an_operation_without_fixture_or_mock_is_named() {
        let mut findings = Findings::default();
        let files = [
            ("crates/databricks/src/jobs/ops.rs", OPS),
            ("crates/testkit/src/sign_in.rs", r#"const NAME: &'static str = "a.b";"#),
            ("fixtures/databricks/jobs/runs-get-output.json", r#"{"origin": "x"}"#),
            ("mock-server/src/services/databricks/jobs/routes.rs", ROUTES),
        ];
        check(&tree(&files), &mut findings);
        assert_eq!(
            findings.errors,
            [
                "crates/databricks/src/jobs/ops.rs:2: databricks.jobs.runs.get has no fixture \
                 (\"operation\": \"databricks.jobs.runs.get\" in fixtures/)",
                "crates/databricks/src/jobs/ops.rs:3: databricks.jobs.runs.get_output is no \
                 operation of the mock cloud",
            ]
        );
    }

    #[test]
    fn a_fixture_shows_the_operation_it_names_whatever_it_is_called() {
        let mut findings = Findings::default();
        let files = [
            ("crates/databricks/src/jobs/ops.rs", r#"const NAME: &'static str = "a.b.c";"#),
            ("fixtures/x.json", r#"{"origin": "x", "operation": "a.b.c"}"#),
            ("mock-server/src/services/a/routes/b.rs", r#"Route::get("a.b.c", "/c")"#),
        ];
        check(&tree(&files), &mut findings);
        assert_eq!(findings.errors, Vec::<String>::new());
    }
}
