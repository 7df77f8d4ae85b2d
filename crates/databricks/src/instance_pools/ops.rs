use azml_core::{Operation, Request, Response, Result};

use super::{InstancePool, InstancePoolId, PoolDefinition, wire};
use crate::{
    fault,
    wire::{get, post},
};

pub(super) struct Create<'a>(pub(super) &'a PoolDefinition);

impl Operation for Create<'_> {
    const NAME: &'static str = "databricks.instance_pools.create";
    const IDEMPOTENT: bool = false;
    type Output = InstancePoolId;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::CreateRequest::new(Self::NAME, self.0)?;
        post(Self::NAME, base, "/api/2.0/instance-pools/create", &body)
    }

    fn decode(&self, response: Response) -> Result<InstancePoolId> {
        let body: wire::CreateResponse = fault::read(Self::NAME, &response)?;
        Ok(body.instance_pool_id.into())
    }
}

pub(super) struct Edit<'a>(pub(super) &'a InstancePoolId, pub(super) &'a PoolDefinition);

impl Operation for Edit<'_> {
    const NAME: &'static str = "databricks.instance_pools.edit";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::Editable::new(Self::NAME, Some(self.0.as_str()), self.1)?;
        post(Self::NAME, base, "/api/2.0/instance-pools/edit", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Delete<'a>(pub(super) &'a InstancePoolId);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.instance_pools.delete";
    // A repeat would be told that the pool does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { instance_pool_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.0/instance-pools/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Get<'a>(pub(super) &'a InstancePoolId);

impl Operation for Get<'_> {
    const NAME: &'static str = "databricks.instance_pools.get";
    const IDEMPOTENT: bool = true;
    type Output = InstancePool;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/instance-pools/get")
            .query("instance_pool_id", self.0)
            .build()
    }

    fn decode(&self, response: Response) -> Result<InstancePool> {
        Ok(fault::read::<wire::WirePool>(Self::NAME, &response)?.into())
    }
}

pub(super) struct List;

impl Operation for List {
    const NAME: &'static str = "databricks.instance_pools.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<InstancePool>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/instance-pools/list").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<InstancePool>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        Ok(body.instance_pools.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use azml_core::ErrorKind;
    use serde_json::json;

    use super::*;
    use crate::{
        clusters::{AzureAttributes, AzureAvailability},
        instance_pools::PoolState,
        testing::check,
    };

    fn warm() -> PoolDefinition {
        let spot = AzureAttributes {
            availability: Some(AzureAvailability::Spot),
            spot_bid_max_price: Some(-1.0),
            ..AzureAttributes::default()
        };
        let disk = json!({
            "disk_count": 1, "disk_size": 100,
            "disk_type": { "azure_disk_volume_type": "PREMIUM_LRS" },
        });
        PoolDefinition::new("warm", "Standard_DS3_v2")
            .with_min_idle_instances(1)
            .with_max_capacity(10)
            .with_idle_timeout(Duration::from_secs(15 * 60))
            .with_custom_tag("team", "wine")
            .with_preloaded_spark_version("15.4.x-scala2.12")
            .with_elastic_disk(true)
            .with_azure_attributes(spot)
            .with_extra("disk_spec", disk)
            .unwrap()
            .with_extra("preloaded_docker_images", json!([{ "url": "registry.test/wine:1" }]))
            .unwrap()
    }

    #[test]
    fn every_call_is_as_saved() {
        let id = InstancePoolId::new("0101-000000-pool-fake0001");
        assert_eq!(check("instance-pools/create", &Create(&warm())).unwrap(), id);
        let cold = PoolDefinition::new("cold", "Standard_DS3_v2")
            .with_min_idle_instances(0)
            .with_max_capacity(5)
            .with_idle_timeout(Duration::from_secs(30 * 60))
            .with_custom_tag("team", "beer");
        check("instance-pools/edit", &Edit(&id, &cold)).unwrap();
        let pool = check("instance-pools/get", &Get(&id)).unwrap();
        assert_eq!((&pool.instance_pool_id, &pool.state), (&id, &PoolState::Active));
        assert_eq!(pool.definition.idle_timeout, Some(Duration::from_secs(15 * 60)));
        assert_eq!(pool.definition.azure_attributes, warm().azure_attributes);
        assert!(pool.definition.extra.names().any(|it| it == "disk_spec"));
        check("instance-pools/list", &List).unwrap();
        assert_eq!(check("instance-pools/list-empty", &List).unwrap(), []);
        check("instance-pools/delete", &Delete(&id)).unwrap();

        let missing = InstancePoolId::new("0101-000000-pool-nowhere1");
        let cold = PoolDefinition::new("cold", "Standard_DS3_v2");
        for err in [
            check("instance-pools/get-missing", &Get(&missing)).unwrap_err(),
            check("instance-pools/edit-missing", &Edit(&missing, &cold)).unwrap_err(),
            check("instance-pools/delete-missing", &Delete(&missing)).unwrap_err(),
        ] {
            assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
        }
    }

    #[test]
    fn a_definition_that_cannot_be_is_refused_unsent() {
        for definition in [
            PoolDefinition::new("", "n"),
            PoolDefinition::new("a", ""),
            PoolDefinition::new("a", "n").with_min_idle_instances(2).with_max_capacity(1),
        ] {
            let err = Create(&definition).encode("https://adb-1.test").unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidArgument, "{definition:?}");
        }
    }
}
