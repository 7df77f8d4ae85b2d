use std::{ops::Range, sync::Arc};

use azml_core::{
    BodySource, Error, Operation, Page, PageToken, Request, RequestBuilder, Response, Result,
};
use bytes::Bytes;
use http::{Method, StatusCode};
use time::OffsetDateTime;

use super::{DirectoryEntry, FileMetadata, FilePart, FilePath, MAX_UPLOAD_SIZE, wire};
use crate::{fault, wire::next_page};

const FILES: &str = "/api/2.0/fs/files";
const DIRECTORIES: &str = "/api/2.0/fs/directories";

fn at(
    operation: &'static str,
    method: Method,
    base: &str,
    kind: &str,
    path: &FilePath,
) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path(kind).segments(path.as_str())
}

pub(super) struct Upload<'a> {
    pub(super) path: &'a FilePath,
    pub(super) source: Arc<dyn BodySource>,
    pub(super) overwrite: bool,
}

impl Operation for Upload<'_> {
    const NAME: &'static str = "databricks.files.upload";
    // Whoever must not overwrite would rather hear of his own file than lose it.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let len = self.source.len();
        if MAX_UPLOAD_SIZE < len {
            let reason = format!("source: has {len} bytes and at most 5 GiB go; split it");
            return Err(Error::invalid(Self::NAME, reason));
        }
        at(Self::NAME, Method::PUT, base, FILES, self.path)
            .query_opt("overwrite", self.overwrite.then_some(true))
            .bytes("application/octet-stream", Bytes::new())
            .build()
    }

    fn source(&self) -> Option<Arc<dyn BodySource>> {
        Some(self.source.clone())
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Download<'a> {
    pub(super) path: &'a FilePath,
    pub(super) range: Range<u64>,
    pub(super) unmodified_since: Option<OffsetDateTime>,
}

impl Operation for Download<'_> {
    const NAME: &'static str = "databricks.files.download";
    const IDEMPOTENT: bool = true;
    type Output = FilePart;

    fn encode(&self, base: &str) -> Result<Request> {
        let Range { start, end } = self.range;
        if end <= start {
            let reason = format!("range: {start}..{end} has no bytes; let it end behind its start");
            return Err(Error::invalid(Self::NAME, reason));
        }
        let mut request = at(Self::NAME, Method::GET, base, FILES, self.path)
            .header("range", &format!("bytes={start}-{}", end - 1));
        if let Some(since) = self.unmodified_since {
            let date = wire::http_date(Self::NAME, since)?;
            request = request.header("if-unmodified-since", &date);
        }
        request.build()
    }

    fn decode(&self, response: Response) -> Result<FilePart> {
        let Range { start, end } = self.range;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // There is nothing at or behind the end.
            let file = FileMetadata { len: start, ..wire::metadata(response.headers()) };
            return Ok(FilePart { bytes: Bytes::new(), file });
        }
        fault::expect_success(Self::NAME, &response)?;
        wire::part(Self::NAME, response, start, end)
    }
}

pub(super) struct GetMetadata<'a>(pub(super) &'a FilePath);

impl Operation for GetMetadata<'_> {
    const NAME: &'static str = "databricks.files.get_metadata";
    const IDEMPOTENT: bool = true;
    type Output = FileMetadata;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::HEAD, base, FILES, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<FileMetadata> {
        fault::expect_success(Self::NAME, &response)?;
        Ok(wire::metadata(response.headers()))
    }
}

pub(super) struct Delete<'a>(pub(super) &'a FilePath);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.files.delete";
    // A repeat would be told that the file does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, FILES, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct CreateDirectory<'a>(pub(super) &'a FilePath);

impl Operation for CreateDirectory<'_> {
    const NAME: &'static str = "databricks.files.create_directory";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PUT, base, DIRECTORIES, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct GetDirectoryMetadata<'a>(pub(super) &'a FilePath);

impl Operation for GetDirectoryMetadata<'_> {
    const NAME: &'static str = "databricks.files.get_directory_metadata";
    const IDEMPOTENT: bool = true;
    type Output = bool;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::HEAD, base, DIRECTORIES, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<bool> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        fault::expect_success(Self::NAME, &response).map(|()| true)
    }
}

pub(super) struct DeleteDirectory<'a>(pub(super) &'a FilePath);

impl Operation for DeleteDirectory<'_> {
    const NAME: &'static str = "databricks.files.delete_directory";
    // A repeat would be told that the folder does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, DIRECTORIES, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct List<'a> {
    pub(super) path: &'a FilePath,
    pub(super) token: Option<PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.files.list_directory_contents";
    const IDEMPOTENT: bool = true;
    type Output = Page<DirectoryEntry>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, DIRECTORIES, self.path)
            .query("page_size", 1000)
            .query_opt("page_token", self.token.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<DirectoryEntry>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        let entries = body.contents.into_iter().map(|it| it.into_domain(Self::NAME));
        Ok(Page::new(entries.collect::<Result<_>>()?, next_page(body.next_page_token)))
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;
    use http::header::{IF_UNMODIFIED_SINCE, RANGE};
    use time::macros::datetime;

    use super::*;
    use crate::testing::check;

    fn path(relative: &str) -> FilePath {
        format!("/Volumes/main/default/wine/{relative}").parse().unwrap()
    }

    fn download(path: &FilePath) -> Download<'_> {
        Download { path, range: 1..4, unmodified_since: None }
    }

    #[test]
    fn every_call_is_as_saved() {
        let (file, folder) = (path("raw data/a.csv"), path("raw data"));
        let source: Arc<dyn BodySource> = Arc::new(Bytes::from("hello"));
        let upload = Upload { path: &file, source: source.clone(), overwrite: true };
        check("files/upload", &upload).unwrap();
        // A service that does not know ranges sends the whole.
        let part = check("files/download", &download(&file)).unwrap();
        assert_eq!((part.bytes, part.file.len), (Bytes::from("ell"), 5));
        check("files/get-metadata", &GetMetadata(&file)).unwrap();
        check("files/delete", &Delete(&file)).unwrap();
        check("files/create-directory", &CreateDirectory(&folder)).unwrap();
        assert!(check("files/get-directory-metadata", &GetDirectoryMetadata(&folder)).unwrap());
        check("files/delete-directory", &DeleteDirectory(&path("empty"))).unwrap();
        let list = List { path: &folder, token: None };
        let page = check("files/list-directory-contents", &list).unwrap();
        assert_eq!(page.items[1].path, path("raw data/b.csv"));
        assert_eq!((page.items[1].len, page.items[1].is_dir), (11, false));
        let list = List { path: &folder, token: page.next };
        assert_eq!(check("files/list-directory-contents-next-page", &list).unwrap().next, None);
    }

    #[test]
    fn every_refusal_is_told_apart() {
        let (missing, nowhere) = (path("nothing.csv"), path("nothing"));
        for err in [
            check("files/download-missing", &download(&missing)).unwrap_err(),
            check("files/get-metadata-missing", &GetMetadata(&missing)).unwrap_err(),
            check("files/delete-missing", &Delete(&missing)).unwrap_err(),
            check("files/delete-directory-missing", &DeleteDirectory(&nowhere)).unwrap_err(),
        ] {
            assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
        }
        let gone = GetDirectoryMetadata(&nowhere);
        assert!(!check("files/get-directory-metadata-missing", &gone).unwrap());
        let (file, folder) = (path("raw data/a.csv"), path("raw data"));
        let source: Arc<dyn BodySource> = Arc::new(Bytes::from("hello"));
        let upload = Upload { path: &file, source, overwrite: false };
        let err = check("files/upload-exists", &upload).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Conflict);
        let err = check("files/delete-directory-not-empty", &DeleteDirectory(&folder)).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Conflict);
    }

    #[test]
    fn a_part_is_asked_for_by_range_and_date() {
        let file = path("a");
        let since = Some(datetime!(2023-11-14 22:13:20 UTC));
        let download = Download { path: &file, range: 5..10, unmodified_since: since };
        let request = download.encode("https://adb-1.test").unwrap();
        assert_eq!(request.headers()[RANGE], "bytes=5-9");
        assert_eq!(request.headers()[IF_UNMODIFIED_SINCE], "Tue, 14 Nov 2023 22:13:20 GMT");

        let answer = http::Response::builder()
            .status(206)
            .header("content-range", "bytes 5-9/12")
            .header("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")
            .body(Bytes::from("fghij"))
            .unwrap();
        let part = download.decode(answer).unwrap();
        assert_eq!(part.file, FileMetadata { len: 12, modified_at: since });

        let empty = Download { path: &file, range: 5..5, unmodified_since: None };
        assert!(empty.encode("https://adb-1.test").is_err());
    }
}
