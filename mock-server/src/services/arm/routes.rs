use crate::{
    kernel::Service,
    services::azure::{ArmEnvelope, arm_gate},
};

pub(crate) static SERVICE: Service = Service::new::<ArmEnvelope>("arm", arm_gate, &[]);
