use std::io;

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, tell};
use crate::{
    kernel::{Route, Service, routes::Grade},
    services,
};

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Prints JSON: service, operation, method, path, state, missing.
    #[arg(long)]
    json: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let rows =
        services::ALL.iter().flat_map(|service| service.routes.iter().map(|it| (*service, it)));
    let out = &mut io::stdout().lock();
    if options.json {
        let rows: Vec<Value> = rows.map(|(service, route)| row(service, route)).collect();
        tell(out, &format!("{:#}", Value::from(rows)));
        return Ok(());
    }
    for (_, route) in rows {
        let (state, missing) = state(route);
        let missing =
            if missing.is_empty() { String::new() } else { format!(" (without {missing})") };
        tell(
            out,
            &format!("{state:8} {:48} {:6} {}{missing}", route.operation, route.method, route.path),
        );
    }
    Ok(())
}

fn row(service: &Service, route: &Route) -> Value {
    let (state, missing) = state(route);
    json!({
        "service": service.name,
        "operation": route.operation,
        "method": route.method.as_str(),
        "path": route.path,
        "state": state,
        "missing": missing,
    })
}

/// How much of an operation is there, and what is not.
fn state(route: &Route) -> (&'static str, &'static str) {
    match route.grade {
        Grade::Emulated => ("emulated", ""),
        Grade::Partial(missing) => ("partial", missing),
        Grade::Assumed => ("assumed", ""),
        Grade::Absent => ("absent", ""),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_operations_have_one_name_and_one_path() {
        let mut seen = BTreeSet::new();
        for route in services::ALL.iter().flat_map(|it| it.routes) {
            let key = (route.operation, route.method.as_str(), route.path);
            assert!(seen.insert(key), "{key:?} is there twice");
        }
    }
}
