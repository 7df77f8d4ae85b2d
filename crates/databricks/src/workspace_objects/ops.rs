use azml_core::{Error, ErrorKind, Operation, Request, Response, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{ExportFormat, ImportOptions, Language, WorkspaceObject, WorkspacePath, wire};
use crate::{
    fault,
    wire::{get, post},
};

/// The most that the service takes.
const MAX_CONTENT: usize = 10 * 1024 * 1024;

pub(super) struct Import<'a> {
    pub(super) path: &'a WorkspacePath,
    pub(super) content: Bytes,
    pub(super) options: &'a ImportOptions,
}

impl Operation for Import<'_> {
    const NAME: &'static str = "databricks.workspace.import";
    // Whoever must not overwrite would rather hear of his own object than lose it.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let ImportOptions { format, language, overwrite } = self.options;
        if self.content.len() > MAX_CONTENT {
            let reason =
                format!("content: has {} bytes and at most 10 MiB go in", self.content.len());
            return Err(Error::invalid(Self::NAME, reason));
        }
        if *format == ExportFormat::Source && language.is_none() {
            return Err(Error::invalid(
                Self::NAME,
                "language: is missing; the form SOURCE needs it",
            ));
        }
        let body = wire::ImportRequest {
            path: self.path.as_str(),
            content: STANDARD.encode(&self.content),
            format: format.as_str(),
            language: language.as_ref().map(Language::as_str),
            overwrite: *overwrite,
        };
        post(Self::NAME, base, "/api/2.0/workspace/import", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Export<'a> {
    pub(super) path: &'a WorkspacePath,
    pub(super) format: &'a ExportFormat,
}

impl Operation for Export<'_> {
    const NAME: &'static str = "databricks.workspace.export";
    const IDEMPOTENT: bool = true;
    type Output = Bytes;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/workspace/export")
            .query("path", self.path)
            .query("format", self.format)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Bytes> {
        let body: wire::ExportResponse = fault::read(Self::NAME, &response)?;
        let content = STANDARD.decode(body.content);
        content.map(Into::into).map_err(|err| Error::local(Self::NAME, ErrorKind::Decode, err))
    }
}

pub(super) struct GetStatus<'a>(pub(super) &'a WorkspacePath);

impl Operation for GetStatus<'_> {
    const NAME: &'static str = "databricks.workspace.get_status";
    const IDEMPOTENT: bool = true;
    type Output = WorkspaceObject;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/workspace/get-status").query("path", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<WorkspaceObject> {
        fault::read::<wire::WireObject>(Self::NAME, &response)?.into_domain(Self::NAME)
    }
}

pub(super) struct List<'a>(pub(super) &'a WorkspacePath);

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.workspace.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<WorkspaceObject>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/workspace/list").query("path", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<Vec<WorkspaceObject>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        body.objects.into_iter().map(|it| it.into_domain(Self::NAME)).collect()
    }
}

pub(super) struct Mkdirs<'a>(pub(super) &'a WorkspacePath);

impl Operation for Mkdirs<'_> {
    const NAME: &'static str = "databricks.workspace.mkdirs";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::MkdirsRequest { path: self.0.as_str() };
        post(Self::NAME, base, "/api/2.0/workspace/mkdirs", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Delete<'a> {
    pub(super) path: &'a WorkspacePath,
    pub(super) recursive: bool,
}

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.workspace.delete";
    // A repeat would be told that the object does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::DeleteRequest { path: self.path.as_str(), recursive: self.recursive };
        post(Self::NAME, base, "/api/2.0/workspace/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testing::check,
        workspace_objects::{ObjectId, ObjectKind},
    };

    #[test]
    fn every_call_is_as_saved() {
        let path: WorkspacePath = "/Shared/train".parse().unwrap();
        let folder: WorkspacePath = "/Shared".parse().unwrap();
        let content = Bytes::from("# Databricks notebook source\nprint(1)\n");
        let options = ImportOptions::source(Language::Python).with_overwrite(true);

        let import = Import { path: &path, content: content.clone(), options: &options };
        check("workspace/import", &import).unwrap();
        let export = Export { path: &path, format: &ExportFormat::Source };
        assert_eq!(check("workspace/export", &export).unwrap(), content);
        let object = check("workspace/get-status", &GetStatus(&path)).unwrap();
        assert_eq!(object.path, path);
        assert_eq!(object.kind, ObjectKind::Notebook);
        assert_eq!(object.object_id, Some(ObjectId::new(1_234_567)));
        let found = check("workspace/list", &List(&folder)).unwrap();
        assert_eq!(found[0].kind, ObjectKind::Directory);
        assert_eq!(found[1], object);
        check("workspace/mkdirs", &Mkdirs(&folder)).unwrap();
        check("workspace/delete", &Delete { path: &path, recursive: false }).unwrap();
    }

    #[test]
    fn every_form_and_every_refusal_is_as_saved() {
        let path =
            |name: &str| -> WorkspacePath { format!("/Shared/wine/{name}").parse().unwrap() };
        let (train, config, notes) = (path("train"), path("config.yml"), path("notes.txt"));
        for (name, format) in [
            ("export-auto", ExportFormat::Auto),
            ("export-dbc", ExportFormat::Dbc),
            ("export-html", ExportFormat::Html),
            ("export-jupyter", ExportFormat::Jupyter),
        ] {
            let export = Export { path: &train, format: &format };
            assert!(!check(&format!("workspace/{name}"), &export).unwrap().is_empty());
        }
        let export = Export { path: &config, format: &ExportFormat::Raw };
        assert_eq!(check("workspace/export-raw", &export).unwrap(), "a: 1\n");

        let (auto, raw) = (ImportOptions::auto(), ImportOptions::new(ExportFormat::Raw));
        let import = Import { path: &notes, content: Bytes::from("hello"), options: &auto };
        check("workspace/import-auto", &import).unwrap();
        let import = Import { path: &config, content: Bytes::from("a: 1\n"), options: &raw };
        check("workspace/import-raw", &import).unwrap();
        let source = Bytes::from("# Databricks notebook source\nprint(1)\n");
        let python = ImportOptions::source(Language::Python);
        let import = Import { path: &train, content: source, options: &python };
        let err = check("workspace/import-exists", &import).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Conflict);
        let folder =
            check("workspace/get-status-directory", &GetStatus(&"/Shared/wine".parse().unwrap()));
        assert_eq!(folder.unwrap().kind, ObjectKind::Directory);
    }

    #[test]
    fn a_folder_that_is_not_empty_is_a_conflict() {
        let path: WorkspacePath = "/Shared".parse().unwrap();
        let err = check("workspace/delete-not-empty", &Delete { path: &path, recursive: false });
        assert_eq!(err.unwrap_err().kind(), ErrorKind::Conflict);
    }

    #[test]
    fn a_source_without_a_language_is_refused() {
        let path: WorkspacePath = "/a".parse().unwrap();
        let options = ImportOptions { language: None, ..ImportOptions::source(Language::Sql) };
        let import = Import { path: &path, content: Bytes::new(), options: &options };
        let err = import.encode("https://adb-1.test").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }
}
