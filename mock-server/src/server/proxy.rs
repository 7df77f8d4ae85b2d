//! The mock as a forward proxy, so that programs which insist on real host
//! names can be pointed at it: `CONNECT` and requests in absolute form.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    http::{Method, StatusCode, Uri, uri::Authority},
    response::{IntoResponse, Response},
};

use crate::kernel::addresses::Place;

/// What becomes of a request, as far as its target tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is answered here.
    Serve,
    /// A tunnel to `host` is asked for. It ends here.
    Tunnel { host: String, is_tls: bool },
    /// Another place is meant, which this proxy does not know.
    Refuse(String),
}

/// Where a request goes that came in at `local`. Nothing ever leaves for the
/// network: names of Azure and Databricks are answered here, all others refused.
pub(super) fn way(method: &Method, uri: &Uri, local: SocketAddr) -> Way {
    let Some(authority) = uri.authority() else {
        let is_tunnel = method == Method::CONNECT;
        return if is_tunnel { Way::Refuse(uri.to_string()) } else { Way::Serve };
    };
    let host = authority.host();
    let is_known = Place::of(host).is_azure() || is_here(authority, local);
    match (is_known, method) {
        (false, _) => Way::Refuse(authority.to_string()),
        (true, &Method::CONNECT) => {
            let is_tls = authority.port_u16() != Some(80);
            let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
            Way::Tunnel { host, is_tls }
        }
        (true, _) => Way::Serve,
    }
}

/// Whether `authority` is this very port. A client that sends everything to its
/// proxy asks the proxy for the proxy, too.
fn is_here(authority: &Authority, local: SocketAddr) -> bool {
    let host = authority.host().trim_matches(['[', ']']);
    let is_local = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback() || it == local.ip());
    is_local && authority.port_u16().unwrap_or(80) == local.port()
}

/// The answer to [`Way::Refuse`].
pub(super) fn refused(target: &str) -> Response {
    let text = format!(
        "azml-mock answers for names of Azure and Databricks only and never connects to the network: \
         {target} is refused. Put the name into NO_PROXY if it is meant to be reached directly.\n"
    );
    let mut response = Body::from(text).into_response();
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_of(method: &Method, uri: &str) -> Way {
        way(method, &uri.parse().unwrap(), "127.0.0.1:4711".parse().unwrap())
    }

    #[test]
    fn names_of_azure_and_databricks_are_answered_here() {
        let tunnel = |host: &str| Way::Tunnel { host: host.to_owned(), is_tls: true };
        for host in
            ["management.azure.com", "adb-1.7.azuredatabricks.net", "a.blob.core.windows.net"]
        {
            assert_eq!(way_of(&Method::CONNECT, &format!("{host}:443")), tunnel(host));
            assert_eq!(way_of(&Method::GET, &format!("http://{host}/a")), Way::Serve);
        }
    }

    #[test]
    fn every_other_name_is_refused() {
        let refused = |it: &str| Way::Refuse(it.to_owned());
        assert_eq!(way_of(&Method::CONNECT, "pypi.org:443"), refused("pypi.org:443"));
        assert_eq!(way_of(&Method::GET, "http://example.test/a"), refused("example.test"));
        assert_eq!(way_of(&Method::CONNECT, "127.0.0.1:22"), refused("127.0.0.1:22"));
        assert_eq!(
            way_of(&Method::CONNECT, "management.azure.com.evil.test:443"),
            refused("management.azure.com.evil.test:443")
        );
    }

    #[test]
    fn the_port_itself_may_be_asked_for_through_itself() {
        assert_eq!(way_of(&Method::GET, "/a"), Way::Serve);
        assert_eq!(way_of(&Method::GET, "http://127.0.0.1:4711/a"), Way::Serve);
        assert_eq!(way_of(&Method::GET, "http://localhost:4711/a"), Way::Serve);
    }
}
