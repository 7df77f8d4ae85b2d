use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn need<'a>(
    (account, container, name): (&'a str, &'a str, &'a str),
    permissions: &'a str,
) -> Need<'a> {
    Need { account, container, name, of_container: permissions == "l", permissions }
}

fn code(outcome: Result<(), Refusal>) -> Option<String> {
    outcome.err().map(|it| it.code.unwrap_or_default().into_owned())
}

#[test]
fn a_signature_opens_what_it_was_made_for_and_nothing_else() {
    let blob = sas("acct", "c", "a/b", "r", HOUR);
    assert_eq!(check(&blob, &need(("acct", "c", "a/b"), "r")), Ok(()));
    for elsewhere in [("acct", "c", "a/c"), ("acct", "d", "a/b"), ("other", "c", "a/b")] {
        let outcome = check(&blob, &need(elsewhere, "r"));
        assert_eq!(code(outcome).as_deref(), Some("AuthenticationFailed"));
    }
    let outcome = check(&blob, &need(("acct", "c", "a/b"), "cw"));
    assert_eq!(code(outcome).as_deref(), Some("AuthorizationPermissionMismatch"));
}

#[test]
fn a_folder_and_a_container_open_what_is_in_them() {
    let folder = sas("acct", "c", "a/b/", "rl", HOUR);
    assert_eq!(check(&folder, &need(("acct", "c", "a/b/x/y"), "r")), Ok(()));
    assert_eq!(check(&folder, &need(("acct", "c", "a/b"), "l")), Ok(()));
    assert!(check(&folder, &need(("acct", "c", "a/bc/x"), "r")).is_err());
    assert!(check(&folder, &need(("acct", "c", "a"), "r")).is_err());
    let container = sas("acct", "c", "", "r", HOUR);
    assert_eq!(check(&container, &need(("acct", "c", "anything"), "r")), Ok(()));
}

#[test]
fn a_signature_ends_and_cannot_be_made_longer() {
    let at = need(("acct", "c", "a"), "r");
    let past = sas("acct", "c", "a", "r", Duration::ZERO);
    assert_eq!(code(check(&past, &at)).as_deref(), Some("AuthenticationFailed"));
    assert!(check(&past.replacen("se=20", "se=21", 1), &at).is_err());
}

/// Signs as a client does that has the key.
fn signed_by_a_client(fields: &str, to_sign: impl Fn(&Fields) -> String) -> String {
    let signature = signed(&to_sign(&Fields::read(fields)));
    let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
    format!("{fields}&sig={signature}")
}

#[test]
fn a_signature_that_has_not_begun_is_refused() {
    let fields = "sv=2021-08-06&st=2999-01-01&se=3000-01-01T00:00Z&sr=b&sp=r";
    let query =
        signed_by_a_client(fields, |it| service::to_sign(it, "acct", "c", Scope::Blob("a")));
    let text = check(&query, &need(("acct", "c", "a"), "r")).unwrap_err().message;
    assert!(text.contains("time frame"), "{text}");
}

#[test]
fn a_signature_of_the_account_opens_services_and_kinds_of_resources() {
    let made = |ss: &str, srt: &str| {
        let fields = format!("sv=2021-08-06&ss={ss}&srt={srt}&se=3000-01-01&sp=rl");
        signed_by_a_client(&fields, |it| account::to_sign(it, "acct"))
    };
    let (blob, listing) = (need(("acct", "c", "a"), "r"), need(("acct", "c", ""), "l"));
    assert_eq!(check(&made("bq", "co"), &blob), Ok(()));
    assert_eq!(check(&made("b", "c"), &listing), Ok(()));
    let mismatch = code(check(&made("b", "c"), &blob));
    assert_eq!(mismatch.as_deref(), Some("AuthorizationResourceTypeMismatch"));
    let mismatch = code(check(&made("q", "co"), &blob));
    assert_eq!(mismatch.as_deref(), Some("AuthorizationServiceMismatch"));
}

#[test]
fn what_is_not_emulated_says_so() {
    let refusal = check("sv=2021-08-06&skoid=x&sig=y", &need(("a", "c", "n"), "r")).unwrap_err();
    assert_eq!(refusal.kind, Kind::NotEmulated);
}
