use std::{fs, io, path::PathBuf};

use clap::Args;

use super::{Failure, tell};
use crate::server::{ready::Ready, tls::Authority};

#[derive(Args, Debug)]
pub(super) struct Options {
    /// The folder of the certificate, as given to `serve`. Made if need be.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["data_dir", "ready"])]
    ca_dir: Option<PathBuf>,
    /// The data folder, as given to `serve`.
    #[arg(long, value_name = "DIR", conflicts_with = "ready")]
    data_dir: Option<PathBuf>,
    /// The ready file of a mock cloud that runs.
    #[arg(long, value_name = "FILE", env = "AZML_MOCK_READY")]
    ready: Option<PathBuf>,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let folder = options.ca_dir.clone().or_else(|| Some(options.data_dir.as_ref()?.join("ca")));
    let pem = match (folder, &options.ready) {
        (Some(folder), _) => {
            let authority = Authority::in_folder(&folder)
                .map_err(|err| Failure(format!("no certificate in {}: {err}", folder.display())))?;
            authority.pem().to_owned()
        }
        (None, Some(ready)) => {
            let file = read(ready)?.ca_file;
            fs::read_to_string(&file).map_err(|err| Failure(format!("{file}: {err}")))?
        }
        (None, None) => {
            let text = "which certificate? Give --ready FILE, --data-dir DIR or --ca-dir DIR";
            return Err(Failure(text.to_owned()));
        }
    };
    tell(&mut io::stdout(), pem.trim_end());
    Ok(())
}

/// Reads a ready file.
pub(super) fn read(path: &std::path::Path) -> Result<Ready, Failure> {
    let failed = |err: &dyn std::fmt::Display| {
        Failure(format!("{} is no ready file of azml-mock: {err}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|err| failed(&err))?;
    serde_json::from_str(&text).map_err(|err| failed(&err))
}
