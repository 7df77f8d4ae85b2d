use std::{io, sync::OnceLock, thread};

use tokio::runtime::{Builder, Handle};

/// Lets `upload` go on in `runtime`, or on a thread of our own, which no busy or
/// missing runtime holds up.
pub(crate) fn spawn(
    runtime: Option<&Handle>,
    upload: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    match runtime {
        Some(runtime) => drop(runtime.spawn(upload)),
        None => drop(own()?.spawn(upload)),
    }
    Ok(())
}

fn own() -> io::Result<&'static Handle> {
    static OWN: OnceLock<io::Result<Handle>> = OnceLock::new();
    let start = || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        // It ends with the process: what is not at the server then waits on the disk.
        let work = move || runtime.block_on(std::future::pending::<()>());
        thread::Builder::new().name("azml-upload".to_owned()).spawn(work)?;
        Ok(handle)
    };
    let copy = |err: &io::Error| io::Error::new(err.kind(), err.to_string());
    OWN.get_or_init(start).as_ref().map_err(copy)
}
