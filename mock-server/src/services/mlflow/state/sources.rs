//! Which artifact locations a client may name. A tracking server reads what a
//! location names, so MLflow refuses those that lead elsewhere.

use std::path::{Component, Path, PathBuf};

use axum::http::StatusCode;

use super::{
    registry::{latest_versions, registered, version, version_by_alias},
    search::is_prompt,
    versions::NewVersion,
};
use crate::{
    kernel::{Kind, Refusal},
    store::{LoggedModel, Model, Place, RegisteredModel, Run, Store},
};

/// What prompts have in place of a source: they have no files.
const PROMPT_PLACEHOLDERS: [&str; 2] = ["dummy-source", "prompt-template"];

/// Schemes that name the machine to connect to.
#[rustfmt::skip]
const ADDRESSED: [&str; 10] = [
    "abfss", "b2", "ftp", "hdfs", "http", "https", "mlflow-artifacts", "r2", "sftp", "viewfs",
];

/// Where the artifacts of runs and logged models are.
pub(in super::super) struct Locations<'f> {
    pub(in super::super) of_run: &'f dyn Fn(&Run) -> String,
    pub(in super::super) of_model: &'f dyn Fn(&LoggedModel) -> String,
}

/// The scheme of a URI, empty if it is a path.
pub(in super::super) fn scheme(uri: &str) -> &str {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let legal = |it: char| it.is_ascii_alphanumeric() || "+-.".contains(it);
    if scheme.chars().all(legal) { scheme } else { "" }
}

/// What stands between the scheme and the path.
fn authority(uri: &str) -> &str {
    let rest = uri.strip_prefix(scheme(uri)).unwrap_or(uri).trim_start_matches(':');
    rest.strip_prefix("//").map_or("", |it| it.split(['/', '?', '#']).next().unwrap_or_default())
}

fn path_of(uri: &str) -> &str {
    let rest = match scheme(uri) {
        "" => uri,
        scheme => &uri[scheme.len() + 1..],
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => rest,
    }
}

/// Refuses a location on a machine that is not the server's own store.
pub(super) fn check_host(field: &str, uri: &str) -> Result<(), Refusal> {
    let scheme = scheme(uri).to_ascii_lowercase();
    if !ADDRESSED.contains(&scheme.as_str())
        || (scheme == "mlflow-artifacts" && authority(uri).is_empty())
    {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "'{field}' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the tracking server's configured artifact storage, so the server would connect to the host named in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it."
    )))
}

/// Refuses a location for the artifacts of an experiment that is none.
pub(super) fn check_location(uri: &str) -> Result<(), Refusal> {
    if uri.contains('#') || uri.contains(';') {
        let text = "'artifact_location' URL can't include fragments or params.";
        return Err(Refusal::invalid(text));
    }
    check_host("artifact_location", uri)
}

/// The path that a local URI names, if it is local.
pub(in super::super) fn local_path(uri: &str) -> Result<Option<PathBuf>, Refusal> {
    match scheme(uri) {
        "" => Ok(Some(absolute(uri))),
        "file" => {
            let host = authority(uri);
            let is_here = host.is_empty()
                || host == "."
                || host.starts_with("localhost")
                || host.starts_with("127.0.0.1");
            if !is_here {
                let text = format!(
                    "{uri} is not a valid remote uri. For remote access on windows, please consider using a different scheme such as SMB (e.g. smb://<hostname>/<path>)."
                );
                let kind = Kind::Status(StatusCode::INTERNAL_SERVER_ERROR);
                return Err(Refusal::new(kind, text));
            }
            Ok(Some(absolute(path_of(uri))))
        }
        _ => Ok(None),
    }
}

/// `path` in full, without `.` and `..`.
fn absolute(path: &str) -> PathBuf {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let whole = std::path::absolute(Path::new(decoded.as_ref())).unwrap_or_default();
    let mut resolved = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            Component::CurDir => (),
            part => resolved.push(part),
        }
    }
    resolved
}

/// Which model a source names, if it is `models:/…`.
enum Named<'a> {
    Logged(&'a str),
    /// A name and a version, an alias or a stage.
    Registered(&'a str, &'a str),
}

fn model_of(source: &str) -> Result<Named<'_>, Refusal> {
    let path = source.trim_start_matches("models:").trim_start_matches('/').trim_end_matches('/');
    match path.split_once('/') {
        None if path.starts_with("m-") => Ok(Named::Logged(path)),
        Some((name, at)) if !name.is_empty() && !at.is_empty() => Ok(Named::Registered(name, at)),
        None if path.contains('@') => {
            let (name, alias) = path.split_once('@').unwrap_or_default();
            Ok(Named::Registered(name, alias))
        }
        _ => Err(elsewhere(source, "model_id")),
    }
}

fn elsewhere(source: &str, id: &str) -> Refusal {
    Refusal::invalid(format!(
        "Invalid model version source: '{source}'. The {id} request parameter must identify the resource that contains the source."
    ))
}

/// What comes of a source once it is accepted: the version that an alias stands
/// for, and ids that the request left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lineage {
    pub(super) source: String,
    pub(super) run_id: String,
    pub(super) model_id: String,
}

/// Refuses sources that the named run or model does not contain, and finds out
/// what a version of another model came from.
pub(super) fn check_source(
    store: &Store,
    place: &Place,
    new: &NewVersion,
    locations: &Locations<'_>,
) -> Result<Lineage, Refusal> {
    let source = new.source.as_str();
    let mut lineage = Lineage {
        source: new.source.clone(),
        run_id: new.run_id.clone(),
        model_id: new.model_id.clone(),
    };
    if new.is_prompt() {
        if !PROMPT_PLACEHOLDERS.contains(&source) {
            return Err(Refusal::invalid(format!(
                "Invalid prompt source: '{source}'. Prompt sources must use an MLflow placeholder."
            )));
        }
        return Ok(lineage);
    }
    // Azure ML keeps its files elsewhere and looks at less.
    if matches!(place, Place::AzureMl(_)) {
        check_steps(source)?;
        return Ok(lineage);
    }
    check_host("source", source)?;
    if scheme(source) == "models" {
        if !authority(source).is_empty() {
            return Err(Refusal::invalid(format!(
                "Invalid model version source: '{source}'. Registered model sources must use the active model registry."
            )));
        }
        if let Named::Registered(name, at) = model_of(source)? {
            let of = registered(store, name)?;
            if is_prompt(of) {
                return Err(Refusal::invalid(format!(
                    "Invalid model version source: '{source}'. Prompt versions cannot be used as model version sources."
                )));
            }
            let from = version_at(store, of, at)?;
            let run_id = from.run_id.as_deref().unwrap_or_default();
            let model_id = from.origin.model_id.as_deref().unwrap_or_default();
            if (!new.run_id.is_empty() && new.run_id != run_id)
                || (!new.model_id.is_empty() && new.model_id != model_id)
            {
                return Err(Refusal::invalid(format!(
                    "Invalid model version source: '{source}'. The run_id and model_id request parameters must match the referenced model version."
                )));
            }
            lineage.source = format!("models:/{name}/{}", from.version);
            run_id.clone_into(&mut lineage.run_id);
            model_id.clone_into(&mut lineage.model_id);
        }
    }
    check_owner(store, source, &lineage, locations)?;
    Ok(lineage)
}

/// The version with a number, an alias or a stage, or the latest of all.
fn version_at<'a>(
    store: &'a Store,
    of: &'a RegisteredModel,
    at: &str,
) -> Result<&'a Model, Refusal> {
    let name = of.name.as_str();
    if at.parse::<u64>().is_ok() {
        return Ok(version(store, name, at)?.0);
    }
    if at.eq_ignore_ascii_case("latest") || of.aliases.contains_key(at) {
        return Ok(version_by_alias(store, name, at)?.0);
    }
    let newest = latest_versions(store, name, &[at.to_owned()])?.0.into_iter().next();
    newest.ok_or_else(|| {
        let text = format!("No versions of model with name '{name}' and stage '{at}' found");
        Refusal::not_found(text)
    })
}

/// Refuses a source that is not within the artifacts of its model, else its run.
fn check_owner(
    store: &Store,
    source: &str,
    lineage: &Lineage,
    locations: &Locations<'_>,
) -> Result<(), Refusal> {
    let (run_id, model_id) = (lineage.run_id.as_str(), lineage.model_id.as_str());
    let of_model = !model_id.is_empty();
    let id = if of_model { "model_id" } else { "run_id" };
    let root = || -> Result<Option<String>, Refusal> {
        let lost = || elsewhere(source, id);
        if of_model {
            let model = store.logged_model(model_id).filter(|it| !it.is_deleted);
            return model.map(locations.of_model).ok_or_else(lost).map(Some);
        }
        if run_id.is_empty() {
            return Ok(None);
        }
        store.run(run_id).map(locations.of_run).map_err(|_| lost()).map(Some)
    };
    if let Some(path) = local_path(source)? {
        let has_id = of_model || !run_id.is_empty();
        let root = if has_id { root()? } else { None };
        let root = root.map(|it| local_path(&it)).transpose()?.flatten();
        if root.is_some_and(|it| path.starts_with(it)) {
            return Ok(());
        }
        let shown = if has_id { path.display().to_string() } else { source.to_owned() };
        return Err(Refusal::invalid(format!(
            "Invalid model version source: '{shown}'. To use a local path as a model version source, the {id} request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the {id}."
        )));
    }
    check_steps(source)?;
    match scheme(source) {
        "runs" => {
            if !authority(source).is_empty() {
                return Err(elsewhere(source, id));
            }
            let named = path_of(source).trim_start_matches('/').split('/').next();
            if of_model || run_id.is_empty() || named != Some(run_id) {
                return Err(elsewhere(source, id));
            }
        }
        "models" => {
            if let Named::Logged(named) = model_of(source)?
                && named != model_id
            {
                return Err(elsewhere(source, "model_id"));
            }
        }
        "mlflow-artifacts" if !root()?.is_some_and(|it| is_within(source, &it)) => {
            return Err(elsewhere(source, id));
        }
        _ => (),
    }
    Ok(())
}

/// Refuses sources that leave their place, or have none.
fn check_steps(source: &str) -> Result<(), Refusal> {
    let mut decoded = source.to_owned();
    loop {
        let plain = decoded.replace('+', " ");
        let again = percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned();
        if again == decoded {
            break;
        }
        decoded = again;
    }
    let path = path_of(&decoded).trim_end_matches('/');
    let leaves = decoded.split('/').any(|it| it == "..") || path.contains('\0');
    // A path that is not resolved becomes another one.
    let is_resolved = path.starts_with('/') && !path.split('/').any(|it| it == ".");
    if leaves || !is_resolved {
        return Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path."
        )));
    }
    Ok(())
}

fn is_within(uri: &str, root: &str) -> bool {
    let parts = |it| path_of(it).split('/').filter(|it| !it.is_empty());
    let mut below = parts(uri);
    scheme(uri) == scheme(root)
        && authority(uri) == authority(root)
        && parts(root).next().is_some()
        && parts(root).all(|it| below.next() == Some(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_taken_apart_as_a_uri() {
        for (uri, parts) in [
            ("/a/b", ("", "", "/a/b")),
            ("file:///a", ("file", "", "/a")),
            ("file://host/a", ("file", "host", "/a")),
            ("s3://bucket", ("s3", "bucket", "")),
            ("mlflow-artifacts:/1/x", ("mlflow-artifacts", "", "/1/x")),
            ("a b:/c", ("", "", "a b:/c")),
        ] {
            assert_eq!((scheme(uri), authority(uri), path_of(uri)), parts, "{uri}");
        }
    }

    #[test]
    fn a_source_may_not_leave_its_place() {
        for good in ["s3://b/a", "models:/m/1", "runs:/r/a/", "s3://b/a%20b"] {
            assert!(check_steps(good).is_ok(), "{good}");
        }
        for bad in ["s3://b", "s3://b/../a", "s3://b/%252e%252e/a", "s3://b/./a", "s3:/b/a%00"] {
            assert!(check_steps(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn within_is_told_by_whole_names() {
        let root = "mlflow-artifacts:/1/r/artifacts";
        assert!(is_within("mlflow-artifacts:/1/r/artifacts/m", root));
        assert!(is_within(root, root));
        for other in
            ["mlflow-artifacts:/1/r/artifactsX", "mlflow-artifacts:/1", "s3:/1/r/artifacts"]
        {
            assert!(!is_within(other, root), "{other}");
        }
    }

    #[test]
    fn a_local_path_is_resolved() {
        assert_eq!(local_path("file:///a/./b/../c").unwrap(), Some(PathBuf::from("/a/c")));
        assert_eq!(local_path("s3://b/a").unwrap(), None);
        assert!(local_path("file://elsewhere/a").is_err());
    }
}
