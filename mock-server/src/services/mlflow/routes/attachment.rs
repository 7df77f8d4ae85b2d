//! One file on its way to a client: as an attachment, whole or in part.

use std::{fs::File, io};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use unicode_normalization::UnicodeNormalization;

use super::root::Tree;
use crate::{
    kernel::{Kind, Refusal},
    services::blob,
};

/// The bytes of a file, for a browser to save.
pub(super) async fn sent(tree: &Tree, path: &str, asked: &HeaderMap) -> Result<Response, Refusal> {
    let name = format!("{}{path}", tree.prefix);
    if tree.folder.path().join(&name).is_dir() {
        let text = format!("Artifact path refers to a directory, not a file: '{name}'");
        return Err(Refusal::invalid(text));
    }
    let unusable =
        |err: io::Error| Refusal::new(Kind::Unrecorded, format!("the file cannot be read: {err}"));
    let file = match File::open(tree.folder.locate(&name)) {
        Err(err)
            if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Err(Refusal::not_found(format!("No such artifact: '{name}'")));
        }
        other => other.map_err(unusable)?,
    };
    let length = file.metadata().map_err(unusable)?.len();
    let part = part(asked, length);
    let (offset, count) = part.unwrap_or((0, length));
    if part.is_some() && count == 0 {
        let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
        return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
    }
    let body = blob::bodies::send(file, offset, count).await?;
    let base = path.rsplit('/').next().unwrap_or(path);
    let headers = [
        (header::CONTENT_TYPE, kind_of(base).to_owned()),
        (header::CONTENT_LENGTH, count.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_DISPOSITION, attachment(base)),
    ];
    if part.is_none() {
        return Ok((headers, body).into_response());
    }
    let range = format!("bytes {offset}-{}/{length}", offset + count - 1);
    let range = [(header::CONTENT_RANGE, range)];
    Ok((StatusCode::PARTIAL_CONTENT, range, headers, body).into_response())
}

/// Offset and length of the part that is asked for, `None` for the whole. A
/// range that cannot be read does not count; one beyond the end is empty.
fn part(asked: &HeaderMap, length: u64) -> Option<(u64, u64)> {
    let range = asked.get(header::RANGE)?.to_str().ok()?;
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |it: &str| it.trim().parse::<u64>().ok();
    let (first, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(length)),
        (Some(first), None) if last.trim().is_empty() => (first, length),
        (None, Some(count)) if first.trim().is_empty() => (length.saturating_sub(count), length),
        _ => return None,
    };
    Some((first, end.saturating_sub(first)))
}

/// A name that is not ASCII is sent twice: near enough, and exactly.
fn attachment(name: &str) -> String {
    const EXACT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'!')
        .remove(b'#')
        .remove(b'$')
        .remove(b'&')
        .remove(b'+')
        .remove(b'-')
        .remove(b'.')
        .remove(b'^')
        .remove(b'_')
        .remove(b'`')
        .remove(b'|')
        .remove(b'~');
    let ascii: String = name.nfkd().filter(char::is_ascii).collect();
    let plain = |it: char| it.is_ascii_alphanumeric() || "!#$&+-.^_`|~%'*".contains(it);
    let near = if !ascii.is_empty() && ascii.chars().all(plain) {
        ascii.clone()
    } else {
        format!("\"{}\"", ascii.replace('\\', "\\\\").replace('"', "\\\""))
    };
    if ascii == name {
        return format!("attachment; filename={near}");
    }
    let exact = percent_encoding::utf8_percent_encode(name, EXACT);
    format!("attachment; filename={near}; filename*=UTF-8''{exact}")
}

/// The kind of a file by the end of its name. What is text is shown as text.
fn kind_of(name: &str) -> &'static str {
    // A name without a dot is its own ending.
    match name.rsplit('.').next().unwrap_or_default() {
        "txt" | "log" | "err" | "cfg" | "conf" | "cnf" | "cf" | "ini" | "properties" | "prop"
        | "hocon" | "toml" | "yaml" | "yml" | "xml" | "json" | "js" | "py" | "py3" | "csv"
        | "tsv" | "md" | "rst" | "ipynb" | "MLmodel" | "MLproject" | "mlproject" => "text/plain",
        "html" | "htm" => "text/html",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sent_as_they_are_and_in_ascii() {
        for (name, sent) in [
            ("a.txt", "filename=a.txt"),
            ("a%b.txt", "filename=a%b.txt"),
            ("s p.txt", "filename=\"s p.txt\""),
            ("ž.txt", "filename=z.txt; filename*=UTF-8''%C5%BE.txt"),
        ] {
            assert_eq!(attachment(name), format!("attachment; {sent}"));
        }
    }

    #[test]
    fn a_part_is_what_http_says() {
        let asked = |range: &str| {
            let headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
            part(&headers, 10)
        };
        assert_eq!(part(&HeaderMap::new(), 10), None);
        for (range, wanted) in [
            ("bytes=2-4", Some((2, 3))),
            ("bytes=7-", Some((7, 3))),
            ("bytes=-3", Some((7, 3))),
            ("bytes=0-99", Some((0, 10))),
            ("bytes=4-2", None),
            ("lines=1-2", None),
            ("bytes=10-", Some((10, 0))),
        ] {
            assert_eq!(asked(range), wanted, "{range}");
        }
    }
}
