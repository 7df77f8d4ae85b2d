use azml_core::ErrorKind;
use azml_databricks::secrets::{
    NewSecretScope, ScopeBackend, SecretAcl, SecretKey, SecretPermission, SecretScopeName,
    SecretValue, Secrets,
};
use azml_testkit::TestContext;
use futures_util::{StreamExt, TryStreamExt};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::databricks;

/// What every implementation keeps.
async fn secrets_contract(secrets: &dyn Secrets) {
    let (team, key) = (SecretScopeName::new("team"), SecretKey::new("password"));
    let new = NewSecretScope::new("team");
    secrets.create_scope(&new).await.unwrap();
    let err = secrets.create_scope(&new).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    let scopes: Vec<_> = secrets.list_scopes().try_collect().await.unwrap();
    assert_eq!((&scopes[0].name, &scopes[0].backend), (&team, &ScopeBackend::Databricks));

    let value = SecretValue::from(SecretString::from("fake-secret"));
    secrets.put(&team, &key, &value).await.unwrap();
    assert_eq!(secrets.get(&team, &key).await.unwrap().expose_secret(), b"fake-secret");
    let bytes = SecretValue::from(SecretSlice::from(vec![0, 159, 146, 150]));
    secrets.put(&team, &key, &bytes).await.unwrap();
    assert_eq!(secrets.get(&team, &key).await.unwrap().expose_secret(), [0, 159, 146, 150]);
    let found: Vec<_> = secrets.list(&team).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| &it.key).collect::<Vec<_>>(), [&key]);

    let acl = SecretAcl::new("users", SecretPermission::Read);
    secrets.put_acl(&team, &acl).await.unwrap();
    assert_eq!(secrets.get_acl(&team, "users").await.unwrap(), acl);
    let acls: Vec<_> = secrets.list_acls(&team).try_collect().await.unwrap();
    assert_eq!(acls.len(), 2, "who made it has a right, too");
    secrets.delete_acl(&team, "users").await.unwrap();
    assert_eq!(secrets.get_acl(&team, "users").await.unwrap_err().kind(), ErrorKind::NotFound);

    secrets.delete(&team, &key).await.unwrap();
    secrets.delete_scope(&team).await.unwrap();
    for err in [
        secrets.get(&team, &key).await.unwrap_err(),
        secrets.put(&team, &key, &value).await.unwrap_err(),
        secrets.delete(&team, &key).await.unwrap_err(),
        secrets.delete_scope(&team).await.unwrap_err(),
        secrets.list(&team).next().await.unwrap().unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    secrets_contract(&databricks(&ctx).secrets()).await;
}

#[tokio::test(start_paused = true)]
async fn a_text_is_read_as_text_and_bytes_are_not() {
    let ctx = TestContext::new();
    let secrets = databricks(&ctx).secrets();
    let (scope, key) = ("s".into(), "k".into());
    secrets.create_scope(&NewSecretScope::new("s").managed_by_all_users()).await.unwrap();
    secrets.put(&scope, &key, &SecretString::from("fake-é").into()).await.unwrap();
    assert_eq!(secrets.get_text(&scope, &key).await.unwrap().expose_secret(), "fake-é");

    secrets.put(&scope, &key, &SecretSlice::from(vec![255]).into()).await.unwrap();
    let err = secrets.get_text(&scope, &key).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn a_scope_in_a_key_vault_tells_where_it_is() {
    let ctx = TestContext::new();
    let secrets = databricks(&ctx).secrets();
    let new = NewSecretScope::new("v").in_key_vault("/vaults/fake", "https://fake.vault.test/");
    secrets.create_scope(&new).await.unwrap();
    let scopes: Vec<_> = secrets.list_scopes().try_collect().await.unwrap();
    assert_eq!(
        (&scopes[0].backend, &scopes[0].key_vault),
        (&ScopeBackend::AzureKeyVault, &new.key_vault)
    );
}
