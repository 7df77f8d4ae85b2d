//! Written from the published API reference, never from the client crates.

pub(super) mod html;
pub(super) mod notebooks;

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Form, Object, plain};
use crate::{
    kernel::{Kind, Refusal},
    services::databricks::{
        paths,
        wire::{flag, millis, number, required},
    },
};

/// The most that an import in JSON takes, and any notebook.
const LIMIT: usize = 10 * 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct PathBody {
    path: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) recursive: bool,
    format: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) direct_download: bool,
    #[serde(default, deserialize_with = "number")]
    pub(super) notebooks_modified_after: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct ImportBody {
    path: Option<String>,
    format: Option<String>,
    language: Option<String>,
    #[serde(default)]
    content: String,
    #[serde(default, deserialize_with = "flag")]
    pub(super) overwrite: bool,
}

/// What an import comes to.
pub(super) struct Imported {
    pub(super) path: String,
    pub(super) form: Form,
    pub(super) bytes: Vec<u8>,
}

fn normal(path: Option<&String>) -> Result<String, Refusal> {
    paths::normal(plain(required(path, "path")?))
}

/// A format that the mock lacks, or nobody has.
fn unusable(format: &str) -> Refusal {
    if ["DBC", "R_MARKDOWN"].contains(&format) {
        let text = format!("azml-mock does not emulate the format {format}");
        return Refusal::new(Kind::NotEmulated, text);
    }
    Refusal::invalid(format!("The format {format} cannot be used here"))
}

fn too_large(len: usize) -> Refusal {
    let text = format!("File size imported is ({len} bytes), exceeded max size ({LIMIT} bytes)");
    Refusal::new(Kind::TooLarge, text).with_code("MAX_NOTEBOOK_SIZE_EXCEEDED")
}

impl PathBody {
    pub(super) fn path(&self) -> Result<String, Refusal> {
        normal(self.path.as_ref())
    }

    pub(super) fn format(&self) -> &str {
        self.format.as_deref().unwrap_or("SOURCE")
    }
}

impl ImportBody {
    /// The bytes in the body itself.
    pub(super) fn content(&self) -> Result<Vec<u8>, Refusal> {
        // Clients break long lines.
        let text: String = self.content.split_ascii_whitespace().collect();
        let bytes = BASE64.decode(text);
        let bytes =
            bytes.map_err(|err| Refusal::invalid(format!("content is not base64: {err}")))?;
        if LIMIT < bytes.len() { Err(too_large(bytes.len())) } else { Ok(bytes) }
    }

    /// Finds out what `bytes` are and where they belong.
    pub(super) fn into_imported(self, bytes: Vec<u8>) -> Result<Imported, Refusal> {
        let path = normal(self.path.as_ref())?;
        let imported = match self.format.as_deref().unwrap_or("SOURCE") {
            "SOURCE" => source(path, self.language, bytes)?,
            "HTML" => page(path, bytes)?,
            "JUPYTER" => {
                let (language, bytes) = jupyter(bytes)?;
                let form = Form::Notebook { language, is_jupyter: true };
                Imported { path, form, bytes }
            }
            "AUTO" => by_content(path, bytes)?,
            "RAW" => Imported { path, form: Form::File, bytes },
            other => return Err(unusable(other)),
        };
        if imported.form != Form::File && LIMIT < imported.bytes.len() {
            return Err(too_large(imported.bytes.len()));
        }
        Ok(imported)
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| Refusal::invalid("content is not UTF-8 text"))
}

fn source(path: String, language: Option<String>, bytes: Vec<u8>) -> Result<Imported, Refusal> {
    let language = required(language, "language")?;
    if !["PYTHON", "SQL", "SCALA", "R"].contains(&language.as_str()) {
        return Err(Refusal::invalid(format!("Unknown language: {language}")));
    }
    let text = notebooks::with_header(utf8(bytes)?, &language);
    let form = Form::Notebook { language, is_jupyter: false };
    Ok(Imported { path, form, bytes: text.into_bytes() })
}

fn page(path: String, bytes: Vec<u8>) -> Result<Imported, Refusal> {
    let no_notebook = || Refusal::invalid("content is not a notebook that was exported as HTML");
    let (language, text) = html::notebook(&utf8(bytes)?).ok_or_else(no_notebook)?;
    let form = Form::Notebook { language, is_jupyter: false };
    Ok(Imported { path, form, bytes: text.into_bytes() })
}

fn jupyter(bytes: Vec<u8>) -> Result<(String, Vec<u8>), Refusal> {
    let text = utf8(bytes)?;
    let no_notebook = || Refusal::invalid("content is not a Jupyter notebook");
    let language = notebooks::language_of_jupyter(&text).ok_or_else(no_notebook)?;
    Ok((language, text.into_bytes()))
}

/// A notebook by its first line or its extension, which it loses; else a file.
fn by_content(mut path: String, mut bytes: Vec<u8>) -> Result<Imported, Refusal> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]);
    let form = match notebooks::language_of_source(&path, &head) {
        Some(language) => Form::Notebook { language: language.into(), is_jupyter: false },
        None if Path::new(&path).extension().is_some_and(|it| it == "ipynb") => {
            let language;
            (language, bytes) = jupyter(bytes)?;
            Form::Notebook { language, is_jupyter: true }
        }
        None => Form::File,
    };
    if form != Form::File
        && let Some(end) = path.rfind('.')
    {
        path.truncate(end);
    }
    Ok(Imported { path, form, bytes })
}

/// The bytes of an object in the form that the client wants, and their type.
pub(super) fn export(
    path: &str,
    form: &Form,
    bytes: Vec<u8>,
    format: &str,
) -> Result<(Vec<u8>, &'static str), Refusal> {
    let Form::Notebook { language, is_jupyter } = form else {
        return match format {
            "SOURCE" | "AUTO" | "RAW" => Ok((bytes, "file")),
            other => Err(unusable(other)),
        };
    };
    let text = String::from_utf8_lossy(&bytes);
    let source = || match is_jupyter {
        true => notebooks::to_source(&text, language),
        false => text.clone().into_owned(),
    };
    let kind = match language.as_str() {
        "SQL" => "sql",
        "SCALA" => "scala",
        "R" => "r",
        _ => "py",
    };
    match (format, is_jupyter) {
        ("SOURCE", _) | ("AUTO", false) => Ok((source().into_bytes(), kind)),
        ("JUPYTER" | "AUTO", true) => Ok((bytes, "ipynb")),
        ("JUPYTER", false) => Ok((notebooks::to_jupyter(&text, language).into_bytes(), "ipynb")),
        ("HTML", _) => {
            let name = path.rsplit('/').next().unwrap_or_default();
            Ok((html::page(name, &source(), language).into_bytes(), "html"))
        }
        (other, _) => Err(unusable(other)),
    }
}

pub(super) fn describe_export(bytes: &[u8], file_type: &str) -> Value {
    json!({ "content": BASE64.encode(bytes), "file_type": file_type })
}

pub(super) fn describe(path: &str, it: &Object) -> Value {
    let mut answer = json!({
        "object_id": it.object_id,
        "object_type": it.form.name(),
        "path": path,
        "resource_id": it.object_id.to_string(),
    });
    if let Form::Notebook { language, .. } = &it.form {
        answer["language"] = json!(language);
    }
    if it.form != Form::Directory {
        answer["created_at"] = json!(millis(it.created_at));
        answer["modified_at"] = json!(millis(it.modified_at));
    }
    if it.form == Form::File {
        answer["size"] = json!(it.size);
    }
    answer
}
