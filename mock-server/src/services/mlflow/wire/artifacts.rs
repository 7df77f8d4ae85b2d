use serde_json::{Value, json};

/// One file or folder of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services::mlflow) struct FileInfo {
    pub(in crate::services::mlflow) path: String,
    /// `None` for a folder.
    pub(in crate::services::mlflow) size: Option<u64>,
}

/// A listing of files. Nothing is left of an empty one.
pub(in crate::services::mlflow) fn files_json(root_uri: Option<&str>, files: &[FileInfo]) -> Value {
    let file = |it: &FileInfo| match it.size {
        // What is 0 is left out.
        Some(0) => json!({ "path": it.path, "is_dir": false }),
        Some(size) => json!({ "path": it.path, "is_dir": false, "file_size": size }),
        None => json!({ "path": it.path, "is_dir": true }),
    };
    let mut shown = json!({});
    super::put_text(&mut shown, "root_uri", root_uri);
    super::put_list(&mut shown, "files", files.iter().map(file).collect());
    shown
}
