mod changes;
mod reads;
#[cfg(test)]
mod tests;

pub(super) use self::{
    changes::{
        ChangeOwner, Create, Delete, Edit, PermanentDelete, Pin, Resize, Restart, Start, Unpin,
        Update,
    },
    reads::{Events, Get, List, ListZones, NodeTypes, SparkVersions},
};
