//! Rules on `fixtures/`: each exchange says where it comes from.

use serde_json::Value;

use super::{Findings, Tree};

/// Folders of `fixtures/` whose files are given to programs as they are.
const GIVEN: &[&str] = &["config", "data", "notebooks", "python", "scripts"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for file in tree.below("fixtures/").filter(|file| file.is("json")) {
        if file.parts().get(1).is_some_and(|folder| GIVEN.contains(folder)) {
            continue;
        }
        match serde_json::from_str::<Value>(&file.text) {
            Err(err) => findings.error(&file.path, format_args!("not JSON: {err}")),
            Ok(fixture) if fixture["origin"].as_str().is_none_or(|it| it.trim().is_empty()) => {
                findings.error(&file.path, "no \"origin\": say which document or SDK shows it");
            }
            Ok(_) => {}
        }
    }
    let mut data = tree.below("fixtures/data/").peekable();
    if data.peek().is_some() && data.all(|file| file.path != "fixtures/data/README.md") {
        findings.error("fixtures/data", "no README.md with origin and licence of the data");
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::tree, *};

    #[test]
    fn an_exchange_without_origin_is_refused_and_given_files_are_left_alone() {
        let mut findings = Findings::default();
        let files = [
            ("fixtures/arm/a.json", r#"{"origin": "azureml-core 1.61, recorded"}"#),
            ("fixtures/arm/b.json", r#"{"origin": " "}"#),
            ("fixtures/arm/c.json", "{"),
            ("fixtures/config/no-key.json", "{"),
            ("fixtures/data/wine.csv", "a;b"),
        ];
        check(&tree(&files), &mut findings);
        assert_eq!(
            findings.errors,
            [
                "fixtures/arm/b.json: no \"origin\": say which document or SDK shows it",
                "fixtures/arm/c.json: not JSON: EOF while parsing an object at line 1 column 1",
                "fixtures/data: no README.md with origin and licence of the data",
            ]
        );
    }
}
