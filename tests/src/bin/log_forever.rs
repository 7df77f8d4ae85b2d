//! Logs until it is killed: `log_forever SPOOL mlflow URL`, or `folder PATH`.
//!
//! Writes a byte to its standard output whenever a point was accepted, so that
//! whoever kills it knows which were.
#![expect(clippy::unwrap_used, reason = "it is there to be killed")]

use std::{io::Write, sync::Arc, time::Duration};

use azml::{
    core::{Endpoint, ReqwestTransport},
    tracking::{FolderTracking, MlflowTracking, SpoolOptions, Tracking},
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [spool, kind, place] = &arguments[..] else { panic!("say SPOOL mlflow|folder PLACE") };
    let tracking = if kind == "folder" {
        Tracking::new(FolderTracking::new(place))
    } else {
        let transport = ReqwestTransport::builder().with_proxy_from_env(false).build().unwrap();
        Tracking::new(MlflowTracking::new(Endpoint::new(place.as_str(), Arc::new(transport))))
    };
    // Small segments and a short linger, so that it dies at all of its work.
    let options = SpoolOptions::new()
        .with_folder(spool)
        .with_max_bytes(1 << 20)
        .with_linger(Duration::from_millis(2));
    let run = tracking.with_spool(options).start_run("killed").unwrap();
    let mut out = std::io::stdout().lock();
    for step in 0..i64::MAX {
        let key = ["loss", "accuracy"][usize::from(step % 3 == 0)];
        run.log_metric_at(key, 0.5, step).unwrap();
        out.write_all(b".").and_then(|()| out.flush()).unwrap();
    }
}
