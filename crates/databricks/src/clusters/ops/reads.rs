use azml_core::{Error, ErrorKind, Operation, Page, PageToken, Request, Response, Result};

use crate::{
    clusters::{
        Cluster, ClusterEvent, ClusterFilter, ClusterId, EventFilter, NodeType, SparkVersion,
        Zones, wire,
    },
    fault,
    wire::{get, millis_of, next_page, post},
};

pub(in super::super) struct Get<'a>(pub(in super::super) &'a ClusterId);

impl Operation for Get<'_> {
    const NAME: &'static str = "databricks.clusters.get";
    const IDEMPOTENT: bool = true;
    type Output = Cluster;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.1/clusters/get").query("cluster_id", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<Cluster> {
        Ok(fault::read::<wire::WireCluster>(Self::NAME, &response)?.into())
    }
}

pub(in super::super) struct List<'a> {
    pub(in super::super) filter: &'a ClusterFilter,
    pub(in super::super) token: Option<PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.clusters.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<Cluster>;

    fn encode(&self, base: &str) -> Result<Request> {
        let ClusterFilter { states, sources, is_pinned, policy_id, sort_by, is_descending } =
            self.filter;
        let mut request = get(Self::NAME, base, "/api/2.1/clusters/list").query("page_size", 100);
        for state in states {
            request = request.query("filter_by.cluster_states", state);
        }
        for source in sources {
            request = request.query("filter_by.cluster_sources", source);
        }
        let is_ordered = sort_by.is_some() || *is_descending;
        request
            .query_opt("filter_by.is_pinned", *is_pinned)
            .query_opt("filter_by.policy_id", policy_id.as_ref())
            .query_opt("sort_by.field", sort_by.as_ref())
            .query_opt(
                "sort_by.direction",
                is_ordered.then_some(if *is_descending { "DESC" } else { "ASC" }),
            )
            .query_opt("page_token", self.token.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<Cluster>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        let clusters = body.clusters.into_iter().map(Into::into);
        Ok(Page::new(clusters.collect(), next_page(body.next_page_token)))
    }
}

/// Its page tokens are offsets.
pub(in super::super) struct Events<'a> {
    pub(in super::super) cluster_id: &'a ClusterId,
    pub(in super::super) filter: &'a EventFilter,
    pub(in super::super) token: Option<PageToken>,
    /// At most 500.
    pub(in super::super) limit: u32,
}

impl Operation for Events<'_> {
    const NAME: &'static str = "databricks.clusters.events";
    const IDEMPOTENT: bool = true;
    type Output = Page<ClusterEvent>;

    fn encode(&self, base: &str) -> Result<Request> {
        let offset = self.token.as_ref().map(|it| it.0.parse()).transpose();
        let body = wire::EventsRequest {
            cluster_id: self.cluster_id.as_str(),
            order: if self.filter.is_ascending { "ASC" } else { "DESC" },
            limit: self.limit,
            offset: offset
                .map_err(|err| Error::local(Self::NAME, ErrorKind::InvalidArgument, err))?,
            start_time: self.filter.from.map(millis_of),
            end_time: self.filter.to.map(millis_of),
            event_types: &self.filter.kinds,
        };
        post(Self::NAME, base, "/api/2.1/clusters/events", &body)
    }

    fn decode(&self, response: Response) -> Result<Page<ClusterEvent>> {
        let body: wire::EventsResponse = fault::read(Self::NAME, &response)?;
        let next = body.next_page.map(|it| PageToken(it.offset.0.to_string()));
        Ok(Page::new(body.events.into_iter().map(Into::into).collect(), next))
    }
}

pub(in super::super) struct NodeTypes;

impl Operation for NodeTypes {
    const NAME: &'static str = "databricks.clusters.list_node_types";
    const IDEMPOTENT: bool = true;
    type Output = Vec<NodeType>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.1/clusters/list-node-types").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<NodeType>> {
        let body: wire::NodeTypesResponse = fault::read(Self::NAME, &response)?;
        Ok(body.node_types.into_iter().map(Into::into).collect())
    }
}

pub(in super::super) struct SparkVersions;

impl Operation for SparkVersions {
    const NAME: &'static str = "databricks.clusters.spark_versions";
    const IDEMPOTENT: bool = true;
    type Output = Vec<SparkVersion>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.1/clusters/spark-versions").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<SparkVersion>> {
        let body: wire::VersionsResponse = fault::read(Self::NAME, &response)?;
        Ok(body.versions.into_iter().map(Into::into).collect())
    }
}

pub(in super::super) struct ListZones;

impl Operation for ListZones {
    const NAME: &'static str = "databricks.clusters.list_zones";
    const IDEMPOTENT: bool = true;
    type Output = Zones;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.1/clusters/list-zones").build()
    }

    fn decode(&self, response: Response) -> Result<Zones> {
        Ok(fault::read::<wire::WireZones>(Self::NAME, &response)?.into())
    }
}
