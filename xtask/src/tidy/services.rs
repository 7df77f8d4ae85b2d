//! Rule on the mock cloud: a service is a folder of the same five names.
//!
//! One that has nothing to remember has no `state`. Services that belong
//! together lie in one folder, beside what they share; it may be the folder of
//! a service itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, Tree};

const ROOT: &str = "mock-server/src/services/";
const NAMES: &[&str] = &["mod", "routes", "wire", "state", "tests"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let mut folders: BTreeMap<String, Entries> = BTreeMap::new();
    for file in tree.below(ROOT).filter(|file| file.is("rs")) {
        let inside = &file.path[ROOT.len()..];
        let parts: Vec<_> = inside.split('/').collect();
        let mut folder = String::new();
        for (depth, part) in parts.iter().enumerate() {
            let entries = folders.entry(folder.clone()).or_default();
            if depth + 1 == parts.len() {
                entries.files.insert(part.trim_end_matches(".rs").to_owned());
                break;
            }
            entries.folders.insert((*part).to_owned());
            // What a large part is divided into is its own affair.
            if NAMES.contains(part) {
                break;
            }
            folder =
                if folder.is_empty() { (*part).to_owned() } else { format!("{folder}/{part}") };
        }
    }
    let services: BTreeSet<&str> = folders
        .iter()
        .filter(|(_, entries)| entries.is_service())
        .map(|(folder, _)| folder.as_str())
        .collect();
    for (folder, entries) in &folders {
        let place = format!("{ROOT}{folder}");
        let place = place.trim_end_matches('/');
        if entries.is_service() {
            let is_nested = |name: &str| services.contains(format!("{folder}/{name}").as_str());
            entries.check_service(place, is_nested, findings);
        } else {
            entries.check_group(place, folder.is_empty(), findings);
        }
    }
}

#[derive(Default)]
struct Entries {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Entries {
    fn has(&self, name: &str) -> bool {
        self.files.contains(name) || self.folders.contains(name)
    }

    fn is_service(&self) -> bool {
        self.has("routes") || self.has("state")
    }

    fn check_service(
        &self,
        folder: &str,
        is_nested: impl Fn(&str) -> bool,
        findings: &mut Findings,
    ) {
        for name in NAMES.iter().filter(|name| **name != "state" && !self.has(name)) {
            findings.error(folder, format_args!("a service without {name}.rs"));
        }
        for name in self.files.union(&self.folders) {
            if !NAMES.contains(&name.as_str()) && !is_nested(name) {
                findings
                    .error(folder, format_args!("{name} is none of the five names of a service"));
            }
        }
    }

    fn check_group(&self, folder: &str, is_root: bool, findings: &mut Findings) {
        if !self.files.contains("mod") {
            findings.error(folder, "a group without mod.rs");
        }
        for name in self.files.iter().filter(|name| is_root && *name != "mod") {
            findings.error(folder, format_args!("{name}.rs: what services share is a folder too"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::tree, *};

    fn errors(paths: &[&str]) -> Vec<String> {
        let mut findings = Findings::default();
        let paths: Vec<String> = paths.iter().map(|path| format!("{ROOT}{path}")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        check(&tree(&files), &mut findings);
        findings.errors
    }

    #[test]
    fn a_service_has_five_names_and_large_ones_are_folders() {
        let found = errors(&[
            "mod.rs",
            "databricks/mod.rs",
            "databricks/jobs/mod.rs",
            "databricks/jobs/routes.rs",
            "databricks/jobs/state/mod.rs",
            "databricks/jobs/state/anything.rs",
            "databricks/jobs/extra.rs",
        ]);
        assert_eq!(
            found,
            [
                "mock-server/src/services/databricks/jobs: a service without wire.rs",
                "mock-server/src/services/databricks/jobs: a service without tests.rs",
                "mock-server/src/services/databricks/jobs: extra is none of the five names of a \
                 service",
            ]
        );
    }

    #[test]
    fn a_group_has_what_its_services_share_and_may_be_a_service() {
        let found = errors(&[
            "mod.rs",
            "azure.rs",
            "databricks/gate.rs",
            "arm/mod.rs",
            "arm/routes.rs",
            "arm/wire.rs",
            "arm/state.rs",
            "arm/tests.rs",
            "arm/metadata/mod.rs",
            "arm/metadata/routes.rs",
            "arm/metadata/wire.rs",
            "arm/metadata/tests.rs",
        ]);
        assert_eq!(
            found,
            [
                "mock-server/src/services: azure.rs: what services share is a folder too",
                "mock-server/src/services/databricks: a group without mod.rs",
            ]
        );
    }
}
