//! Written from the published API reference, never from the client crates.

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
        wire::{flag, millis, required},
    },
};

/// The most that an import takes.
const LIMIT: usize = 10 * 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct PathBody {
    path: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) recursive: bool,
    format: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) direct_download: bool,
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

fn not_emulated(format: &str) -> Refusal {
    Refusal::new(Kind::NotEmulated, format!("azml-mock does not emulate the format {format}"))
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
    /// Checks the body and finds out what it holds.
    pub(super) fn into_imported(self) -> Result<Imported, Refusal> {
        let mut path = normal(self.path.as_ref())?;
        let bytes = BASE64.decode(&self.content);
        let bytes =
            bytes.map_err(|err| Refusal::invalid(format!("content is not base64: {err}")))?;
        if LIMIT < bytes.len() {
            let text = format!(
                "File size imported is ({} bytes), exceeded max size ({LIMIT} bytes)",
                bytes.len()
            );
            return Err(Refusal::new(Kind::TooLarge, text).with_code("MAX_NOTEBOOK_SIZE_EXCEEDED"));
        }
        let utf8 = |bytes| {
            String::from_utf8(bytes).map_err(|_| Refusal::invalid("content is not UTF-8 text"))
        };
        let jupyter = |language| Form::Notebook { language, is_jupyter: true };
        let no_notebook = || Refusal::invalid("content is not a Jupyter notebook");
        match self.format.as_deref().unwrap_or("SOURCE") {
            "SOURCE" => {
                let language = required(self.language, "language")?;
                if !["PYTHON", "SQL", "SCALA", "R"].contains(&language.as_str()) {
                    return Err(Refusal::invalid(format!("Unknown language: {language}")));
                }
                let text = notebooks::with_header(utf8(bytes)?, &language);
                let form = Form::Notebook { language, is_jupyter: false };
                Ok(Imported { path, form, bytes: text.into_bytes() })
            }
            "JUPYTER" => {
                let text = utf8(bytes)?;
                let language = notebooks::language_of_jupyter(&text).ok_or_else(no_notebook)?;
                Ok(Imported { path, form: jupyter(language), bytes: text.into_bytes() })
            }
            "AUTO" => {
                let text = String::from_utf8_lossy(&bytes);
                let form = match notebooks::language_of_source(&path, &text) {
                    Some(language) => {
                        Form::Notebook { language: language.into(), is_jupyter: false }
                    }
                    None if Path::new(&path).extension().is_some_and(|it| it == "ipynb") => {
                        let found = notebooks::language_of_jupyter(&text);
                        jupyter(found.ok_or_else(no_notebook)?)
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
            "RAW" => Ok(Imported { path, form: Form::File, bytes }),
            other => Err(not_emulated(other)),
        }
    }
}

/// The bytes of an object in the form that the client wants, and their type.
pub(super) fn export(
    form: &Form,
    bytes: Vec<u8>,
    format: &str,
) -> Result<(Vec<u8>, &'static str), Refusal> {
    let Form::Notebook { language, is_jupyter } = form else { return Ok((bytes, "file")) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kind = match language.as_str() {
        "SQL" => "sql",
        "SCALA" => "scala",
        "R" => "r",
        _ => "py",
    };
    match (format, is_jupyter) {
        ("SOURCE" | "AUTO", false) => Ok((bytes, kind)),
        ("SOURCE", true) => Ok((notebooks::to_source(&text(&bytes), language).into_bytes(), kind)),
        ("JUPYTER" | "AUTO", true) => Ok((bytes, "ipynb")),
        ("JUPYTER", false) => {
            Ok((notebooks::to_jupyter(&text(&bytes), language).into_bytes(), "ipynb"))
        }
        (other, _) => Err(not_emulated(other)),
    }
}

pub(super) fn describe_export(bytes: &[u8], file_type: &str) -> Value {
    json!({ "content": BASE64.encode(bytes), "file_type": file_type })
}

pub(super) fn describe(path: &str, it: &Object) -> Value {
    let kind = match it.form {
        Form::Directory => "DIRECTORY",
        Form::Notebook { .. } => "NOTEBOOK",
        Form::File => "FILE",
    };
    let mut answer = json!({
        "object_id": it.object_id,
        "object_type": kind,
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
