use std::time::Duration;

use azml_core::{Error, ErrorKind, Operation, Request, Response, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{DbfsHandle, DbfsPath, FileInfo, MAX_BLOCK_SIZE, wire};
use crate::{
    fault,
    wire::{get, post},
};

fn encoded(operation: &'static str, data: &Bytes) -> Result<String> {
    if data.len() as u64 > MAX_BLOCK_SIZE {
        let reason = format!(
            "data: has {} bytes and at most {MAX_BLOCK_SIZE} go at once; use upload",
            data.len()
        );
        return Err(Error::invalid(operation, reason));
    }
    Ok(STANDARD.encode(data))
}

pub(super) struct Put<'a> {
    pub(super) path: &'a DbfsPath,
    pub(super) contents: Bytes,
    pub(super) overwrite: bool,
}

impl Operation for Put<'_> {
    const NAME: &'static str = "databricks.dbfs.put";
    // Whoever must not overwrite would rather hear of his own file than lose it.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::PutRequest {
            path: self.path.as_api_path(),
            contents: encoded(Self::NAME, &self.contents)?,
            overwrite: self.overwrite,
        };
        post(Self::NAME, base, "/api/2.0/dbfs/put", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Create<'a> {
    pub(super) path: &'a DbfsPath,
    pub(super) overwrite: bool,
}

impl Operation for Create<'_> {
    const NAME: &'static str = "databricks.dbfs.create";
    // Makes a handle, and perhaps a file, which a repeat would find in the way.
    const IDEMPOTENT: bool = false;
    type Output = DbfsHandle;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::CreateRequest { path: self.path.as_api_path(), overwrite: self.overwrite };
        post(Self::NAME, base, "/api/2.0/dbfs/create", &body)
    }

    fn decode(&self, response: Response) -> Result<DbfsHandle> {
        let body: wire::CreateResponse = fault::read(Self::NAME, &response)?;
        Ok(DbfsHandle::new(body.handle.0))
    }
}

pub(super) struct AddBlock(pub(super) DbfsHandle, pub(super) Bytes);

impl Operation for AddBlock {
    const NAME: &'static str = "databricks.dbfs.add_block";
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let data = encoded(Self::NAME, &self.1)?;
        let body = wire::AddBlockRequest { handle: self.0.get(), data };
        post(Self::NAME, base, "/api/2.0/dbfs/add-block", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Close(pub(super) DbfsHandle);

impl Operation for Close {
    const NAME: &'static str = "databricks.dbfs.close";
    // A repeat would be told that the handle does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::CloseRequest { handle: self.0.get() };
        post(Self::NAME, base, "/api/2.0/dbfs/close", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Read<'a> {
    pub(super) path: &'a DbfsPath,
    pub(super) offset: u64,
    pub(super) len: u64,
}

impl Operation for Read<'_> {
    const NAME: &'static str = "databricks.dbfs.read";
    const IDEMPOTENT: bool = true;
    type Output = Bytes;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/dbfs/read")
            .query("path", self.path.as_api_path())
            .query("offset", self.offset)
            .query("length", self.len.min(MAX_BLOCK_SIZE))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Bytes> {
        let body: wire::ReadResponse = fault::read(Self::NAME, &response)?;
        let data = STANDARD.decode(body.data);
        data.map(Into::into).map_err(|err| Error::local(Self::NAME, ErrorKind::Decode, err))
    }
}

pub(super) struct GetStatus<'a>(pub(super) &'a DbfsPath);

impl Operation for GetStatus<'_> {
    const NAME: &'static str = "databricks.dbfs.get_status";
    const IDEMPOTENT: bool = true;
    type Output = FileInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/dbfs/get-status")
            .query("path", self.0.as_api_path())
            .build()
    }

    fn decode(&self, response: Response) -> Result<FileInfo> {
        fault::read::<wire::WireFile>(Self::NAME, &response)?.into_domain(Self::NAME)
    }
}

pub(super) struct List<'a>(pub(super) &'a DbfsPath);

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.dbfs.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<FileInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/dbfs/list").query("path", self.0.as_api_path()).build()
    }

    fn decode(&self, response: Response) -> Result<Vec<FileInfo>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        body.files.into_iter().map(|it| it.into_domain(Self::NAME)).collect()
    }
}

pub(super) struct Mkdirs<'a>(pub(super) &'a DbfsPath);

impl Operation for Mkdirs<'_> {
    const NAME: &'static str = "databricks.dbfs.mkdirs";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::MkdirsRequest { path: self.0.as_api_path() };
        post(Self::NAME, base, "/api/2.0/dbfs/mkdirs", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

/// How far a deletion came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deleted {
    /// Everything is gone.
    Wholly,
    /// A part is gone. The service asks for a repeat after this pause.
    Partly(Duration),
}

pub(super) struct Delete<'a> {
    pub(super) path: &'a DbfsPath,
    pub(super) recursive: bool,
}

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.dbfs.delete";
    const IDEMPOTENT: bool = true;
    type Output = Deleted;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::DeleteRequest { path: self.path.as_api_path(), recursive: self.recursive };
        post(Self::NAME, base, "/api/2.0/dbfs/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<Deleted> {
        let Err(err) = fault::expect_success(Self::NAME, &response) else {
            return Ok(Deleted::Wholly);
        };
        // A large folder goes in parts. Each is a success, dressed as a 503.
        match err.service_fault() {
            Some(fault) if fault.code == "PARTIAL_DELETE" => {
                Ok(Deleted::Partly(fault.retry_after.unwrap_or(Duration::from_secs(1))))
            }
            _ => Err(err),
        }
    }
}

pub(super) struct Move<'a> {
    pub(super) from: &'a DbfsPath,
    pub(super) to: &'a DbfsPath,
}

impl Operation for Move<'_> {
    const NAME: &'static str = "databricks.dbfs.move";
    // A repeat would be told that there is nothing to move.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::MoveRequest {
            source_path: self.from.as_api_path(),
            destination_path: self.to.as_api_path(),
        };
        post(Self::NAME, base, "/api/2.0/dbfs/move", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::check;

    #[test]
    fn every_call_is_as_saved() {
        let path: DbfsPath = "dbfs:/data/a b.csv".parse().unwrap();
        let folder: DbfsPath = "dbfs:/data".parse().unwrap();
        let contents = Bytes::from("hello");
        let handle = DbfsHandle::new(7_904_256);

        let put = Put { path: &path, contents: contents.clone(), overwrite: true };
        check("dbfs/put", &put).unwrap();
        let create = Create { path: &path, overwrite: false };
        assert_eq!(check("dbfs/create", &create).unwrap(), handle);
        check("dbfs/add-block", &AddBlock(handle, contents.clone())).unwrap();
        check("dbfs/close", &Close(handle)).unwrap();
        let read = Read { path: &path, offset: 0, len: 5 };
        assert_eq!(check("dbfs/read", &read).unwrap(), contents);

        let info = check("dbfs/get-status", &GetStatus(&path)).unwrap();
        assert_eq!((info.path.clone(), info.len, info.is_dir), (path.clone(), 5, false));
        assert_eq!(check("dbfs/list", &List(&folder)).unwrap(), [info]);
        check("dbfs/mkdirs", &Mkdirs(&folder)).unwrap();
        let delete = Delete { path: &folder, recursive: true };
        assert_eq!(check("dbfs/delete", &delete).unwrap(), Deleted::Wholly);
    }

    #[test]
    fn a_deletion_in_parts_and_a_move_are_as_saved() {
        let folder: DbfsPath = "dbfs:/data".parse().unwrap();
        let delete = Delete { path: &folder, recursive: true };
        let partly = Deleted::Partly(Duration::from_secs(1));
        assert_eq!(check("dbfs/delete-partial", &delete).unwrap(), partly);
        let paths: [DbfsPath; 4] = ["a b.csv", "b.csv", "c.csv", "nothing.csv"]
            .map(|it| format!("/data/{it}").parse().unwrap());
        let [a, b, c, nothing] = &paths;
        check("dbfs/move", &Move { from: a, to: b }).unwrap();
        let err = check("dbfs/move-exists", &Move { from: b, to: c }).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Conflict);
        let err = check("dbfs/move-missing", &Move { from: nothing, to: c }).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        let past_end = Read { path: c, offset: 100, len: 5 };
        assert!(check("dbfs/read-past-end", &past_end).unwrap().is_empty());
        let block = AddBlock(DbfsHandle::new(404), Bytes::from("x"));
        assert_eq!(
            check("dbfs/add-block-missing", &block).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }

    #[test]
    fn a_missing_file_and_one_in_the_way_are_told_apart() {
        let path: DbfsPath = "dbfs:/data/a b.csv".parse().unwrap();
        let err = check("dbfs/get-status-missing", &GetStatus(&path)).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        let err = check("dbfs/create-exists", &Create { path: &path, overwrite: false });
        assert_eq!(err.unwrap_err().kind(), ErrorKind::Conflict);
    }

    #[test]
    fn a_block_that_is_too_large_is_refused_before_it_is_sent() {
        let block = Bytes::from(vec![0; 1024 * 1024 + 1]);
        let err = AddBlock(DbfsHandle::new(1), block).encode("https://adb-1.test").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }
}
