//! A company's network as it is documented: its equipment and what joins it.

use std::collections::HashSet;

use serde::Serialize;

use crate::{db::Conn, error::Result, params};

use super::check_store::SUBNET_OF_EQUIPMENT;

/// Some equipment.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = TopologyNode)]
pub struct Node {
    /// The equipment's row.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// What it is, such as `switch`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its model.
    pub model: Option<String>,
    /// Its address.
    pub ip_address: Option<String>,
    /// The narrowest documented network that the address is in.
    pub subnet: Option<String>,
    /// The device that the RMM sees.
    pub asset_id: Option<i64>,
    /// Whether the RMM sees it now; nothing when it watches no such device.
    pub online: Option<bool>,
    /// By way of what it reaches the world.
    pub uplink_id: Option<i64>,
}

/// What joins two of them.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = TopologyEdge)]
pub struct Edge {
    /// The connection's row; nothing for an uplink that no connection describes.
    pub connection_id: Option<i64>,
    /// One end.
    pub a_id: i64,
    /// The port there.
    pub a_port: Option<String>,
    /// The other end.
    pub b_id: i64,
    /// The port there.
    pub b_port: Option<String>,
    /// What it is made of, such as `copper`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// How fast it is.
    pub speed_mbps: Option<i64>,
}

/// A company's live equipment and connections; an uplink without a connection joins, too.
pub fn read(c: &mut Conn, company: i64) -> Result<(Vec<Node>, Vec<Edge>)> {
    let sql = format!(
        "SELECT equipment.id, equipment.name, equipment.kind, equipment.model, equipment.ip_address, {SUBNET_OF_EQUIPMENT}, equipment.asset_id,
                (SELECT seen.online FROM @asset_observations seen WHERE seen.asset_id = equipment.asset_id), equipment.uplink_id
         FROM @network_equipment equipment WHERE equipment.company_id = ?1 AND equipment.retired_at IS NULL
         ORDER BY equipment.name, equipment.id"
    );
    let nodes = c.map(&sql, params![company], |row| {
        Ok(Node {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            model: row.get(3)?,
            ip_address: row.get(4)?,
            subnet: row.get(5)?,
            asset_id: row.get(6)?,
            online: row.get(7)?,
            uplink_id: row.get(8)?,
        })
    })?;
    let sql = "SELECT joined.id, joined.a_id, joined.a_port, joined.b_id, joined.b_port, joined.kind, joined.speed_mbps
        FROM @network_connections joined WHERE joined.company_id = ?1 AND joined.retired_at IS NULL ORDER BY joined.id";
    let mut edges = c.map(sql, params![company], |row| {
        Ok(Edge {
            connection_id: row.get(0)?,
            a_id: row.get(1)?,
            a_port: row.get(2)?,
            b_id: row.get(3)?,
            b_port: row.get(4)?,
            kind: row.get(5)?,
            speed_mbps: row.get(6)?,
        })
    })?;
    let there: HashSet<i64> = nodes.iter().map(|node| node.id).collect();
    edges.retain(|edge| there.contains(&edge.a_id) && there.contains(&edge.b_id));
    let joined: HashSet<(i64, i64)> = edges.iter().flat_map(|edge| [(edge.a_id, edge.b_id), (edge.b_id, edge.a_id)]).collect();
    for node in &nodes {
        let Some(up) = node.uplink_id.filter(|up| there.contains(up)) else { continue };
        if !joined.contains(&(up, node.id)) {
            edges.push(Edge { a_id: up, b_id: node.id, ..Edge::default() });
        }
    }
    Ok((nodes, edges))
}
